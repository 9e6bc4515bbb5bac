"""Ratios are those of the sums, and their intervals those of a bootstrap over groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.evaluation.measure import draw_ratios, measure_ratio


def test_a_ratio_of_sums_by_hand():
    measure = measure_ratio([6, 2], ["甲", "甲"], denominators=[1, 3], chance=0.25)
    assert measure == {"value": 2.0, "count": 2, "chance": 0.25}  # one group has no interval


def test_without_denominators_it_is_the_mean():
    assert measure_ratio([1, 0, 0, 1], list("甲乙丙丁"))["value"] == 0.5


def test_the_interval_of_many_coins_is_the_binomial_one():
    hits = np.random.default_rng(1).random(2000) < 0.3
    measure = measure_ratio(hits.astype(float), [str(i) for i in range(2000)])
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 2000)
    assert measure["low"] == pytest.approx(hits.mean() - half, abs=0.004)
    assert measure["high"] == pytest.approx(hits.mean() + half, abs=0.004)


def test_items_of_one_group_are_drawn_together():
    values = [1.0] * 50 + [0.0] * 50
    alone = measure_ratio(values, [str(i) for i in range(100)])
    together = measure_ratio(values, ["甲"] * 50 + ["乙"] * 50)
    assert together["value"] == alone["value"]
    assert together["low"] == 0.0
    assert together["high"] == 1.0
    assert alone["high"] - alone["low"] < 0.3


def test_a_seed_gives_the_same_interval():
    values, groups = np.random.default_rng(0).random(40), [str(i) for i in range(40)]
    assert measure_ratio(values, groups, seed=3) == measure_ratio(values, groups, seed=3)
    assert measure_ratio(values, groups, seed=3) != measure_ratio(values, groups, seed=4)


def test_drawing_in_parts_changes_nothing(monkeypatch):
    sums = np.random.default_rng(0).random((30, 2))
    whole = draw_ratios(sums, seed=0)
    monkeypatch.setattr("hf_zh_dict.evaluation.measure.DRAWN_AT_ONCE", 700)
    np.testing.assert_array_equal(draw_ratios(sums, seed=0), whole)


def test_a_ratio_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        measure_ratio([], [])


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("甲乙丙丁戊")), min_size=1, max_size=30))
def test_an_interval_lies_within_the_values(items):
    measure = measure_ratio([value for value, _group in items], [group for _value, group in items])
    if "low" in measure:
        values = [value for value, _group in items]
        assert min(values) - 1e-9 <= measure["low"] <= measure["high"] <= max(values) + 1e-9
