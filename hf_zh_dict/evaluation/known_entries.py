"""A corpus in; the entries of a headword, and the train entry that a text is nearest to, out.

All of it is looked up at once, for people who wait: entries by headword in a dict, the n-grams of
the train split in one sorted array, 8 bytes for each of its characters.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.evaluation.nearest import END, ENTRIES_AT_ONCE, ORDER, hash_grams
from hf_zh_dict.paths import SPLITS, RunPaths

WHOLE = ("plain", "line")  # views that are entries; the others say parts of them again
CANDIDATES = 8  # texts that the hashes find nearest, of which the nearest is chosen
HIGH = np.uint64(32)  # a pair is 32 bits of an n-gram's hash above the number of its text
LOW = np.uint64(2**32 - 1)


@dataclass(frozen=True)
class KnownEntry:
    """An entry of the corpus, and which split it lies in."""

    text: str
    headword: str
    split: str
    dictionary: str = ""

    @property
    def held_out(self) -> bool:
        return self.split != "train"


@dataclass(frozen=True)
class Nearest:
    """The train entry that holds most of a text's n-grams, and the share that it holds."""

    entry: KnownEntry
    share: float


class KnownEntries:
    """A corpus, ready to be asked."""

    def __init__(self, entries: Iterable[KnownEntry]) -> None:
        self.by_headword: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        for entry in entries:
            self.by_headword[entry.headword].append(entry)
        everything = [entry for same in self.by_headword.values() for entry in same]
        self.train = [entry for entry in everything if not entry.held_out]
        self.held_out = [
            entry.headword
            for entry in everything
            if entry.held_out and entry.headword and entry.text.startswith(entry.headword)
        ]
        self.pairs = index_grams([entry.text for entry in self.train])

    @classmethod
    def read(cls, paths: RunPaths) -> "KnownEntries":
        """From the three splits of a corpus."""
        columns = ["text", "headword", "dictionary", "view"]
        return cls(
            KnownEntry(row["text"], row["headword"], split, row["dictionary"])
            for split in SPLITS
            for row in read_rows(paths.split(split), columns)
            if row["view"] in WHOLE
        )

    def find(self, headword: str) -> list[KnownEntry]:
        """Its entries, in the corpus's order; none when the headword is empty or not there."""
        return self.by_headword.get(headword, []) if headword else []

    def draw_held_out(self, choice: random.Random, *, besides: str = "") -> str:
        """A headword that the model has not seen, another than `besides`; empty without one."""
        others = [headword for headword in self.held_out if headword != besides]
        return choice.choice(others) if others else ""

    def find_nearest(self, text: str) -> Nearest | None:
        """None when the text is shorter than an n-gram, or no train entry shares one with it."""
        grams = grams_of(text)
        candidates = [self.train[number] for number in self._candidates(text)]
        shares = [len(grams & grams_of(entry.text)) / len(grams) for entry in candidates]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        return Nearest(candidates[best], shares[best]) if best is not None else None

    def _candidates(self, text: str) -> Sequence[int]:
        """Numbers of the train texts that share most n-grams with a text, by their hashes."""
        first = np.unique(hash_grams(text) >> HIGH << HIGH)
        starts = np.searchsorted(self.pairs, first)
        ends = np.searchsorted(self.pairs, first | LOW, side="right")
        found = [self.pairs[a:b] for a, b in zip(starts, ends, strict=True) if a < b]
        if not found:
            return []
        numbers = np.concatenate(found) & LOW
        known, counts = np.unique(numbers, return_counts=True)
        chosen: list[int] = known[np.argsort(-counts, kind="stable")[:CANDIDATES]].tolist()
        return chosen


def grams_of(text: str) -> set[str]:
    return {text[start : start + ORDER] for start in range(len(text) - ORDER + 1)}


def index_grams(texts: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A pair for each n-gram of each text, once, in order."""
    parts = [np.empty(0, np.uint64)]
    for start in range(0, len(texts), ENTRIES_AT_ONCE):
        part = texts[start : start + ENTRIES_AT_ONCE]
        hashes = hash_grams("".join(text + END for text in part))
        numbers = np.arange(start, start + len(part), dtype=np.uint64)
        numbers = np.repeat(numbers, [len(text) + ORDER for text in part])[: len(hashes)]
        parts.append(hashes >> HIGH << HIGH | numbers)
    pairs = np.concatenate(parts)
    pairs.sort()
    once: npt.NDArray[np.uint64] = pairs[np.diff(pairs, prepend=~pairs[:1]) != 0]
    return once
