"""A plan counts what can be counted, measures the rest, and says what speaks against a run."""

import dataclasses

import pytest
from test_cli import QUICK

from hf_zh_dict.cli import main
from hf_zh_dict.training.plan import Plan

GOOD = Plan(
    parameters=1_000_000, epoch_tokens=10_000_000, step_tokens=10_000.0, steps=2_500, dropout=0.0,
    batch_size=16, accumulation=2, processes=1, timed_steps=3, seconds_per_step=0.5,
    memory_gigabytes=1.0, seconds_per_evaluation=10.0, evaluations=6,
)  # fmt: skip


def warnings(**changed):
    return list(dataclasses.replace(GOOD, **changed).warnings())


def test_the_whole_run_follows_from_what_was_counted_and_measured():
    assert GOOD.epochs == 2.5
    assert GOOD.epoch_steps == 1000
    assert GOOD.tokens_per_second == 20_000
    assert GOOD.tokens_per_parameter == 25
    assert GOOD.hours == pytest.approx((2_500 * 0.5 + 60) / 3600)


def test_nothing_speaks_against_a_few_epochs_of_enough_text():
    assert warnings() == []
    assert warnings(steps=14_000, dropout=0.1) == []


def test_too_many_epochs_and_no_dropout_are_said_with_the_way_out():
    many, dropout = warnings(steps=20_000)
    assert many.startswith("20.0 epochs: ")
    assert "near 15 (train.max_steps 15,000)" in many
    assert dropout.startswith("20.0 epochs without dropout: ")
    assert warnings(steps=20_000, dropout=0.1) == [many]
    assert [dropout.replace("20.0", "5.0")] == warnings(steps=5_000)


def test_more_parameters_than_tokens_are_said():
    (overfits,) = warnings(parameters=20_000_000)
    assert overfits.startswith("0.50 tokens of text for each parameter: ")


def test_a_run_that_does_not_see_the_whole_text_is_too_short():
    share, _optimal = warnings(steps=300)
    assert share == ("too short: only 30% of the text is seen; one epoch is train.max_steps 1,000")


def test_a_run_far_from_the_best_use_of_its_parameters_is_too_short():
    (optimal,) = warnings(steps=1_500)
    assert optimal.startswith("too short: 15.0 tokens for each parameter; about 20 ")
    assert "(train.max_steps 2,000)" in optimal
    assert warnings(steps=1_500, parameters=3_000_000) == []  # the text would not last


def test_the_command_builds_stages_and_touches_nothing_else(capsys, tmp_path):
    run = tmp_path / "run"
    asked = ["--output-dir", str(run), *QUICK, "tensorboard", "--train.max-steps", "40"]
    assert main(["plan", "--steps", "2", *asked]) == 0
    out = capsys.readouterr().out
    assert sorted(path.name for path in run.iterdir()) == ["blocks", "corpus", "tokenizer"]
    for title in ("parameters", "tokens an epoch", "seconds a step", "whole run"):
        assert any(line.startswith(title) for line in out.splitlines()), title
    assert "measured here, in 2 steps" in out
    assert "8 blocks × 1 × 1 process(es)" in out
    assert "warning: too short: only " in out
    assert main(["train", *asked, "--train.max-steps", "1"]) == 0
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert main(["plan", "--steps", "1", *asked]) == 0
    assert main(["plan", "--steps", "1", *asked, "--model.hidden-size", "64"]) == 0
    capsys.readouterr()
    assert main(["plan", "--steps", "1", *asked, "--tokenizer.vocab-size", "410"]) == 2
    assert "holds a training of other data" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}


def test_no_steps_are_refused(capsys):
    assert main(["plan", "--steps", "0"]) == 2
    assert "--steps: must be at least 1." in capsys.readouterr().err
