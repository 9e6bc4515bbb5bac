"""A tokenizer in, the vocabulary of llama2.c's `run.c` out: its numbering, and `tokenizer.bin`.

run.c has fixed rules: a text begins with id 1 and ends when id 1 is chosen; a blank is put in
front of every prompt; byte b is id b + 3. A tokenizer taken over from SentencePiece fits as it is.
A ByteLevel one is numbered anew:

    id   read as        chosen, it means
    0    bos            bos
    1    bos            eos, so run.c stops where our models end a text
    2    another token  the same
    b+3  byte b         the same
    …    the rest       the same

Ids 1 thus differ between embedding and output, which are written apart. The blank in front goes
too: run.c joins neighbours whose joined text is a piece, and id 0 is spelt as id 1 and a blank.
"""

import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.files import new_file
from hf_zh_dict.formats.sentencepiece_bpe import BLANK
from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

FIRST_BYTE = 3  # the id of byte 0
NEVER = -1e10  # the score of a piece that run.c never joins
BOS_PIECE = b"\xff<s>"  # no text holds such bytes, so none is joined to it


@dataclass(frozen=True)
class Llama2cVocabulary:
    """run.c's pieces by its ids; for each, our id when it is read, and when it is chosen."""

    pieces: list[bytes]
    scores: list[float]
    inputs: list[int]
    outputs: list[int]

    @property
    def needs_own_output(self) -> bool:
        """Whether embedding and output differ even where the model ties them."""
        return self.inputs != self.outputs

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """run.c's id of each piece."""
        return {piece: number for number, piece in enumerate(self.pieces)}

    def translate(self, ids: list[int]) -> list[int]:
        """Our ids of a prompt as run.c's."""
        theirs = {ours: number for number, ours in reversed(list(enumerate(self.inputs)))}
        return [theirs[number] for number in ids]

    def encode(self, prompt: str) -> list[int]:
        """The ids that run.c itself makes of a prompt: the whole of its `encode`, rule by rule."""
        ids = [1]
        if prompt:
            ids.append(self.ids[b" "])
        for character in prompt:
            text = character.encode()
            known = self.ids.get(text)
            ids += [known] if known is not None else [byte + FIRST_BYTE for byte in text]
        while True:
            best, place, score = -1, -1, NEVER
            for i in range(len(ids) - 1):
                joined = self.ids.get(self.pieces[ids[i]] + self.pieces[ids[i + 1]], -1)
                if joined >= 0 and self.scores[joined] > score:
                    best, place, score = joined, i, self.scores[joined]
            if best < 0:
                return ids
            ids[place : place + 2] = [best]

    def write(self, path: Path) -> None:
        """`tokenizer.bin`: the longest piece's bytes, then score, length and bytes of each."""
        longest = max(len(piece) for piece in self.pieces)
        parts = [struct.pack("<I", longest)]
        for piece, score in zip(self.pieces, self.scores, strict=True):
            parts.append(struct.pack("<fI", score, len(piece)) + piece)
        with new_file(path) as new:
            new.write_bytes(b"".join(parts))


def make_vocabulary(tokenizer: "PreTrainedTokenizerFast", size: int) -> Llama2cVocabulary:
    """The vocabulary for run.c of a model with `size` entries.

    Raises:
        InputError: the tokenizer is neither a ByteLevel BPE nor one with SentencePiece's byte
            pieces, or lacks what run.c needs.
    """
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    if description["model"]["type"] == "BPE":
        texts = {number: text for text, number in tokenizer.get_vocab().items()}
        if description["model"].get("byte_fallback"):
            return keep_numbers(description, texts, size)
        if "ByteLevel" in json.dumps(description["pre_tokenizer"]):
            return number_anew(tokenizer, description, texts, size)
    raise InputError(
        _("llama2c: its tokenizer is neither a ByteLevel BPE nor one of SentencePiece's.")
    )


def keep_numbers(
    description: dict[str, Any], texts: dict[int, str], size: int
) -> Llama2cVocabulary:
    """SentencePiece's ids are run.c's."""
    if texts.get(FIRST_BYTE) != "<0x00>" or texts.get(FIRST_BYTE + 255) != "<0xFF>":
        raise InputError(_("llama2c: run.c wants the 256 byte pieces at the ids from 3 on."))
    scores = score_pieces(description)
    pieces = [texts.get(number, "").replace(BLANK, " ").encode() for number in range(size)]
    for number in (1, 2):
        pieces[number] = b"\n" + pieces[number] + b"\n"
    return Llama2cVocabulary(
        pieces=[piece or b"<unused>" for piece in pieces],
        scores=[scores.get(texts.get(number, ""), NEVER) for number in range(size)],
        inputs=list(range(size)),
        outputs=list(range(size)),
    )


def number_anew(
    tokenizer: "PreTrainedTokenizerFast",
    description: dict[str, Any],
    texts: dict[int, str],
    size: int,
) -> Llama2cVocabulary:
    """A ByteLevel vocabulary in run.c's order."""
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    bytes_of = byte_level_alphabet()
    byte_ids = [tokenizer.convert_tokens_to_ids(text) for text in bytes_of]
    if bos is None or eos is None or bos == eos or None in byte_ids:
        raise InputError(
            _("llama2c: the tokenizer needs all 256 bytes, and bos and eos that differ.")
        )
    fixed = {bos, eos, *byte_ids}
    rest = [number for number in range(size) if number not in fixed]
    ours = [bos, eos, *rest[:1], *byte_ids, *rest[1:]]
    scores = score_pieces(description)
    special = {item["id"] for item in description["added_tokens"]}
    pieces, piece_scores = [], []
    for number in ours:
        text = texts.get(number, f"<{number}>")
        ordinary = number in texts and number not in special
        pieces.append(
            bytes(bytes_of[character] for character in text)
            if ordinary
            else b"\xff" + text.encode()
        )
        piece_scores.append(scores.get(text, NEVER) if ordinary else NEVER)
    pieces[:2], piece_scores[0] = [BOS_PIECE + b" ", BOS_PIECE], 1.0
    return Llama2cVocabulary(pieces, piece_scores, [bos, bos, *ours[2:]], ours)


def score_pieces(description: dict[str, Any]) -> dict[str, float]:
    """The sooner a piece is joined, the higher; what no merge makes has no score."""
    scores: dict[str, float] = {}
    for rank, pair in enumerate(description["model"]["merges"]):
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        scores.setdefault(left + right, -float(rank))
    return scores


def byte_level_alphabet() -> dict[str, int]:
    """The character that a ByteLevel BPE writes for each byte, in the order of bytes.

    Printable Latin-1 stands for itself, the others for U+0100 and on (OpenAI's GPT-2, encoder.py).
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return {chr(byte if byte in printable else next(others)): byte for byte in range(256)}
