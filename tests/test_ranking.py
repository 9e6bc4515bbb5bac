"""Ranks, and what guessing reaches."""

import numpy as np
import pytest

from hf_zh_dict.evaluation.ranking import measure_ranks, rank_of


def test_the_cheapest_is_first_and_equal_ones_share_the_middle():
    assert rank_of(np.array([3.0, 1.0, 2.0]), 1) == 1
    assert rank_of(np.array([3.0, 1.0, 2.0]), 0) == 3
    assert rank_of(np.array([2.0, 2.0, 2.0, 9.0]), 2) == 2
    assert rank_of(np.array([2.0, 2.0, 9.0]), 0) == 1.5


def test_measures_by_hand():
    found = measure_ranks(
        [1, 2, 4, 11], list("abcd"), choices=20, places=(1, 10), median=True, seed=0
    )
    assert found["accuracy@1"]["value"] == 0.25
    assert found["accuracy@10"]["value"] == 0.75
    assert found["mrr"]["value"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 11) / 4)
    assert found["median_rank"]["value"] == 3
    assert found["median_rank"]["low"] <= 3 <= found["median_rank"]["high"]


def test_guessing_reaches_the_chance_level():
    random = np.random.default_rng(0)
    ranks = [rank_of(random.random(10), 0) for _item in range(20_000)]
    groups = [str(number) for number in range(20_000)]
    found = measure_ranks(ranks, groups, choices=10, places=(1, 3), median=True, seed=0)
    for measure in found.values():
        assert measure["value"] == pytest.approx(measure["chance"], rel=0.05, abs=0.51)
    assert found["accuracy@1"]["value"] == pytest.approx(0.1, abs=0.01)
    assert found["mrr"]["value"] == pytest.approx(found["mrr"]["chance"], abs=0.01)
