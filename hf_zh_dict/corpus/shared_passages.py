"""Lines of unknown origin in, the pairs that share most of the shorter one's text out.

Where lines carry no headword, what one entry was made into (definition, question, usage …) still
shares long passages. Winnowing (Schleimer, Wilkerson, Aiken 2003) keeps, of the hashes of all
GRAM-character pieces, the smallest in every window of WINDOW: any GRAM + WINDOW − 1 characters in a
row that two lines share leave at least one hash that both keep. A hash that more than COMMON lines
keep is a phrase of the language, and joins none. The strength of a pair is the share of the kept
hashes of the line with fewer that the other keeps too, phrases counted as not shared.

Hashes and pairs go through files on disk, dealt by their value; one of PARTS is in memory at a time.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

GRAM, WINDOW = 8, 8  # 15 characters in a row are never missed
COMMON = 32  # lines
THRESHOLD = 0.5
PARTS = 16
BATCH = 2000

Numbers = npt.NDArray[np.uint64]
KEPT = np.dtype([("hash", "<u8"), ("line", "<u4")])


class Parts:
    """Records dealt into files by some bits of a hash; equal hashes meet in one file."""

    def __init__(self, folder: Path, name: str, dtype: "np.dtype[Any]") -> None:
        self.dtype = dtype
        self.paths = [folder / f"{name}-{part}.part" for part in range(PARTS)]
        self.files = [path.open("wb") for path in self.paths]

    def add(self, hashes: Numbers, records: npt.NDArray[Any]) -> None:
        part_of = (hashes * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(60)
        for part, file in enumerate(self.files):
            file.write(records[part_of == part].tobytes())

    def read(self) -> Iterator[npt.NDArray[Any]]:
        """Each file's records; the file is gone afterwards."""
        for file in self.files:
            file.close()
        for path in self.paths:
            yield np.fromfile(path, self.dtype)
            path.unlink()


def winnow(texts: list[str]) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """The kept hashes of some lines, and for each the index of its line."""
    points = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le"), np.uint32)
    lines = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    size = len(points) - GRAM + 1
    if size < 1:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = np.zeros(size, np.uint64)
    inside = np.ones(size, bool)
    for offset in range(GRAM):
        piece = points[offset : offset + size]
        hashes = (hashes ^ piece) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
        inside &= piece != 0
    hashes[~inside] = np.iinfo(np.uint64).max
    smallest = hashes.copy()
    for offset in range(1, min(WINDOW, size)):
        np.minimum(smallest[:-offset], hashes[offset:], out=smallest[:-offset])
    smallest, lines = smallest[inside], lines[:size][inside]
    order = np.lexsort((smallest, lines))
    smallest, lines = smallest[order], lines[order]
    new = np.r_[True, (smallest[1:] != smallest[:-1]) | (lines[1:] != lines[:-1])][: len(lines)]
    return smallest[new], lines[new]


def shared_passages(
    texts: Iterable[str], folder: Path
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Pairs of line numbers, shape (pairs, 2), and the strength of each, at least THRESHOLD.

    Args:
        texts: the lines, in their order.
        folder: where the files on disk may lie meanwhile.
    """
    kept = Parts(folder, "hashes", KEPT)
    counts = []
    start = 0
    for batch in batches(texts):
        hashes, lines = winnow(batch)
        counts.append(np.bincount(lines, minlength=len(batch)))
        records = np.empty(len(hashes), KEPT)
        records["hash"], records["line"] = hashes, lines + start
        kept.add(hashes, records)
        start += len(batch)
    num_kept = np.concatenate(counts) if counts else np.empty(0, np.int64)
    pairs = Parts(folder, "pairs", np.dtype("<u8"))
    for records in kept.read():
        codes = pair_lines(records)
        pairs.add(codes, codes)
    found, strengths = [np.empty((0, 2), np.int64)], [np.empty(0)]
    for part in pairs.read():
        codes, shared = np.unique(part, return_counts=True)
        both = np.stack((codes >> np.uint64(32), codes & np.uint64(0xFFFFFFFF)), axis=1)
        both = both.astype(np.int64)
        strength = shared / num_kept[both].min(axis=1)
        strong = strength >= THRESHOLD
        found.append(both[strong])
        strengths.append(strength[strong])
    return np.concatenate(found), np.concatenate(strengths)


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def pair_lines(records: npt.NDArray[Any]) -> Numbers:
    """Every two lines that keep the same hash, as `smaller << 32 | larger`, once for each hash."""
    records = np.sort(records, order=("hash", "line"))
    hashes, lines = records["hash"], records["line"].astype(np.uint64)
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    sizes = np.diff(np.r_[starts, len(hashes)])
    rare = np.repeat(sizes <= COMMON, sizes)
    hashes, lines = hashes[rare], lines[rare]
    codes = [np.empty(0, np.uint64)]
    for step in range(1, COMMON):
        equal = hashes[step:] == hashes[:-step]
        if not equal.any():
            break
        codes.append(lines[:-step][equal] << np.uint64(32) | lines[step:][equal])
    return np.concatenate(codes)
