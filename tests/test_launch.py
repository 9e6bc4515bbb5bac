"""Trackers are there before training starts, and get what the metrics have; launch files are valid."""

import importlib.util
from pathlib import Path

import pytest
from test_cli import QUICK
from test_end_to_end import launch

from hf_zh_dict.cli import main
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.training.launch import check_trackers

LAUNCH_FILES = sorted((Path(__file__).parent.parent / "docs" / "launch").glob("*.yaml"))


def test_a_tracker_that_is_not_installed_is_said_before_anything_is_built(capsys, tmp_path):
    run = tmp_path / "run"
    assert main(["train", "--output-dir", str(run), *QUICK, "comet_ml"]) == 2
    captured = capsys.readouterr()
    assert captured.err.endswith(
        "train.report_to: the tracker comet_ml is not installed; pip install comet_ml, or leave it out.\n"
    )
    assert not run.exists()


def test_an_unknown_tracker_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"“tensorbord” \(did you mean “tensorboard”\?\); the "):
        check_trackers(["tensorbord"])
    check_trackers(["tensorboard"])
    check_trackers([])


def has(package):
    return importlib.util.find_spec(package) is not None


@pytest.mark.skipif(not has("wandb"), reason="wandb is not installed")
def test_wandb_offline_writes_into_the_run(tmp_path):
    paths = RunPaths(tmp_path / "run")
    launch(["train.py", "--output-dir", str(paths.root), *QUICK, "wandb"], WANDB_MODE="offline")
    assert list(paths.trackers.rglob("run-*.wandb"))


@pytest.mark.skipif(not has("trackio"), reason="trackio is not installed")
def test_trackio_keeps_the_run_on_this_machine(tmp_path):
    paths = RunPaths(tmp_path / "run")
    folder = tmp_path / "trackio"
    options = [*QUICK, "trackio", "--train.logging-steps", "1"]
    launch(["train.py", "--output-dir", str(paths.root), *options], TRACKIO_DIR=str(folder))
    assert [path.stat().st_size > 0 for path in folder.rglob("training*.db")] == [True]
