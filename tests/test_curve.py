"""The picture is a PNG with a line for the model and one for each baseline that is known."""

import json

import numpy as np
import pytest
from matplotlib import colors, image

from hf_zh_dict.sharing.curve import BASELINE_NAMES, draw_curve

MODEL = "#1f5f8b"
COLORS = dict(zip(BASELINE_NAMES, ("#b0b0b0", "#d08030", "#7a9a50"), strict=True))
BASELINES = {"character_bigram": 7.5, "character_5gram": 6.1, "xz": 5.8}
ROWS = [
    {"step": 0, "validation_bits_per_char": 9.0, "validation_loss": 6.9},
    *({"step": step, "loss": 6.9 - step / 40, "epoch": 0} for step in range(5, 100, 5)),
    {"step": 50, "validation_bits_per_char": 7.0, "validation_loss": 5.1},
    {"step": 100, "validation_bits_per_char": 6.0, "validation_loss": 4.1},
]


@pytest.fixture
def draw(tmp_path):
    """Draw some rows; returns the picture as numbers."""

    def draw(rows, baselines, more=""):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "metrics.jsonl").write_text(lines + more, encoding="utf-8")
        draw_curve(tmp_path / "metrics.jsonl", tmp_path / "curve.png", baselines=baselines)
        data = (tmp_path / "curve.png").read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        return image.imread(tmp_path / "curve.png")

    return draw


def count_pixels(picture, color):
    return int((np.abs(picture[..., :3] - colors.to_rgb(color)) < 0.02).all(axis=-1).sum())


def test_the_picture_has_the_model_and_its_baselines(draw):
    picture = draw(ROWS, BASELINES)
    assert picture.shape[:2] == (720, 960)
    assert count_pixels(picture, MODEL) > 500
    for color in COLORS.values():
        assert count_pixels(picture, color) > 100


@pytest.mark.parametrize("known", list(BASELINES))
def test_a_baseline_that_is_not_known_is_not_drawn(draw, known):
    picture = draw(ROWS, {known: BASELINES[known]})
    several = {name: count_pixels(picture, color) > 100 for name, color in COLORS.items()}
    assert several["character_5gram"] == (known == "character_5gram")
    assert several["xz"] == (known == "xz")


def test_the_picture_follows_the_numbers(draw):
    first = draw(ROWS, {})
    other = draw([*ROWS, {"step": 150, "validation_bits_per_char": 5.0}], {})
    assert first.shape == other.shape
    assert not np.array_equal(first, other)


def test_a_run_of_one_evaluation_has_a_picture_too(draw):
    assert count_pixels(draw(ROWS[:1], {}), MODEL) > 10


def test_a_last_line_that_a_killed_run_left_half_written_does_not_count(draw):
    whole = draw(ROWS, BASELINES)
    assert np.array_equal(draw(ROWS, BASELINES, more='{"step": 105, "lo'), whole)


def test_an_older_picture_is_replaced(draw, tmp_path):
    (tmp_path / "curve.png").write_bytes(b"old")
    draw(ROWS, BASELINES)
