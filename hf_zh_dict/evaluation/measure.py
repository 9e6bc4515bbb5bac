"""Items' numerators and denominators in, a number with its interval out: a `Measure`.

Every number that a suite reports is one. Its interval is the percentile bootstrap of Efron and
Tibshirani (1993, chapter 13), drawn over groups and not over items: entries of one group share
their text, so they are not independent.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

DRAWS = 1000
LEVEL = 0.95
DRAWN_AT_ONCE = 4_000_000  # group numbers in memory


class Measure(TypedDict, total=False):
    """A reported number; `value` and `count` are always there. Plain Python, ready for JSON."""

    value: float
    low: float  # 95 % bootstrap interval over groups
    high: float
    chance: float  # what one reaches who knows nothing
    count: int  # items


def measure_ratio(
    numerators: Sequence[float] | npt.NDArray[np.float64],
    groups: Sequence[str],
    *,
    denominators: Sequence[float] | npt.NDArray[np.float64] | None = None,
    chance: float | None = None,
    seed: int = 0,
) -> Measure:
    """Σ numerators / Σ denominators over items (the mean, without denominators), and its interval.

    `groups` names each item's group. With fewer than two groups there is no interval.

    Raises:
        ValueError: there are no items, or the denominators sum to 0.
    """
    upper = np.asarray(numerators, dtype=np.float64)
    lower = np.ones(len(upper)) if denominators is None else np.asarray(denominators, np.float64)
    if not lower.sum():
        raise ValueError("a ratio of nothing")
    measure = Measure(value=float(upper.sum() / lower.sum()), count=len(upper))
    names, members = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) > 1:
        sums = np.zeros((len(names), 2))
        np.add.at(sums, members, np.stack([upper, lower], axis=1))
        ratios = draw_ratios(sums, seed=seed)
        margin = (1 - LEVEL) / 2
        measure["low"], measure["high"] = np.quantile(ratios, [margin, 1 - margin]).tolist()
    if chance is not None:
        measure["chance"] = chance
    return measure


def draw_ratios(sums: npt.NDArray[np.float64], *, seed: int) -> npt.NDArray[np.float64]:
    """The ratio in each of `DRAWS` samples of groups, drawn with replacement; sums is [groups, 2].

    A sample whose denominators sum to 0 has no ratio and is left out.
    """
    random = np.random.default_rng(seed)
    size, drawn = len(sums), []
    at_once = max(1, DRAWN_AT_ONCE // size)
    for start in range(0, DRAWS, at_once):
        samples = min(at_once, DRAWS - start)
        chosen = random.integers(size, size=(samples, size))
        drawn.append(sums[chosen].sum(axis=1))
    totals = np.concatenate(drawn)
    totals = totals[totals[:, 1] != 0]
    ratios: npt.NDArray[np.float64] = totals[:, 0] / totals[:, 1]
    return ratios
