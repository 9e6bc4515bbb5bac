"""The learning rate is a pure function of the step, and keeps to its shape."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.training.schedule import learning_rate_at

PEAK = {"learning_rate": 1e-3, "min_learning_rate": 1e-4, "warmup_steps": 9, "max_steps": 109}
KINDS = ("cosine", "linear", "constant", "constant_with_warmup", "warmup_stable_decay")
RISE = [(0, 1e-4), (4, 5e-4), (8, 9e-4), (9, 1e-3)]  # nine steps rise, the next is at the top


@pytest.mark.parametrize(
    ("kind", "rates"),
    [
        (
            "cosine",
            [
                *RISE,
                (34, 1e-4 + 9e-4 * (1 + math.sqrt(0.5)) / 2),
                (59, 5.5e-4),
                (84, 1e-4 + 9e-4 * (1 - math.sqrt(0.5)) / 2),
                (109, 1e-4),
                (1000, 1e-4),
            ],
        ),
        ("linear", [*RISE, (34, 7.75e-4), (59, 5.5e-4), (99, 1.9e-4), (109, 1e-4), (1000, 1e-4)]),
        ("constant", [(0, 1e-3), (9, 1e-3), (109, 1e-3), (1000, 1e-3)]),
        ("constant_with_warmup", [*RISE, (59, 1e-3), (109, 1e-3), (1000, 1e-3)]),
        (
            "warmup_stable_decay",
            [*RISE, (50, 1e-3), (84, 1e-3), (89, 8.2e-4), (104, 2.8e-4), (109, 1e-4), (1000, 1e-4)],
        ),
    ],
)
def test_the_learning_rate_at_key_steps(kind, rates):
    config = TrainConfig(**PEAK, lr_scheduler_type=kind, decay_steps=25)
    for step, rate in rates:
        assert learning_rate_at(step, config) == pytest.approx(rate), step


def test_cosine_is_what_is_not_asked_for():
    assert TrainConfig().lr_scheduler_type == "cosine"


@pytest.mark.parametrize(
    ("decay_steps", "steps"),
    [(0.2, 200), (0, 0), (0.999, 999), (1, 1), (30, 30), (5000, 1000), (1e300, 1000)],
)
def test_the_fall_is_given_in_steps_or_as_a_share_of_all(decay_steps, steps):
    assert TrainConfig(max_steps=1000, decay_steps=decay_steps).num_decay_steps == steps


def test_a_fall_longer_than_what_is_left_begins_at_the_top():
    config = TrainConfig(
        learning_rate=1,
        warmup_steps=4,
        max_steps=14,
        decay_steps=12,
        lr_scheduler_type="warmup_stable_decay",
    )
    rates = [learning_rate_at(step, config) for step in range(15)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, *(1 - i / 10 for i in range(11))])


def test_a_run_is_prolonged_without_a_trace_before_the_fall():
    short, long = (
        TrainConfig(max_steps=steps, decay_steps=20, lr_scheduler_type="warmup_stable_decay")
        for steps in (200, 400)
    )
    for step in range(180):
        assert learning_rate_at(step, short) == learning_rate_at(step, long)
    assert learning_rate_at(190, short) < learning_rate_at(190, long)


@pytest.mark.parametrize("kind", KINDS)
def test_without_warm_up_it_starts_at_the_top(kind):
    config = TrainConfig(learning_rate=2e-3, warmup_steps=0, lr_scheduler_type=kind)
    assert learning_rate_at(0, config) == 2e-3


@pytest.mark.parametrize("kind", ["cosine", "linear", "warmup_stable_decay"])
def test_the_last_update_still_learns(kind):
    config = TrainConfig(
        learning_rate=1e-3, max_steps=100, warmup_steps=10, decay_steps=50, lr_scheduler_type=kind
    )
    assert 0 < learning_rate_at(99, config) < 3e-5
    assert learning_rate_at(100, config) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_shows_these_rates(kind):
    page = (Path(__file__).parent.parent / "docs" / "optimisation.md").read_text(encoding="utf-8")
    table = page.split("| 步 step |")[1].split("\n\n")[0]
    steps, *rows = (line.strip(" |").split("|") for line in table.splitlines() if "---" not in line)
    shown = {name.strip(" `"): rates for name, *rates in rows}
    config = TrainConfig(learning_rate=1, warmup_steps=100, max_steps=1000, lr_scheduler_type=kind)
    rates = [f"{learning_rate_at(int(step), config):.3f}" for step in steps]
    assert [rate.strip() for rate in shown[kind]] == rates


@st.composite
def schedules(draw):
    peak = draw(st.floats(0, 10, allow_subnormal=False))
    return TrainConfig(
        learning_rate=peak,
        min_learning_rate=draw(st.floats(0, peak)),
        warmup_steps=draw(st.integers(0, 60)),
        max_steps=draw(st.integers(1, 100)),
        lr_scheduler_type=draw(st.sampled_from(KINDS)),
        decay_steps=draw(st.floats(0, 0.999) | st.integers(1, 120)),
    )


@given(config=schedules())
def test_it_rises_then_falls_and_never_passes_its_bounds(config):
    rates = [learning_rate_at(step, config) for step in range(200)]
    rounding = 1e-12 * config.learning_rate
    rising, falling = rates[: config.warmup_steps + 1], rates[config.warmup_steps :]
    assert all(later >= earlier - rounding for earlier, later in pairwise(rising))
    assert all(later <= earlier + rounding for earlier, later in pairwise(falling))
    assert max(rates) <= config.learning_rate + rounding
    assert min(falling) >= config.min_learning_rate - rounding
    assert rates[0] >= config.learning_rate / (config.warmup_steps + 1) - rounding


@given(config=schedules())
def test_it_has_no_jump(config):
    """No step is steeper than its stretch: a straight line, or half a cosine (π/2 times that)."""
    fall = config.max_steps - config.warmup_steps
    if config.lr_scheduler_type == "warmup_stable_decay":
        fall = min(fall, config.num_decay_steps)
    steepest = config.learning_rate * max(1 / (config.warmup_steps + 1), math.pi / 2 / max(1, fall))
    rates = [learning_rate_at(step, config) for step in range(200)]
    for earlier, later in pairwise(rates):
        assert abs(later - earlier) <= steepest * (1 + 1e-9)


@given(config=schedules(), steps=st.lists(st.integers(0, 200), min_size=1))
def test_it_depends_on_the_step_alone(config, steps):
    straight = {step: learning_rate_at(step, config) for step in sorted(steps)}
    assert {step: learning_rate_at(step, config) for step in steps} == straight
