"""Headwords and the links between them in, groups that no split may part out.

A group is a connected component of headwords (equal ones are one from the start). A component that
would hold more entries than `limit` is cut at its weakest links: links join from the strongest to
the weakest, and one that would make a group too large is left out and counted. This is Kruskal's
spanning forest with a bound, so what stays inside a group is joined by its strongest links.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

STATED = 1.0  # the strength of a link that an entry itself names; similarities lie below


@dataclass(frozen=True)
class Links:
    """Links between keys, as parallel arrays; a stated one goes from the key that states it.

    Attributes:
        ends: key numbers, shape (links, 2), int64.
        strengths: shape (links,), 0 to 1.
    """

    ends: npt.NDArray[np.int64]
    strengths: npt.NDArray[np.float64]

    @classmethod
    def of(cls, links: Iterable[tuple[int, int, float]]) -> "Links":
        listed = list(links)
        ends = np.array([(one, other) for one, other, _ in listed], np.int64).reshape(-1, 2)
        return cls(ends, np.array([strength for *_, strength in listed], np.float64))

    def where(self, flags: npt.NDArray[np.bool_]) -> "Links":
        """Those whose flag is set."""
        return Links(self.ends[flags], self.strengths[flags])

    def __add__(self, other: "Links") -> "Links":
        return Links(
            np.concatenate((self.ends, other.ends)),
            np.concatenate((self.strengths, other.strengths)),
        )


@dataclass(frozen=True)
class Groups:
    """`group_of[key]` is the smallest key of its group that has entries; `num_cut` pairs were cut."""

    group_of: npt.NDArray[np.int64]
    num_cut: int


def group_limit(num_entries: int) -> int:
    """The most entries in a group: 0.1 % of all, and at least 50."""
    return max(50, num_entries // 1000)


def group_keys(num_entries: npt.NDArray[np.int64], links: Links, *, limit: int) -> Groups:
    """Join keys along their links.

    Args:
        num_entries: of each key; keys are numbered in the order of their headwords, so the smallest
            number is the smallest headword. A key without entries is a headword that is only named:
            it joins those that name it, and gives no group its name.
        links: between keys; a pair that several links join counts once, with the strongest.
        limit: the most entries that links may bring together.
    """
    parent = array("q", range(len(num_entries)))
    size = num_entries.tolist()

    def root(key: int) -> int:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    ends = np.sort(links.ends, axis=1)
    order = np.lexsort((ends[:, 1], ends[:, 0], -links.strengths))
    pairs = ends[order, 0] << 32 | ends[order, 1]
    order = order[np.sort(np.unique(pairs, return_index=True)[1])]
    num_cut = 0
    for one, other in ends[order].tolist():
        one, other = root(one), root(other)
        if one == other:
            continue
        if size[one] + size[other] > limit and size[one] and size[other]:
            num_cut += 1
            continue
        small, large = sorted((one, other), key=lambda key: size[key])
        parent[small] = large
        size[large] += size[small]
    roots = np.fromiter((root(key) for key in range(len(parent))), np.int64, len(parent))
    group_of = roots.copy()
    named = np.flatnonzero(num_entries)[::-1]
    group_of[roots[named]] = named  # going down, the smallest stays
    return Groups(group_of[roots], num_cut)
