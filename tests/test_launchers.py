"""Signals as schedulers send them, through each launcher: saved, and ended with the known code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.building import ensure_blocks
from hf_zh_dict.records import read_rows
from hf_zh_dict.settings import load_config
from hf_zh_dict.training.checkpoint import find_damage, list_checkpoints

ROOT = Path(__file__).parent.parent
SETTINGS = {
    "tokenizer.vocab_size": 300, "blocks.block_size": 32, "model.hidden_size": 16,
    "model.num_hidden_layers": 1, "model.num_attention_heads": 2, "train.max_steps": 100_000,
    "train.eval_steps": 100_000, "train.save_steps": 100_000, "train.logging_steps": 1,
    "train.max_eval_documents": 2, "train.num_samples": 0, "train.per_device_batch_size": 2,
    "train.compile": False,
}  # fmt: skip
COMMANDS = {
    "hf-zh-dict": ["-m", "hf_zh_dict", "train"],
    "accelerate launch": ["-m", "accelerate.commands.accelerate_cli", "launch", "--cpu",
                          "--num_processes", "1", "train.py"],
    "torchrun": ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
                 "--signals-to-handle", "SIGTERM,SIGINT,SIGHUP,SIGUSR1", "train.py"],
}  # fmt: skip


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    paths = RunPaths(tmp_path_factory.mktemp("stages"))
    ensure_blocks(load_config(overrides=SETTINGS), paths, print)
    return paths


@pytest.fixture
def launched(stages, tmp_path):
    """Start training through a launcher, in a process group of its own; waits for some steps."""
    paths = RunPaths(tmp_path / "run")
    paths.root.mkdir()
    for stage in ("corpus", "tokenizer", "blocks"):
        (paths.root / stage).symlink_to(stages.root / stage)
    options = ["--output-dir", str(paths.root), "--train.report-to"]
    for key, value in SETTINGS.items():
        options += [f"--{key}", str(value)]
    started = []

    def launch(launcher, *more, rows=3):
        environment = {**os.environ, "ACCELERATE_USE_CPU": "1", "HF_ZH_DICT_LANG": "en"}
        with (tmp_path / "log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, *COMMANDS[launcher], *options, *more], cwd=ROOT, env=environment,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        wait_for(lambda: len(read_rows(paths.metrics)) > rows or process.poll() is not None)
        return process, paths

    launch.said = lambda: (tmp_path / "log").read_text(encoding="utf-8")
    yield launch
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("launcher", "send", "number", "codes"),
    [
        ("hf-zh-dict", os.killpg, signal.SIGUSR1, {138}),
        ("hf-zh-dict", os.kill, signal.SIGINT, {130}),
        ("torchrun", os.killpg, signal.SIGTERM, {1}),
        ("torchrun", os.kill, signal.SIGUSR1, {1}),
        ("accelerate launch", os.killpg, signal.SIGTERM, {-15}),
        ("accelerate launch", os.kill, signal.SIGTERM, {-15}),
        ("accelerate launch", os.killpg, signal.SIGINT, {1, -2}),
    ],
)
def test_a_signal_saves_through_every_launcher(launched, launcher, send, number, codes):
    process, paths = launched(launcher)
    send(process.pid, number)
    assert process.wait(timeout=60) in codes
    # `accelerate launch` dies first: training saves behind it
    wait_for(lambda: "and saved; go on with --resume" in launched.said())
    (step,) = list_checkpoints(paths)
    assert step >= 3
    assert find_damage(paths.checkpoint(step)) == ""


def test_a_second_ctrl_c_quits_at_once(launched):
    """In the midst of an evaluation that takes long."""
    long = ["--train.num-samples", "50", "--train.max-eval-documents", "0",
            "--model.hidden-size", "512", "--model.num-hidden-layers", "8",
            "--model.max-position-embeddings", "1024"]  # fmt: skip
    process, paths = launched("hf-zh-dict", *long, rows=0)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.7)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert list_checkpoints(paths) == []


def test_one_process_of_several_is_enough(launched):
    """A scheduler that signals a single process: all of them save, at the same step."""
    process, paths = launched("torchrun")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    assert len(children) == 2
    os.kill(int(children[1]), signal.SIGUSR1)
    assert process.wait(timeout=60) == 1
    assert "and saved; go on with --resume" in launched.said()
    (step,) = list_checkpoints(paths)
    assert find_damage(paths.checkpoint(step)) == ""
