"""Token ids of all documents in, training blocks of fixed length out.

`blocks/` holds flat files: `tokens.bin` (ids, bos and eos around every document) and `offsets.bin`
(where each document begins). A document of n tokens gives n−1 pairs of input and target; blocks
are filled with pairs, so that every token except bos is a target exactly once an epoch, and eos
is never an input. Which pairs meet in which block is a pure function of seed and epoch: documents
are shuffled and each is laid into the fullest open block that can still hold it whole (best fit).
Only a document longer than a block is cut, into whole blocks and a rest.

Positions restart with each piece, the later pieces of a long document among them: rotary
embeddings see only differences of positions, so where a piece's count begins changes nothing
within it, and no position reaches beyond the context.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.config import BlocksConfig
from hf_zh_dict.messages import _
from hf_zh_dict.progress import Progress
from hf_zh_dict.stages import fingerprint, read_stage
from hf_zh_dict.tokens.encoding import encode_documents

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

FORMAT = 1
TOKENS_FILE, OFFSETS_FILE = "tokens.bin", "offsets.bin"
IGNORED = -100  # the label that no loss counts

Ids = npt.NDArray[np.int64]


def blocks_fingerprint(config: BlocksConfig, tokenizer: str) -> str:
    """What this stage's folder must carry to be current; `tokenizer` is that stage's fingerprint."""
    return fingerprint(format=FORMAT, tokenizer=tokenizer, block_size=config.block_size)


def build_blocks(
    texts: Iterator[str],
    tokenizer: "PreTrainedTokenizerFast",
    folder: Path,
    *,
    block_size: int,
    num_workers: int = 0,
    total: int = 0,
) -> dict[str, Any]:
    """Encode the train split into flat files; returns counts, the first epoch's waste among them."""
    dtype = np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32
    position = 0
    with (
        (folder / TOKENS_FILE).open("wb") as tokens_file,
        (folder / OFFSETS_FILE).open("wb") as offsets_file,
        Progress(_("blocks: documents"), total=total) as progress,
    ):
        offsets_file.write(np.int64(0).tobytes())
        for ids, lengths in encode_documents(tokenizer, texts, num_workers=num_workers):
            tokens_file.write(ids.astype(dtype).tobytes())
            ends = position + np.cumsum(lengths)
            offsets_file.write(ends.tobytes())
            position = int(ends[-1])
            progress.advance(len(lengths))
    blocks = Blocks(folder, block_size=block_size, dtype=np.dtype(dtype))
    first = blocks.pack(seed=0, epoch=0)
    slots = first.num_blocks * block_size
    return {
        "block_size": block_size,
        "dtype": np.dtype(dtype).name,
        "documents": blocks.num_documents,
        "tokens": position,
        "targets": blocks.num_targets,
        "blocks": first.num_blocks,
        "padding": 1 - blocks.num_targets / slots,
        "cut_documents": int((blocks.lengths > block_size).sum()),
    }


def load_blocks(folder: Path) -> "Blocks":
    """The blocks that a run's folder holds."""
    facts = read_stage(folder)
    return Blocks(folder, block_size=facts["block_size"], dtype=np.dtype(facts["dtype"]))


@dataclass(frozen=True)
class Epoch:
    """One epoch's blocks: which stretch of the flat tokens lies where.

    Piece i covers pairs `starts[i]` to `starts[i] + lengths[i]` (input t, target t+1); the pieces
    of block b are `order[bounds[b]:bounds[b + 1]]`, side by side from the left.
    """

    starts: Ids
    lengths: Ids
    order: Ids
    bounds: Ids

    @property
    def num_blocks(self) -> int:
        return len(self.bounds) - 1


