"""Curves: every point at its place, gaps where numbers are missing, axes in round numbers."""

import pytest

from hf_zh_dict.sharing.run_facts import RunFacts
from hf_zh_dict.sharing.training_charts import (
    choose_ticks,
    draw_curves,
    draw_training,
    read_points,
    split_at_gaps,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (4.9, 9.04, [4, 5, 6, 7, 8, 9]),
        (0, 1300, [0, 500, 1000]),
        (0, 0.01, [0, 0.002, 0.004, 0.006, 0.008, 0.01]),
        (5, 5, [5]),
        (0, 0, [0]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert choose_ticks(low, high) == ticks


def test_a_curve_has_a_gap_where_there_is_no_number():
    points = [(0.0, 1.0), (1.0, NAN), (2.0, 3.0), (3.0, float("inf"))]
    assert split_at_gaps(points) == [[(0.0, 1.0)], [(2.0, 3.0)]]


def test_points_levels_and_ticks_share_one_scale():
    chart = draw_curves(
        "水", "water", [("甲", 1, [(0.0, 2.0), (50.0, NAN), (100.0, 8.0)], True)],
        levels={"乙 5.000": (3, 5.0)},
    )  # fmt: skip
    assert chart["series"] == [{"tone": 1, "dots": True, "lines": [[(0, 0)], [(100, 100)]]}]
    assert chart["levels"] == [{"tone": 3, "y": 50}]
    assert chart["legend"] == [{"tone": 1, "name": "甲"}, {"tone": 3, "name": "乙 5.000"}]
    assert chart["y_ticks"][0] == (0, "2")
    assert chart["x_ticks"][-1] == (100, "100")


def test_many_points_are_thinned_to_the_ends():
    points = read_points([{"step": step, "loss": step} for step in range(5001)], "loss")
    assert len(points) == 400
    assert (points[0], points[-1]) == ((0, 0), (5000, 5000))


def test_a_run_has_the_curves_that_its_rows_allow():
    assert draw_training(RunFacts("a")) == []
    blown = [{"step": 1, "validation_bits_per_char": NAN, "validation_loss": NAN}]
    assert draw_training(RunFacts("a", metrics=blown)) == []
    rows = [{"step": 0, "validation_bits_per_char": 9.0, "validation_loss": 8.0}]
    charts = draw_training(RunFacts("a", metrics=rows, baselines={"xz": 5.5}))
    assert [chart["title"] for chart in charts] == [
        "驗證集的每字位元數",
        "損失（每 token，自然對數）",
    ]
    assert charts[0]["legend"][1]["name"] == "xz 壓縮（先讀訓練集） 5.500"
