"""Rows of `metrics.jsonl` in, curves of a training out: places in percent, for the macro `lines`."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hf_zh_dict.sharing.measure_names import MODEL_NAMES
from hf_zh_dict.sharing.page import format_count
from hf_zh_dict.sharing.run_facts import BITS, RunFacts

POINTS = 400  # of a series that are drawn
TICKS = 6  # of an axis, at most
BASELINE_TONES = {"character_5gram": 3, "character_bigram": 2, "xz": 4}

Chart = dict[str, Any]
Point = tuple[float, float]


def draw_training(facts: RunFacts) -> list[Chart]:
    """Bits by step beside the simple models, losses by step, learning rate, speed."""
    known = {name: facts.baselines[name] for name in BASELINE_TONES if name in facts.baselines}
    charts = [
        draw_curves(
            "驗證集的每字位元數", "Validation bits per character, by step",
            [("這個模型", 1, read_points(facts.evaluations, BITS), True)],
            levels={
                f"{MODEL_NAMES[name]} {bits:.3f}": (BASELINE_TONES[name], bits)
                for name, bits in known.items()
            },
        ),
        draw_curves(
            "損失（每 token，自然對數）", "Loss, nats per token, by step",
            [
                ("訓練 train", 2, read_points(facts.training, "loss"), False),
                ("驗證 validation", 1, read_points(facts.evaluations, "validation_loss"), True),
            ],
        ),
        draw_curves(
            "學習率", "Learning rate, by step",
            [("學習率", 1, read_points(facts.training, "learning_rate"), False)],
        ),
        draw_curves(
            "每秒 token 數", "Tokens per second, by step",
            [("每秒 token 數", 1, read_points(facts.training, "tokens_per_second"), False)],
            from_zero=True,
        ),
    ]  # fmt: skip
    return [chart for chart in charts if chart]


def read_points(rows: Sequence[Mapping[str, Any]], name: str) -> list[Point]:
    """(step, number) of the rows that have the number, evenly chosen where there are many."""
    points = [(float(row["step"]), float(row[name])) for row in rows if name in row]
    if len(points) <= POINTS:
        return points
    return [points[round(i * (len(points) - 1) / (POINTS - 1))] for i in range(POINTS)]


def draw_curves(
    title: str,
    english: str,
    series: Sequence[tuple[str, int, list[Point], bool]],
    *,
    levels: Mapping[str, tuple[int, float]] | None = None,
    from_zero: bool = False,
) -> Chart:
    """A chart of (name, tone, points, with dots) on one scale; empty without any finite number."""
    levels = levels or {}
    numbers = [y for _name, _tone, points, _dots in series for _x, y in points if math.isfinite(y)]
    if not numbers:
        return {}
    numbers += [y for _tone, y in levels.values()]
    y_ticks = choose_ticks(0.0 if from_zero else min(numbers), max(numbers))
    low, high = y_ticks[0], max(y_ticks[-1], *numbers)
    last = max(x for _name, _tone, points, _dots in series for x, _y in points)

    def place(y: float) -> float:
        return round(100 * (y - low) / ((high - low) or 1), 2)

    return {
        "title": title,
        "english": english,
        "series": [
            {
                "tone": tone, "dots": dots,
                "lines": [
                    [(round(100 * x / (last or 1), 2), place(y)) for x, y in piece]
                    for piece in split_at_gaps(points)
                ],
            }
            for _name, tone, points, dots in series
        ],
        "levels": [{"tone": tone, "y": place(y)} for tone, y in levels.values()],
        "legend": [
            {"tone": tone, "name": name} for name, tone, points, _dots in series if points
        ] + [{"tone": tone, "name": name} for name, (tone, _y) in levels.items()],
        "x_ticks": [
            (round(100 * x / (last or 1), 2), format_count(round(x)))
            for x in choose_ticks(0.0, last) if x <= last and x == round(x)
        ],
        "y_ticks": [(place(y), f"{y:g}") for y in y_ticks if y <= high],
    }  # fmt: skip


def split_at_gaps(points: Sequence[Point]) -> list[list[Point]]:
    """The stretches of points that are numbers."""
    stretches = itertools.groupby(points, key=lambda point: math.isfinite(point[1]))
    return [list(stretch) for finite, stretch in stretches if finite]


def choose_ticks(low: float, high: float) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart: the last not above `low`, and on."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / TICKS))
    apart = next(power * step for step in (1, 2, 5, 10) if power * step * TICKS >= span)
    first = math.floor(low / apart)
    count = math.floor(high / apart) - first
    return [round((first + number) * apart, 12) for number in range(count + 1)]