class Blocks:
    """The flat files of a run, and the blocks of any epoch."""

    def __init__(self, folder: Path, *, block_size: int, dtype: np.dtype[Any]) -> None:
        self.folder, self.block_size = folder, block_size
        self.tokens = np.memmap(folder / TOKENS_FILE, dtype=dtype, mode="r")
        self.offsets: Ids = np.fromfile(folder / OFFSETS_FILE, dtype=np.int64)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the files; it is not sent what they hold."""
        opened = partial(Blocks, block_size=self.block_size, dtype=self.tokens.dtype)
        return opened, (self.folder,)

    @property
    def num_documents(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ids:
        """Pairs of input and target in each document."""
        return np.diff(self.offsets) - 1

    @property
    def num_targets(self) -> int:
        return int(self.lengths.sum())

    def pack(self, *, seed: int, epoch: int) -> Epoch:
        """Lay all documents into blocks; the same seed and epoch give the same blocks."""
        generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
        shuffled = generator.permutation(self.num_documents)
        starts, lengths = cut_pieces(
            self.offsets[:-1][shuffled], self.lengths[shuffled], self.block_size
        )
        block_of = best_fit(lengths.tolist(), self.block_size)
        order = np.argsort(block_of, kind="stable")
        num_blocks = int(block_of.max()) + 1
        bounds = np.searchsorted(block_of[order], np.arange(num_blocks + 1))
        mixed = generator.permutation(num_blocks)  # full blocks close in an order of their own
        counts = np.diff(bounds)[mixed]
        order = np.concatenate([order[bounds[b] : bounds[b + 1]] for b in mixed])
        return Epoch(starts, lengths, order, np.concatenate([[0], np.cumsum(counts)]))

    def read(self, epoch: Epoch, indices: Ids) -> tuple[Ids, Ids, Ids]:
        """Inputs, labels and positions of some blocks, int64, [blocks, block_size].

        Padding is 0 and IGNORED, and counts as a piece: its positions begin with 0 too.
        """
        inputs = np.zeros((len(indices), self.block_size), dtype=np.int64)
        labels = np.full((len(indices), self.block_size), IGNORED, dtype=np.int64)
        positions = np.zeros((len(indices), self.block_size), dtype=np.int64)
        for row, block in enumerate(indices):
            column = 0
            for piece in epoch.order[epoch.bounds[block] : epoch.bounds[block + 1]]:
                start, length = int(epoch.starts[piece]), int(epoch.lengths[piece])
                stretch = self.tokens[start : start + length + 1]
                inputs[row, column : column + length] = stretch[:-1]
                labels[row, column : column + length] = stretch[1:]
                positions[row, column : column + length] = np.arange(length)
                column += length
            positions[row, column:] = np.arange(self.block_size - column)
        return inputs, labels, positions

    def documents_in(self, epoch: Epoch, block: int) -> list[int]:
        """The documents that a block holds, as numbers of the train split's rows."""
        pieces = epoch.order[epoch.bounds[block] : epoch.bounds[block + 1]]
        owners = np.searchsorted(self.offsets, epoch.starts[pieces], side="right") - 1
        return [int(owner) for owner in owners]


def cut_pieces(starts: Ids, lengths: Ids, block_size: int) -> tuple[Ids, Ids]:
    """Documents as pieces of at most `block_size` pairs: whole blocks first, then the rest."""
    pieces = -(-lengths // block_size)
    owner = np.repeat(np.arange(len(lengths)), pieces)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    piece_starts = starts[owner] + inside * block_size
    piece_lengths = np.minimum(lengths[owner] - inside * block_size, block_size)
    return piece_starts, piece_lengths


def best_fit(lengths: list[int], block_size: int) -> Ids:
    """The block of each piece: the open block with the least room that still holds it, else a new one.

    Open blocks are kept by room; a bit set of the rooms in use finds the smallest that fits.
    """
    open_blocks: list[list[int]] = [[] for _room in range(block_size + 1)]
    rooms = 0  # bit r: there is an open block with room r
    block_of = np.empty(len(lengths), dtype=np.int64)
    num_blocks = 0
    for piece, length in enumerate(lengths):
        fitting = rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            block = open_blocks[room].pop()
            if not open_blocks[room]:
                rooms &= ~(1 << room)
        else:
            room, block = block_size, num_blocks
            num_blocks += 1
        left = room - length
        if left:
            open_blocks[left].append(block)
            rooms |= 1 << left
        block_of[piece] = block
    return block_of
