"""A corpus folder in; how much of what is held out stands in train, word for word, out.

Two measures, for validation and test together: the share of held-out pieces of 13 units that train
holds too (the length of GPT-3's contamination study, there in words, here in characters; Brown et
al. 2020, appendix C), by field, and the longest stretch that train holds too. Beside them stand
those of a split of the same lines at random, with as many held out: what one without groups leaks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.messages import _
from hf_zh_dict.paths import SPLITS
from hf_zh_dict.progress import Progress

PIECE = 13  # characters
BATCH = 1 << 18  # characters hashed at once
BETWEEN = "between"  # pieces that reach over more than one field

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Texts = Callable[[], Iterable[str]]


def measure_leakage(folder: Path, *, seed: int = 0) -> dict[str, Any]:
    """Leakage of the corpus's own split, and of a random one of the same lines.

    Returns:
        {"groups": …, "random": …}, each {"held_out": documents, "pieces": count, "share": 0 to 1,
        "fields": {field: {"pieces", "share"}}, "longest": characters, "longest_text"}.
    """
    held_rows = [
        sum(1 for _row in read_rows(folder / f"{split}.parquet", ["view"])) for split in SPLITS
    ]
    total = sum(held_rows)
    by_groups = np.arange(total) >= held_rows[0]
    at_random = np.zeros(total, bool)
    chosen = np.random.default_rng(seed).permutation(total)[: total - held_rows[0]]
    at_random[chosen] = True
    with Progress(_("leakage: documents"), total=6 * total) as progress:
        return {
            name: measure_split(folder, held_out, progress)
            for name, held_out in (("groups", by_groups), ("random", at_random))
        }


def measure_split(folder: Path, held_out: Mask, progress: Progress) -> dict[str, Any]:
    """The measures of one way to hold documents out; `held_out` has a flag for each row."""

    def rows(wanted: bool) -> Iterator[dict[str, Any]]:
        flags = iter(held_out.tolist())
        for split in SPLITS:
            for row in read_rows(folder / f"{split}.parquet", ["text", "spans"]):
                progress.advance()
                if next(flags) == wanted:
                    yield row

    def train() -> Iterator[str]:
        return (row["text"] for row in rows(False))

    held = list(rows(True))
    texts = [row["text"] for row in held]
    pieces: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for row, seen in zip(held, find_shared(texts, train, PIECE), strict=True):
        for field, flag in zip(fields_of_pieces(row, len(seen)), seen.tolist(), strict=True):
            pieces[field] += 1
            shared[field] += flag
    longest = longest_shared(texts, train)
    return {
        "held_out": len(held),
        "pieces": pieces.total(),
        "share": shared.total() / max(1, pieces.total()),
        "fields": {
            field: {"pieces": count, "share": shared[field] / count}
            for field, count in pieces.most_common()
        },
        "longest": len(longest),
        "longest_text": longest,
    }


def fields_of_pieces(row: dict[str, Any], num_pieces: int) -> list[str]:
    """The field that each piece of a document lies in whole; BETWEEN where none holds it."""
    fields = [BETWEEN] * num_pieces
    for span in row["spans"]:
        last = min(num_pieces, span["end"] - PIECE + 1)
        for start in range(span["start"], last):
            fields[start] = span["field"]
    return fields


@cache
def powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of an odd base modulo 2^64, and of its inverse, from the power 0 on."""
    base = 0x9E3779B97F4A7C15
    inverse = pow(base, -1, 1 << 64)
    steps = [np.full(count, number, np.uint64) for number in (base, inverse)]
    for step in steps:
        step[0] = 1
    return np.cumprod(steps[0]), np.cumprod(steps[1])


def hash_pieces(points: npt.NDArray[np.uint32], length: int) -> Hashes:
    """A 64-bit polynomial hash of each stretch of `length` code points."""
    up, down = powers(max(2 * BATCH, 1 << len(points).bit_length()))
    letters = (points.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
    letters ^= letters >> np.uint64(32)
    sums = np.zeros(len(points) + 1, np.uint64)
    np.cumsum(letters * up[: len(points)], out=sums[1:])
    size = max(0, len(points) - length + 1)
    return (sums[length : length + size] - sums[:size]) * down[:size]


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Lists of texts of about BATCH characters; no text is cut."""
    batch: list[str] = []
    length = 0
    for text in texts:
        if batch and length + len(text) >= BATCH:
            yield batch
            batch, length = [], 0
        batch.append(text)
        length += len(text) + 1
    if batch:
        yield batch


def hash_batch(texts: list[str], length: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The hashes of all pieces inside the texts, and the index of the text of each."""
    points = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le"), np.uint32)
    owners = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    hashes = hash_pieces(points, length)
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    inside = np.arange(len(hashes)) + length <= ends[owners[: len(hashes)]]
    return hashes[inside], owners[: len(hashes)][inside]


def find_shared(held: list[str], train: Texts, length: int) -> list[Mask]:
    """For each held-out text, which of its pieces of `length` characters train holds."""
    parts = [hash_batch(batch, length)[0] for batch in batches(held)]
    wanted = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    known, place = np.unique(wanted, return_inverse=True)
    seen = np.zeros(len(known), bool)
    for batch in batches(train()):
        seen[find(known, hash_batch(batch, length)[0])[1]] = True
    sizes = [max(0, len(text) - length + 1) for text in held]
    return np.split(seen[place], np.cumsum(sizes)[:-1]) if held else []


def find(known: Hashes, hashes: Hashes) -> tuple[Mask, npt.NDArray[np.int64]]:
    """Which of `hashes` are among the sorted `known` ones, and where."""
    if not len(known):
        return np.zeros(len(hashes), bool), np.empty(0, np.int64)
    places = np.searchsorted(known, hashes)
    places[places == len(known)] = 0
    found = known[places] == hashes
    return found, places[found]


def longest_shared(held: list[str], train: Texts) -> str:
    """The longest stretch that a held-out text shares with train."""
    for shortest in (2 * PIECE, PIECE, 1):
        known = known_pieces(held, shortest)
        texts = [text for batch in batches(train()) for text in sharing(batch, known, shortest)]
        if texts:
            break
    else:
        return ""
    low, high = shortest, max(map(len, held)) + 1  # shared at `low`, not at `high`
    while high - low > 1:
        middle = (low + high) // 2
        known = known_pieces(held, middle)
        longer = [text for batch in batches(texts) for text in sharing(batch, known, middle)]
        if longer:
            low, texts = middle, longer
        else:
            high = middle
    pieces = {text[i : i + low] for text in texts for i in range(len(text) - low + 1)}
    return next(
        text[i : i + low]
        for text in held
        for i in range(len(text) - low + 1)
        if text[i : i + low] in pieces
    )


def known_pieces(held: list[str], length: int) -> Hashes:
    return np.unique(np.concatenate([hash_batch(batch, length)[0] for batch in batches(held)]))


def sharing(texts: list[str], known: Hashes, length: int) -> list[str]:
    """Those of the texts that hold a known piece."""
    hashes, owners = hash_batch(texts, length)
    return [texts[index] for index in np.unique(owners[find(known, hashes)[0]]).tolist()]
