"""Seed and position in, the next global batch of blocks out, epoch after epoch without a seam.

The position (epoch, cursor) is all the state there is. A step takes the same blocks in the same
order however many processes share them, so runs with equal global batches see equal data.

Entries are laid into new blocks each epoch. Without that (`reshuffle=False`) every epoch has epoch
0's blocks, but in an order of its own, as when a data set is packed once and its rows are shuffled:
what differs between the two, from epoch 1 on, is only which entries stand together.
"""

from copy import copy
from dataclasses import dataclass

import numpy as np

from hf_zh_dict.tokens.blocks import Blocks, Epoch, Ids


@dataclass(frozen=True)
class MicroBatch:
    """Inputs, labels and positions of one process's micro-batch, int64, [rows, block_size]."""

    inputs: Ids
    labels: Ids
    positions: Ids


class BlockStream:
    """Walks through shuffled epochs of blocks."""

    def __init__(
        self,
        blocks: Blocks,
        *,
        seed: int,
        epoch: int = 0,
        cursor: int = 0,
        reshuffle: bool = True,
    ) -> None:
        self.blocks, self.seed, self.reshuffle = blocks, seed, reshuffle
        self.epoch, self.cursor = epoch, cursor
        self.packed: dict[int, Epoch] = {}
        self.orders: dict[int, Ids] = {}

    def pack(self, epoch: int) -> Epoch:
        """That epoch's blocks; only the newest two epochs are kept."""
        epoch = epoch if self.reshuffle else 0
        if epoch not in self.packed:
            self.packed = {e: p for e, p in self.packed.items() if e >= epoch - 1}
            self.packed[epoch] = self.blocks.pack(seed=self.seed, epoch=epoch)
        return self.packed[epoch]

    def order(self, epoch: int) -> Ids:
        """In which order that epoch goes through its blocks; only the newest is kept."""
        if epoch not in self.orders:
            order: Ids = np.arange(self.pack(epoch).num_blocks)
            if epoch and not self.reshuffle:
                order = np.random.Generator(np.random.Philox(key=[self.seed, epoch])).permutation(
                    order
                )
            self.orders = {epoch: order}
        return self.orders[epoch]

    def take(self, count: int) -> list[tuple[int, int]]:
        """The next `count` blocks as (epoch, block), and move behind them."""
        taken: list[tuple[int, int]] = []
        while len(taken) < count:
            ahead = self.order(self.epoch)[self.cursor :]
            used = min(count - len(taken), len(ahead))
            taken += [(self.epoch, int(block)) for block in ahead[:used]]
            self.cursor += used
            if used == len(ahead):
                self.epoch, self.cursor = self.epoch + 1, 0
        return taken

    def next_step(
        self, *, batch_size: int, accumulation: int, rank: int, world_size: int
    ) -> list[MicroBatch]:
        """One process's micro-batches of the next step."""
        taken = self.take(batch_size * accumulation * world_size)
        micro_batches = []
        for micro_step in range(accumulation):
            first = (micro_step * world_size + rank) * batch_size
            micro_batches.append(self.read(taken[first : first + batch_size]))
        return micro_batches

    def documents_ahead(self, *, epoch: int, cursor: int, count: int) -> list[list[int]]:
        """The documents in each of the `count` blocks from a position on; the stream stays put."""
        other = copy(self)
        other.epoch, other.cursor = epoch, cursor
        return [
            self.blocks.documents_in(other.pack(epoch), block) for epoch, block in other.take(count)
        ]

    def read(self, places: list[tuple[int, int]]) -> MicroBatch:
        parts = [
            self.blocks.read(self.pack(epoch), np.array([b for e, b in places if e == epoch]))
            for epoch in sorted({epoch for epoch, _block in places})
        ]
        return MicroBatch(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
