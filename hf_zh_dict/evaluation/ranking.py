"""Ranks of the right answers in, measures of them out, each beside what guessing reaches."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hf_zh_dict.evaluation.measure import DRAWS, LEVEL, Measure, measure_ratio

Floats = npt.NDArray[np.float64]


def rank_of(costs: Floats, right: int) -> float:
    """The place of the right answer when the cheapest comes first; of equal ones the middle place."""
    cheaper = int((costs < costs[right]).sum())
    equal = int((costs == costs[right]).sum())
    return cheaper + (equal + 1) / 2


def measure_ranks(
    ranks: Sequence[float],
    groups: Sequence[str],
    *,
    choices: int,
    places: Sequence[int],
    median: bool = False,
    seed: int,
) -> dict[str, Measure]:
    """Accuracy at some places, mean reciprocal rank, and the median rank when asked for.

    One who guesses is right at place k with k/choices, and has the mean reciprocal rank
    Σ 1/i / choices and the median rank (choices + 1)/2.
    """
    found = np.asarray(ranks, dtype=np.float64)
    measures = {
        f"accuracy@{place}": measure_ratio(
            (found < place + 0.75).astype(np.float64), groups, chance=place / choices, seed=seed
        )
        for place in places
        if place < choices
    }
    harmonic = float((1 / np.arange(1, choices + 1)).sum()) / choices
    measures["mrr"] = measure_ratio(1 / found, groups, chance=harmonic, seed=seed)
    if median:
        measures["median_rank"] = measure_median(found, groups, (choices + 1) / 2, seed=seed)
    return measures


def measure_median(values: Floats, groups: Sequence[str], chance: float, *, seed: int) -> Measure:
    """The median, and its interval by drawing groups."""
    measure = Measure(value=float(np.median(values)), count=len(values), chance=chance)
    names, members = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) > 1:
        of_group = [values[members == number] for number in range(len(names))]
        random = np.random.default_rng(seed)
        drawn = random.integers(len(names), size=(DRAWS, len(names)))
        medians = [np.median(np.concatenate([of_group[i] for i in row])) for row in drawn.tolist()]
        margin = (1 - LEVEL) / 2
        measure["low"], measure["high"] = np.quantile(medians, [margin, 1 - margin]).tolist()
    return measure
