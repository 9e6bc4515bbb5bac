"""Texts and the train split in, how much of each stands in its nearest training entry out."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

ORDER = 5  # characters of an n-gram
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
ENTRIES_AT_ONCE = 2000
END = "\0" * ORDER  # behind each entry, so that no n-gram of a text reaches across

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


def nearest_overlap(texts: Sequence[str], train: Iterable[str]) -> list[float]:
    """For each text, the largest share of its different character 5-grams that one entry holds.

    1: some entry holds all of the text's n-grams; a text shorter than an n-gram counts 0. Entries
    stream by; memory follows the texts.
    """
    own = [np.unique(hash_grams(text)) for text in texts]
    sizes = np.array([len(grams) for grams in own], dtype=np.int64)
    # n-gram by n-gram, the texts that hold it
    holders = np.repeat(np.arange(len(texts)), sizes)
    grams = np.concatenate([np.empty(0, np.uint64), *own])
    order = np.argsort(grams, kind="stable")
    known, starts, counts = np.unique(grams[order], return_index=True, return_counts=True)
    holders = holders[order]
    most = np.zeros(len(texts), dtype=np.int64)
    for entry, gram in find_grams(train, known):
        wide = counts[gram]
        offsets = np.arange(wide.sum()) - np.repeat(np.cumsum(wide) - wide, wide)
        holder = holders[np.repeat(starts[gram], wide) + offsets]
        pairs, shared = np.unique(np.repeat(entry, wide) * len(texts) + holder, return_counts=True)
        np.maximum.at(most, pairs % len(texts), shared)
    shares: list[float] = (most / np.maximum(sizes, 1)).tolist()
    return shares


def find_grams(train: Iterable[str], known: Hashes) -> Iterator[tuple[Numbers, Numbers]]:
    """(entries, places in `known`) of the different n-grams of some entries, part by part."""
    entries = iter(train)
    while part := list(islice(entries, ENTRIES_AT_ONCE)):
        hashes = hash_grams("".join(entry + END for entry in part))
        bounds = np.cumsum([len(entry) + ORDER for entry in part])
        places = np.minimum(np.searchsorted(known, hashes), max(len(known) - 1, 0))
        found = np.flatnonzero(known[places] == hashes) if len(known) else np.empty(0, np.int64)
        numbers = np.searchsorted(bounds, found, side="right")
        pairs = np.unique(numbers * len(known) + places[found])
        if len(pairs):
            yield pairs // len(known), pairs % len(known)


def hash_grams(text: str) -> Hashes:
    """A 64-bit number for each n-gram of a text, in order."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    count = max(0, len(points) - ORDER + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(ORDER):
        hashes = (hashes ^ points[offset : offset + count]) * MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes
