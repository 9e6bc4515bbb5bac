"""Trackers are there before training starts, and get what the metrics have; launch files are valid."""

import importlib.util
from pathlib import Path

import pytest
from test_cli import QUICK
from test_end_to_end import launch

from hf_zh_dict.cli import main
from hf_zh_dict.config import TrainConfig
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.training import launch as launch_room
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


@pytest.mark.parametrize(
    ("gpu", "quick", "use_cpu", "precision"),
    [
        (True, True, False, "bf16"),
        (True, False, False, "fp16"),
        (True, False, True, "no"),
        (False, True, False, "bf16"),
        (False, False, False, "no"),
    ],
)
def test_auto_is_the_precision_that_the_machine_is_made_for(
    monkeypatch, gpu, quick, use_cpu, precision
):
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)  # Accelerate leaves it behind
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    monkeypatch.setattr(launch_room, "multiplies_bfloat16", lambda _device: quick)
    config = TrainConfig(mixed_precision="auto", use_cpu=use_cpu)
    assert launch_room.choose_precision(config) == precision
    assert launch_room.choose_precision(TrainConfig(mixed_precision="bf16")) == "bf16"
    assert launch_room.choose_precision(TrainConfig()) == ""


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


def test_there_is_a_launch_file_for_each_kind_of_machine():
    assert [path.stem for path in LAUNCH_FILES] == ["ddp", "fsdp2", "one-gpu", "two-nodes"]
    page = (LAUNCH_FILES[0].parent.parent / "launch.md").read_text(encoding="utf-8")
    assert all(page.count(path.name) >= 2 for path in LAUNCH_FILES)  # in both languages


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.stem)
def test_accelerate_takes_the_launch_file(path):
    """As far as it goes without GPUs: the file is read, its arguments checked, the environment made."""
    from accelerate.commands import launch as launcher
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import prepare_multi_gpu_env, prepare_simple_launcher_cmd_env

    config = load_config_from_file(str(path))
    several = config.num_processes > 1
    machine = ["--machine_rank", "1", "--main_process_ip", "10.0.0.1"]
    argv = ["--config_file", str(path), *(machine if config.num_machines > 1 else []), "train.py"]
    arguments, _defaults, _precision = launcher._validate_launch_command(
        launcher.launch_command_parser().parse_args(argv)
    )
    assert arguments.num_processes == config.num_processes
    assert arguments.multi_gpu == (path.stem in ("ddp", "two-nodes"))
    assert arguments.use_fsdp == (path.stem == "fsdp2")
    if several:
        environment = prepare_multi_gpu_env(arguments)
    else:
        _command, environment = prepare_simple_launcher_cmd_env(arguments)
    assert environment["ACCELERATE_MIXED_PRECISION"] == "bf16"
    if config.num_machines > 1:
        assert (arguments.rdzv_endpoint, arguments.node_rank) == ("10.0.0.1:29500", 1)
        assert (arguments.nnodes, arguments.nproc_per_node) == ("2", "4")


def test_the_shards_of_the_launch_file_are_those_that_the_tests_train_with(monkeypatch):
    from accelerate.commands import launch as launcher
    from accelerate.utils import FullyShardedDataParallelPlugin, prepare_multi_gpu_env

    file = next(path for path in LAUNCH_FILES if path.stem == "fsdp2")
    arguments, _defaults, _precision = launcher._validate_launch_command(
        launcher.launch_command_parser().parse_args(["--config_file", str(file), "train.py"])
    )
    environment = prepare_multi_gpu_env(arguments)
    for name, value in environment.items():
        if name.startswith(("FSDP_", "ACCELERATE_")):
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.transformer_cls_names_to_wrap == ["LlamaDecoderLayer"]
    assert not plugin.cpu_ram_efficient_loading
    assert not plugin.activation_checkpointing
