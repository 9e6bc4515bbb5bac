"""Training learns the same however its steps are divided, and whether or not it was stopped."""

import dataclasses
import itertools
import json
import os
import re
import signal

import pytest
import torch
from safetensors.torch import load_file

from hf_zh_dict import pipeline
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import Progress
from hf_zh_dict.records import read_rows
from hf_zh_dict.settings import load_config
from hf_zh_dict.training import launch
from hf_zh_dict.training.checkpoint import list_checkpoints
from hf_zh_dict.training.update import Updater

TINY = {
    "tokenizer.vocab_size": 400,
    "blocks.block_size": 64,
    "model.hidden_size": 32,
    "model.num_hidden_layers": 2,
    "model.num_attention_heads": 2,
    "train.max_steps": 8,
    "train.eval_steps": 4,
    "train.save_steps": 4,
    "train.logging_steps": 3,
    "train.per_device_batch_size": 4,
    "train.learning_rate": 3e-3,
    "train.warmup_steps": 2,
    "train.num_samples": 1,
    "train.max_eval_documents": 5,
    "train.use_cpu": True,
    "train.cpu_threads": 1,
    "train.report_to": (),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with corpus, tokenizer and blocks of the embedded dictionary."""
    paths = RunPaths(tmp_path_factory.mktemp("prepared"))
    pipeline.ensure_blocks(load_config(overrides=TINY), paths, print)
    return paths


@pytest.fixture
def train(prepared, tmp_path):
    """Train with some settings changed, in a folder of its own; returns the folder."""

    def run(name, *, resume=False, **changed):
        paths = RunPaths(tmp_path / name)
        paths.root.mkdir(exist_ok=True)
        for stage in ("corpus", "tokenizer", "blocks"):
            link = paths.root / stage
            if not link.exists():
                link.symlink_to(prepared.root / stage)
        settings = {key.replace("__", "."): value for key, value in changed.items()}
        config = load_config(overrides=TINY | settings)
        code = pipeline.run_training(config, paths, print, resume=resume, overwrite=False)
        return dataclasses.replace(paths), code

    return run


def weights(paths, step):
    return load_file(paths.checkpoint(step) / "model.safetensors")


def losses(paths):
    return [row["loss"] for row in read_rows(paths.metrics) if "loss" in row]


def test_eight_micro_batches_of_one_are_one_batch_of_eight(train):
    whole, _ = train("whole", train__per_device_batch_size=8)
    parts, _ = train("parts", train__per_device_batch_size=1, train__gradient_accumulation_steps=8)
    assert losses(whole) == pytest.approx(losses(parts), rel=1e-5)
    for name, tensor in weights(whole, 8).items():
        torch.testing.assert_close(weights(parts, 8)[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_batch_that_does_not_fit_is_divided_said_and_learns_the_same(train, monkeypatch, capsys):
    whole, _ = train("whole", train__per_device_batch_size=8)
    loss = Updater.loss

    def tight(self, batch):
        if len(batch.inputs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")
        return loss(self, batch)

    monkeypatch.setattr(Updater, "loss", tight)
    capsys.readouterr()
    divided, _ = train("divided", train__per_device_batch_size=8)
    said = capsys.readouterr().out
    assert "train.per_device_batch_size is 2, train.gradient_accumulation_steps 4" in said
    assert losses(whole) == pytest.approx(losses(divided), rel=1e-5)


def test_memory_that_runs_out_later_is_one_sentence_with_the_way_on(train, monkeypatch):
    def full(*_arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")

    monkeypatch.setattr(Updater, "update", full)
    with pytest.raises(InputError, match=r"^memory ran out during training; go on with --resume"):
        train("full")


def test_the_micro_batches_of_that_test_hold_very_different_numbers_of_targets(prepared):
    from hf_zh_dict.tokens.blocks import IGNORED, load_blocks
    from hf_zh_dict.training.stream import BlockStream

    stream = BlockStream(load_blocks(prepared.blocks), seed=0)
    counts = [
        int((batch.labels != IGNORED).sum())
        for _step in range(40)
        for batch in stream.next_step(batch_size=1, accumulation=8, rank=0, world_size=1)
    ]
    assert min(counts) < 0.8 * max(counts)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_stopped_and_resumed_run_equals_the_unbroken_one(train, monkeypatch, optimizer):
    changed = {"model__dropout": 0.1, "train__optimizer": optimizer}
    unbroken, code = train("unbroken", **changed)
    assert code == 0

    update = Updater.update
    steps = itertools.count()

    def interrupted(self, *arguments):
        if next(steps) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, *arguments)

    monkeypatch.setattr(Updater, "update", interrupted)
    stopped, code = train("stopped", **changed)
    assert code == 130
    assert list_checkpoints(stopped) == [4, 5]

    monkeypatch.setattr(Updater, "update", update)
    resumed, code = train("stopped", resume=True, **changed)
    assert code == 0
    for name, tensor in weights(unbroken, 8).items():
        assert torch.equal(weights(resumed, 8)[name], tensor), name
    timing = {"tokens_per_second", "seconds", "memory_gigabytes"}
    rows = [
        [{k: v for k, v in row.items() if k not in timing} for row in read_rows(run.metrics)]
        for run in (unbroken, resumed)
    ]
    assert rows[0] == rows[1]
    assert read_rows(unbroken.samples) == read_rows(resumed.samples)


def test_a_run_leaves_exactly_these_files(train):
    paths, _ = train("files")
    found = sorted(
        str(path.relative_to(paths.root)) for path in paths.root.rglob("*") if path.is_file()
    )
    stages = ("corpus/", "tokenizer/", "blocks/")
    assert [name for name in found if not name.startswith(stages)] == [
        "baselines/validation/stage.json",
        *(
            f"checkpoints/step-00000{step}/{name}"
            for step in (4, 8)
            for name in ("model.safetensors", "optimizer.pt", "random-0.pt", "state.json")
        ),
        "config.yaml",
        "curve.png",
        "metrics.jsonl",
        *(
            f"model/{name}"
            for name in (
                "config.json",
                "generation_config.json",
                "model.safetensors",
                "tokenizer.json",
                "tokenizer_config.json",
            )
        ),
        "samples.jsonl",
    ]


def test_metrics_hold_training_and_evaluation_rows(train):
    paths, _ = train("metrics")
    rows = read_rows(paths.metrics)
    evaluations = [row for row in rows if "validation_loss" in row]
    assert [row["step"] for row in evaluations] == [0, 4, 8]
    for name in ("bits_per_char", "bits_per_byte", "perplexity"):
        assert all(row[f"validation_{name}"] > 0 for row in evaluations)
    training = [row for row in rows if "loss" in row]
    assert [row["step"] for row in training] == [3, 6]
    assert all(row["tokens_per_second"] > 0 and row["learning_rate"] > 0 for row in training)
    assert all(0.05 < row["memory_gigabytes"] < 50 for row in training)
    assert evaluations[-1]["validation_loss"] < evaluations[0]["validation_loss"]


def test_the_saved_model_is_the_best_one(train):
    paths, _ = train("best", train__learning_rate=3.0, train__max_grad_norm=0)
    rows = [row for row in read_rows(paths.metrics) if "validation_loss" in row]
    best = min(rows, key=lambda row: row["validation_bits_per_char"])
    state = json.loads((paths.checkpoint(8) / "state.json").read_text())["state"]
    assert state["best_step"] == best["step"] == 0
    saved, last = load_file(paths.model / "model.safetensors"), weights(paths, 8)
    assert not torch.equal(saved["model.norm.weight"], last["model.norm.weight"])


def test_only_the_newest_checkpoints_are_kept(train):
    paths, _ = train("kept", train__save_steps=2, train__save_total_limit=2)
    assert list_checkpoints(paths) == [6, 8]


def test_the_progress_says_loss_bits_speed_memory_and_the_time_left(train, monkeypatch):
    lines = []
    advance = Progress.advance

    def noted(self, *arguments, **options):
        advance(self, *arguments, **options)
        lines.append(self.line())

    monkeypatch.setattr(Progress, "advance", noted)
    train("told", train__logging_steps=1)
    number = r"[\d,.]+"
    expected = (
        rf"training  7/8  {number} bits per character  loss {number}  {number} tokens/s"
        rf"  {number} GB  \d+:\d\d left"
    )
    assert [line for line in lines if re.fullmatch(expected, line)]


def test_tensorboard_gets_what_the_metrics_have(train):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    paths, _ = train("board", train__report_to=("tensorboard",))
    events = EventAccumulator(str(paths.trackers / "training"))
    events.Reload()
    for key in ("loss", "learning_rate", "validation_bits_per_char"):
        rows = [row for row in read_rows(paths.metrics) if key in row]
        scalars = events.Scalars(key)
        assert [scalar.step for scalar in scalars] == [row["step"] for row in rows]
        values = [row[key] for row in rows]
        assert [scalar.value for scalar in scalars] == pytest.approx(values, rel=1e-6)


def test_cores_are_shared_among_the_processes_of_a_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(6)), raising=False)
    assert launch.share_of_cores() == 6
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert launch.share_of_cores() == 1
