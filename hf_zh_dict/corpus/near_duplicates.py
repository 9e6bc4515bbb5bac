"""Texts in, the pairs of them that are nearly the same out, each with its exact Jaccard similarity.

MinHash (Broder 1997) with banding (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, ch. 3)
finds candidates without comparing every text with every other; each candidate is then measured on
the two sets of character trigrams. With BANDS bands of ROWS hashes, a pair of similarity s becomes
a candidate with probability 1 − (1 − s^ROWS)^BANDS: 87 % at 0.5, 99 % at 0.6.
"""

from array import array
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BANDS, ROWS = 32, 4
BATCH = 4096
SHORTEST = 10  # characters; shorter texts (「地名。」) are alike without being copies
THRESHOLD = 0.5
NEIGHBOURS = 8  # in a bucket of equal hashes a text meets this many that follow it

Hashes = npt.NDArray[np.uint64]


def trigrams(text: str) -> Hashes:
    """The set of the text's character trigrams, each as one number (3 × 21 bits), sorted."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)
    high, middle = np.uint64(42), np.uint64(21)
    return np.unique(points[:-2] << high | points[1:-1] << middle | points[2:])


def jaccard(one: Hashes, other: Hashes) -> float:
    """Size of the intersection over size of the union."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


class NearDuplicates:
    """Texts as they come; they and their MinHashes lie on disk, one file for each band.

    Args:
        folder: takes these files, for the time being.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / f"band-{band}.part" for band in range(BANDS)]
        self.paths.append(folder / "compared.part")
        *self.bands, self.file = [path.open("w+b") for path in self.paths]
        self.starts = array("q", [0])
        self.owners = array("q")  # what each text belongs to, as its caller numbers it
        self.waiting: list[Hashes] = []

    def add(self, owner: int, text: str) -> None:
        """Take a text of `owner`; one that is too short is passed over."""
        if len(text) < SHORTEST:
            return
        self.starts.append(self.starts[-1] + self.file.write(text.encode("utf-32-le")))
        self.owners.append(owner)
        self.waiting.append(trigrams(text))
        if len(self.waiting) == BATCH:
            self._sign()

    def _sign(self) -> None:
        """MinHash the waiting texts: one 32-bit number a band."""
        from rensa import RMinHash

        starts = np.cumsum([0, *map(len, self.waiting)], dtype=np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            np.concatenate(self.waiting), starts, BANDS * ROWS, 0
        )
        minima = np.array(matrix.to_rows(), np.uint64).reshape(-1, BANDS, ROWS)
        bands = np.zeros(minima.shape[:2], np.uint64)
        for row in range(ROWS):
            bands = (bands ^ minima[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
            bands ^= bands >> np.uint64(32)
        for file, hashes in zip(self.bands, bands.astype(np.uint32).T, strict=True):
            file.write(hashes.tobytes())
        self.waiting.clear()

    def candidates(self) -> npt.NDArray[np.int64]:
        """Pairs of text numbers that share a band, as rows (smaller, larger), each once."""
        if self.waiting:
            self._sign()
        unique = np.empty(0, np.int64)
        for file in self.bands:
            file.seek(0)
            hashes = np.frombuffer(file.read(), np.uint32)
            order = np.argsort(hashes, kind="stable")
            values = hashes[order]
            codes = [unique]
            for step in range(1, NEIGHBOURS + 1):
                equal = values[step:] == values[:-step]
                codes.append(order[:-step][equal] << 32 | order[step:][equal])
            unique = np.unique(np.concatenate(codes))
        return np.stack((unique >> 32, unique & 0xFFFFFFFF), axis=1)

    def pairs(self) -> Iterator[tuple[int, int, float]]:
        """(owner, owner, similarity) of texts at least THRESHOLD alike."""

        @lru_cache(maxsize=BATCH)
        def shingles(number: int) -> Any:
            start, end = self.starts[number : number + 2]
            self.file.seek(start)
            return trigrams(self.file.read(end - start).decode("utf-32-le"))

        for one, other in self.candidates().tolist():
            if self.owners[one] != self.owners[other]:
                similarity = jaccard(shingles(one), shingles(other))
                if similarity >= THRESHOLD:
                    yield self.owners[one], self.owners[other], similarity

    def close(self) -> None:
        """Take away the files."""
        for file, path in zip((*self.bands, self.file), self.paths, strict=True):
            file.close()
            path.unlink()
