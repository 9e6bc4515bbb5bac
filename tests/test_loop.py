"""Training learns the same however its steps are divided, and whether or not it was stopped."""

import dataclasses
import itertools
import json
import math
import os
import re
import shutil
import signal
import time

import pytest
import torch
from safetensors.torch import load_file

from hf_zh_dict.evaluation.scoring import Score
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.building import ensure_blocks
from hf_zh_dict.pipeline.training import run_training
from hf_zh_dict.progress import Progress
from hf_zh_dict.records import read_rows
from hf_zh_dict.settings import load_config
from hf_zh_dict.tokens.blocks import Blocks
from hf_zh_dict.training import checkpoint, launch
from hf_zh_dict.training.checkpoint import list_checkpoints, read_state
from hf_zh_dict.training.judge import Judge
from hf_zh_dict.training.loop import Trainer
from hf_zh_dict.training.signals import StopRequest
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
    ensure_blocks(load_config(overrides=TINY), paths, print)
    return paths


@pytest.fixture
def train(prepared, tmp_path):
    """Train with some settings changed, in a folder of its own; returns the folder."""
    return trains_in(prepared, tmp_path)


@pytest.fixture(scope="module")
def unbroken(prepared, tmp_path_factory):
    """The folder of a run that nothing stopped; each is made once."""
    train, done = trains_in(prepared, tmp_path_factory.mktemp("unbroken")), {}

    def run(**changed):
        key = repr(sorted(changed.items()))
        if key not in done:
            done[key], code = train(str(len(done)), **changed)
            assert code == 0
        return done[key]

    return run


def trains_in(prepared, folder):
    def run(name, *, resume=False, **changed):
        paths = RunPaths(folder / name)
        paths.root.mkdir(exist_ok=True)
        for stage in ("corpus", "tokenizer", "blocks"):
            link = paths.root / stage
            if not link.exists():
                link.symlink_to(prepared.root / stage)
        settings = {key.replace("__", "."): value for key, value in changed.items()}
        config = load_config(overrides=TINY | settings)
        code = run_training(config, paths, print, resume=resume, overwrite=False)
        return dataclasses.replace(paths), code

    return run


def weights(paths, step, file="model.safetensors"):
    return load_file(paths.checkpoint(step) / file)


def losses(paths):
    return [row["loss"] for row in read_rows(paths.metrics) if "loss" in row]


def without_timings(rows):
    """What rows say of the training itself, which no stop may change."""
    timings = {"tokens_per_second", "seconds", "save_seconds", "memory_gigabytes"}
    said = [{k: v for k, v in row.items() if k not in timings} for row in rows]
    return [row for row in said if row.keys() != {"step"}]


def assert_equal_runs(one, other, step=8):
    """Weights, best weights, metrics but for timings, and samples: bit for bit."""
    for file in (lambda p: p.checkpoint(step), lambda p: p.model):
        theirs = load_file(file(other) / "model.safetensors")
        for name, tensor in load_file(file(one) / "model.safetensors").items():
            assert torch.equal(theirs[name], tensor), name
    assert without_timings(read_rows(one.metrics)) == without_timings(read_rows(other.metrics))
    assert read_rows(one.samples) == read_rows(other.samples)


@pytest.fixture
def stop_at(monkeypatch):
    """The n-th time that something of a class is called, a signal comes first."""

    def arm(owner, name, number, signal_number=signal.SIGINT):
        call, calls = getattr(owner, name), itertools.count(1)

        def interrupted(*arguments, **options):
            if next(calls) == number:
                os.kill(os.getpid(), signal_number)
            return call(*arguments, **options)

        monkeypatch.setattr(owner, name, interrupted)
        return lambda: monkeypatch.setattr(owner, name, call)

    return arm


def test_eight_micro_batches_of_one_are_one_batch_of_eight(train):
    whole, _ = train("whole", train__per_device_batch_size=8)
    parts, _ = train("parts", train__per_device_batch_size=1, train__gradient_accumulation_steps=8)
    assert losses(whole) == pytest.approx(losses(parts), rel=1e-5)
    for name, tensor in weights(whole, 8).items():
        torch.testing.assert_close(weights(parts, 8)[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_batch_that_does_not_fit_is_divided_said_and_learns_the_same(train, monkeypatch, capsys):
    whole, _ = train("whole", train__per_device_batch_size=8)
    loss = Updater.loss

    def tight(self, batch, **options):
        if len(batch.inputs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")
        return loss(self, batch, **options)

    monkeypatch.setattr(Updater, "loss", tight)
    capsys.readouterr()
    divided, _ = train("divided", train__per_device_batch_size=8)
    said = capsys.readouterr().out
    assert "train.per_device_batch_size is 2, train.gradient_accumulation_steps 4" in said
    assert losses(whole) == pytest.approx(losses(divided), rel=1e-5)


def test_memory_that_runs_out_later_is_one_sentence_with_the_way_on(train, monkeypatch):
    def full(*_arguments, **_options):
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


@pytest.fixture
def poison(monkeypatch):
    """Make the gradient of some steps not finite, as it is when it is clipped."""

    def spoil(*steps, of="gradient"):
        update, clip, forward = Updater.update, Updater.clip_gradients, LanguageModelLoss.forward
        now = [-1]

        def numbered(self, micro_batches, targets, step, **options):
            now[0] = step
            return update(self, micro_batches, targets, step, **options)

        def clipped(self):
            if now[0] in steps and of == "gradient":
                self.model.model.norm.weight.grad[3] = float("nan")
            return clip(self)

        def computed(self, *tensors):
            loss = forward(self, *tensors)
            return loss * float("inf") if now[0] in steps and of == "loss" else loss

        monkeypatch.setattr(Updater, "update", numbered)
        monkeypatch.setattr(Updater, "clip_gradients", clipped)
        monkeypatch.setattr(LanguageModelLoss, "forward", computed)

    return spoil


NEVER_ENOUGH = {
    "train__eval_steps": 2, "train__early_stopping_patience": 3, "train__early_stopping_threshold": 9.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "poisoned", "end"),
    [
        ({"train__optimizer": "adamw"}, (), 8),
        ({"train__optimizer": "muon"}, (), 8),
        ({"train__optimizer": "muon", "train__ema_decay": 0.9}, (), 8),
        ({"train__lr_scheduler_type": "warmup_stable_decay", "train__decay_steps": 4}, (), 8),
        (NEVER_ENOUGH, (), 6),
        ({"train__ema_decay": 0.9, "train__logging_steps": 1}, (2, 4, 5, 6), 8),
    ],
    ids=["adamw", "muon", "ema", "wsd", "early", "skipped"],
)
def test_a_stopped_and_resumed_run_equals_the_unbroken_one(
    train, stop_at, poison, changed, poisoned, end
):
    changed = {"model__dropout": 0.1, **changed}
    poison(*poisoned)
    unbroken, code = train("unbroken", **changed)
    assert code == 0

    undo = stop_at(Updater, "update", 5)
    stopped, code = train("stopped", **changed)
    assert code == 130
    assert list_checkpoints(stopped) == [4, 5]
    undo()
    resumed, code = train("stopped", resume=True, **changed)
    assert code == 0
    assert list_checkpoints(unbroken)[-1] == list_checkpoints(resumed)[-1] == end
    for file in (
        "model.safetensors",
        *(["ema.safetensors"] if "train__ema_decay" in changed else []),
    ):
        for name, tensor in weights(unbroken, end, file).items():
            assert torch.equal(weights(resumed, end, file)[name], tensor), (file, name)
    states = [read_state(run, end)["state"] for run in (unbroken, resumed)]
    clocks = {"seconds": 0, "loss_seconds": 0, "eval_seconds": 0, "save_seconds": 0}
    assert states[0] | clocks == states[1] | clocks
    rows = [read_rows(run.metrics) for run in (unbroken, resumed)]
    assert without_timings(rows[0]) == without_timings(rows[1])
    assert [row["step"] for row in rows[0] if "skipped" in row] == [step + 1 for step in poisoned]
    assert read_rows(unbroken.samples) == read_rows(resumed.samples)


@pytest.mark.parametrize(
    ("number", "forward", "stands_at"),
    # the first forward is the trial before training
    [(signal.SIGTERM, 2, 0), (signal.SIGUSR1, 16, 3), (signal.SIGINT, 17, 4)],
)
def test_a_stop_between_micro_steps_gives_the_step_up_and_resuming_does_it_again(
    train, unbroken, stop_at, number, forward, stands_at
):
    changed = {
        "model__dropout": 0.1, "train__per_device_batch_size": 1,
        "train__gradient_accumulation_steps": 4,
    }  # fmt: skip
    undo = stop_at(LanguageModelLoss, "forward", forward, number)
    stopped, code = train("stopped", **changed)
    assert code == 128 + number
    assert list_checkpoints(stopped)[-1] == stands_at
    undo()
    resumed, code = train("stopped", resume=True, **changed)
    assert code == 0
    assert_equal_runs(unbroken(**changed), resumed)


def test_stopped_again_and_again_over_the_seams_of_epochs(train, stop_at, monkeypatch, capsys):
    """Epochs of 10 blocks: with 4 blocks a step, seams lie in steps 3, 5 and 8."""
    pack = Blocks.pack

    def pack_few(blocks, *, seed, epoch):
        packed = pack(blocks, seed=seed, epoch=epoch)
        return dataclasses.replace(packed, bounds=packed.bounds[:11])

    monkeypatch.setattr(Blocks, "pack", pack_few)
    dropout = {"model__dropout": 0.2}
    whole, _code = train("whole", **dropout)
    assert (
        json.loads((whole.checkpoint(8) / "state.json").read_text(encoding="utf-8"))["state"][
            "epoch"
        ]
        == 3
    )
    for update in (2, 1, 2, 1, 1):  # each counted from the last stop
        undo = stop_at(Updater, "update", update)
        _paths, code = train("stopped", resume=True, **dropout)
        assert code == 130
        undo()
    assert capsys.readouterr().out.count("nothing to resume, starts from step 0") == 1
    resumed, code = train("stopped", resume=True, **dropout)
    assert code == 0
    assert_equal_runs(whole, resumed)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_that_read_ahead_change_nothing(train, unbroken, stop_at, workers):
    changed = {"model__dropout": 0.1, "train__save_steps": 3}
    undo = stop_at(Updater, "update", 5)
    stopped, code = train("helped", train__dataloader_num_workers=workers, **changed)
    assert (code, list_checkpoints(stopped)) == (130, [3, 5])
    undo()
    helped, code = train("helped", resume=True, train__dataloader_num_workers=workers, **changed)
    assert code == 0
    assert_equal_runs(unbroken(**changed), helped)


def test_another_batch_of_a_process_keeps_the_steps_blocks_and_says_so(
    train, unbroken, stop_at, capsys
):
    undo = stop_at(Updater, "update", 5)
    train("stopped")
    undo()
    capsys.readouterr()
    resumed, code = train("stopped", resume=True, train__per_device_batch_size=2)
    assert code == 0
    assert (
        "keeps its 4 blocks: 1 process(es) × 2 blocks × 2 micro-batch(es)"
        in capsys.readouterr().out
    )
    assert losses(resumed) == pytest.approx(losses(unbroken()), rel=1e-5)
    for name, tensor in weights(unbroken(), 8).items():
        torch.testing.assert_close(weights(resumed, 8)[name], tensor, rtol=1e-3, atol=1e-4)
    train("stopped", resume=True, train__per_device_batch_size=2)
    assert "keeps its" not in capsys.readouterr().out  # said once


def test_a_batch_that_does_not_divide_the_step_is_refused_with_those_that_do(train):
    train("run", train__max_steps=4)
    with pytest.raises(InputError) as refused:
        train("run", resume=True, train__per_device_batch_size=3)
    assert "4 blocks" in str(refused.value)
    assert "train.per_device_batch_size to one of 1, 2, 4." in str(refused.value)


@pytest.fixture
def score(monkeypatch):
    """Let evaluations find these bits per character, one after another."""

    def arm(*bits):
        scores = (Score(number * math.log(2), 1, 1, 1) for number in bits)
        monkeypatch.setattr(Judge, "score", lambda *_: next(scores))

    return arm


def test_a_best_found_behind_the_resumed_checkpoint_is_given_up(train, score, monkeypatch):
    """It was found after the last checkpoint; what is resumed does not find it again."""
    changed = {"train__save_steps": 2, "train__eval_steps": 2}

    def lost(trainer):
        if trainer.state.step == 4:
            raise ConnectionAbortedError
        save(trainer)

    save = Trainer.save
    monkeypatch.setattr(Trainer, "save", lost)
    score(5, 4, 3)
    with pytest.raises(ConnectionAbortedError):
        train("run", **changed)
    score(4.1, 4.2, 4.3)
    monkeypatch.setattr(Trainer, "save", save)
    paths, _code = train("run", resume=True, **changed)
    state = json.loads((paths.checkpoint(8) / "state.json").read_text(encoding="utf-8"))["state"]
    assert (state["best_step"], state["best_bits_per_char"]) == (2, 4)
    best, kept = weights(paths, 2), load_file(paths.model / "model.safetensors")
    assert best.keys() == kept.keys()
    assert all(torch.equal(best[name], kept[name]) for name in best)


def test_a_damaged_newest_checkpoint_is_said_and_the_one_before_is_used(train, unbroken, capsys):
    damaged, _code = train("damaged")
    file = damaged.checkpoint(8) / "optimizer.pt"
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)
    capsys.readouterr()
    resumed, code = train("damaged", resume=True)
    assert code == 0
    out = capsys.readouterr().out
    assert "step-000008 is damaged: optimizer.pt is not what was written; step 4 is used" in out
    assert "goes on from step 4" in out
    assert_equal_runs(unbroken(), resumed)


def test_the_time_limit_saves_and_says_how_to_go_on(train, unbroken, capsys):
    stopped, code = train("timed", train__max_minutes=0.01)
    assert code == 0
    said = "training: 0.01 minutes are over, stopped at step 0 and saved; go on with --resume"
    assert said in capsys.readouterr().out
    assert list_checkpoints(stopped) == [0]
    resumed, code = train("timed", resume=True)
    assert code == 0
    assert_equal_runs(unbroken(), resumed)


def test_the_time_limit_counts_what_comes_next(prepared, train, monkeypatch):
    """An evaluation that would not be done in time is not begun."""
    asked = []

    def is_over(_self, seconds=0.0):
        asked.append(seconds)
        return False

    monkeypatch.setattr(StopRequest, "is_over", is_over)
    monkeypatch.setattr(Judge, "score", lambda *_: time.sleep(0.2) or Score(1.0, 1, 1, 1))
    train("run")
    long = [second > 1.2 for second in asked if second]  # at least 1 s is set apart for saving
    assert long == [False, False, False, True] * 2


def test_a_save_is_timed(train):
    paths, _code = train("timed")
    rows = [row for row in read_rows(paths.metrics) if "save_seconds" in row]
    assert [row["step"] for row in rows] == [4, 8]
    assert all(row["save_seconds"] > 0 for row in rows)


def test_a_full_disk_ends_the_run_with_one_sentence_and_it_goes_on_later(
    train, unbroken, monkeypatch
):
    write = checkpoint.write_synced

    def full(path, data):
        if "step-000008" in str(path):
            raise OSError(28, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(checkpoint, "write_synced", full)
    with pytest.raises(InputError, match=r"No space left on device.*step 4 is whole: make room"):
        train("full")
    monkeypatch.undo()
    resumed, code = train("full", resume=True)
    assert code == 0
    assert_equal_runs(unbroken(), resumed)


@pytest.mark.parametrize("name", ["keep", "sample"])
def test_a_disk_that_fills_in_an_evaluation_ends_the_run_before_the_next_step(
    train, unbroken, monkeypatch, name
):
    """Where all processes come together, so that none waits for another."""
    call, calls = getattr(Judge, name), itertools.count(1)

    def full(*arguments):
        if next(calls) == 3:  # the one of step 8
            raise OSError(28, "No space left on device", "model")
        call(*arguments)

    monkeypatch.setattr(Judge, name, full)
    with pytest.raises(OSError, match="No space left on device"):
        train("full")
    monkeypatch.undo()
    resumed, code = train("full", resume=True)
    assert code == 0
    assert_equal_runs(unbroken(), resumed)


def test_a_run_is_prolonged_from_before_its_fall(train):
    shape = {"train__lr_scheduler_type": "warmup_stable_decay", "train__decay_steps": 3}
    paths, _ = train("short", train__max_steps=7, **shape)
    shutil.rmtree(paths.checkpoint(7))
    prolonged, _ = train("short", resume=True, **shape)
    long, _ = train("long", **shape)
    for name, tensor in weights(long, 8).items():
        assert torch.equal(weights(prolonged, 8)[name], tensor)


@pytest.mark.parametrize("decay", [0, 0.9])
def test_a_run_leaves_exactly_these_files(train, decay):
    paths, _ = train("files", train__ema_decay=decay)
    average = ["ema.safetensors"] if decay else []
    found = sorted(
        str(path.relative_to(paths.root)) for path in paths.root.rglob("*") if path.is_file()
    )
    stages = ("corpus/", "tokenizer/", "blocks/")
    assert [name for name in found if not name.startswith(stages)] == [
        "baselines/validation/ngrams.npz",
        "baselines/validation/stage.json",
        *(
            f"checkpoints/step-00000{step}/{name}"
            for step in (4, 8)
            for name in (
                *average,
                "manifest.json",
                "model.safetensors",
                "optimizer.pt",
                "state.json",
            )
        ),
        "config.yaml",
        "curve.png",
        "environment.jsonl",
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
        "report.html",
        "samples.jsonl",
    ]


def test_a_step_that_blew_up_leaves_everything_as_it_was(train, poison, capsys):
    shape = {"train__save_steps": 1, "train__logging_steps": 1, "train__ema_decay": 0.5}
    poison(1)
    paths, code = train("blown", train__max_steps=2, **shape)
    assert code == 0
    train("blown", resume=True, train__max_steps=3, **shape)
    for file in ("model.safetensors", "ema.safetensors"):
        before, after, last = (weights(paths, step, file) for step in (1, 2, 3))
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
        assert not torch.equal(last["model.norm.weight"], after["model.norm.weight"])
    optimizers = [
        torch.load(paths.checkpoint(step) / "optimizer.pt", weights_only=True)["optimizers"][0]
        for step in (1, 2)
    ]
    for index, moments in optimizers[0]["state"].items():
        assert torch.equal(moments["exp_avg_sq"], optimizers[1]["state"][index]["exp_avg_sq"])
        assert moments["step"] == optimizers[1]["state"][index]["step"] == 1

    states = [read_state(paths, step)["state"] for step in (1, 2, 3)]
    assert [state["cursor"] for state in states] == [4, 8, 12]  # the blocks are behind us
    assert [state["nonfinite_steps"] for state in states] == [0, 1, 1]
    assert [state["nonfinite_in_a_row"] for state in states] == [0, 1, 0]
    assert states[0]["tokens"] == states[1]["tokens"] < states[2]["tokens"]

    rows = read_rows(paths.metrics)
    assert [row["step"] for row in rows if "loss" in row] == [1, 3]
    (row,) = (row for row in rows if "skipped" in row)
    assert (row["step"], row["skipped"], row["nonfinite_steps"]) == (2, "gradient", 1)
    assert "step 2: skipped, its gradient is not finite" in capsys.readouterr().err


def test_the_documents_of_a_skipped_step_are_named(train, poison, prepared, capsys):
    from hf_zh_dict.corpus.build import read_rows as read_documents
    from hf_zh_dict.tokens.blocks import load_blocks
    from hf_zh_dict.tokens.tokenizer import load_tokenizer
    from hf_zh_dict.training.stream import BlockStream

    poison(1, of="loss")
    paths, _ = train("named", train__max_steps=2)
    (row,) = (row for row in read_rows(paths.metrics) if "skipped" in row)
    assert row["skipped"] == "loss"

    stream = BlockStream(load_blocks(prepared.blocks), seed=0)
    for _step in range(2):
        (batch,) = stream.next_step(batch_size=4, accumulation=1, rank=0, world_size=1)
    tokenizer = load_tokenizer(prepared.tokenizer)
    entries = list(read_documents(prepared.split("train"), ["text", "headword"]))
    assert [entries[number]["headword"] for number in row["documents"]] == row["headwords"]
    for ids in batch.inputs.tolist():
        longest = max(re.split(r"<s>|\ufffd", tokenizer.decode(ids)), key=len)
        assert len(longest) > 10
        assert any(longest in entries[number]["text"] for number in row["documents"])
    told = capsys.readouterr().err
    assert all(headword in told for headword in row["headwords"][:8])


def test_only_the_micro_batches_that_blew_up_are_named(train, poison, monkeypatch):
    shape = {
        "train__per_device_batch_size": 1,
        "train__gradient_accumulation_steps": 4,
        "train__max_steps": 1,
    }
    forward = LanguageModelLoss.forward
    calls = itertools.count()
    monkeypatch.setattr(
        LanguageModelLoss, "forward",
        lambda self, *batch: forward(self, *batch) * (float("nan") if next(calls) == 2 else 1),
    )  # fmt: skip
    one, _ = train("one", **shape)
    poison(0)
    whole, _ = train("whole", **shape)
    few, all_of_them = (
        next(row["documents"] for row in read_rows(run.metrics) if "skipped" in row)
        for run in (one, whole)
    )
    assert set(few) < set(all_of_them)


def test_a_run_that_blows_up_again_and_again_stops_and_says_what_to_try(train, poison):
    shape = {"train__save_steps": 1, "train__max_nonfinite_steps": 3, "train__save_total_limit": 9}
    poison(1, 2, 4, 5, 6)
    with pytest.raises(InputError, match="in 3 steps in a row, up to step 7") as stopped:
        train("stuck", **shape)
    message = str(stopped.value)
    assert "\n" not in message
    for setting in ("learning_rate", "warmup_steps", "max_grad_norm", "mixed_precision"):
        assert f"train.{setting}" in message


def test_skipped_steps_do_not_push_out_good_checkpoints(train, poison):
    poison(3, 4, 5, 6)
    paths, _ = train("few", train__save_steps=1, train__save_total_limit=2)
    assert list_checkpoints(paths) == [3, 8]


def test_it_goes_on_from_the_last_checkpoint_with_other_settings(
    train, poison, monkeypatch, tmp_path
):
    with monkeypatch.context():
        poison(4, 5)
        with pytest.raises(InputError):
            train("stuck", train__max_nonfinite_steps=2)
    assert list_checkpoints(RunPaths(tmp_path / "stuck")) == [4]
    monkeypatch.undo()
    paths, code = train("stuck", resume=True, train__learning_rate=1e-4)
    assert code == 0
    assert list_checkpoints(paths) == [4, 8]
    assert not any("skipped" in row for row in read_rows(paths.metrics))


def test_weights_that_are_no_numbers_are_never_saved(train, monkeypatch, tmp_path):
    apply = Updater.apply
    steps = itertools.count()

    def ruined(self, rate):
        apply(self, rate)
        if next(steps) == 2:
            self.model.model.norm.weight.data.fill_(float("nan"))

    monkeypatch.setattr(Updater, "apply", ruined)
    with pytest.raises(InputError, match="up to step 6"):
        train("ruined", train__save_steps=1, train__eval_steps=1, train__max_nonfinite_steps=3)
    paths = RunPaths(tmp_path / "ruined")
    assert list_checkpoints(paths) == [1, 2]
    assert load_file(paths.model / "model.safetensors")["model.norm.weight"].isfinite().all()


def test_training_stops_when_validation_no_longer_improves(train, capsys):
    paths, code = train("early", **NEVER_ENOUGH)
    assert code == 0
    evaluations = [row for row in read_rows(paths.metrics) if "validation_loss" in row]
    assert [row["step"] for row in evaluations] == [0, 2, 4, 6]
    assert [row.get("stopped_early", False) for row in evaluations] == [False, False, False, True]
    assert list_checkpoints(paths) == [4, 6]
    captured = capsys.readouterr()
    assert "stopped early at step 6, 3 evaluations without improvement" in captured.err
    assert "bits per character at step 0" in captured.out

    again, code = train("early", resume=True, **NEVER_ENOUGH)
    assert code == 0
    assert list_checkpoints(again)[-1] == 6
    assert "stopped early at step 6" in capsys.readouterr().err
    assert [row["step"] for row in read_rows(again.metrics) if "validation_loss" in row] == [
        0,
        2,
        4,
        6,
    ]

    patient, code = train(
        "early", resume=True, **NEVER_ENOUGH | {"train__early_stopping_patience": 4}
    )
    assert code == 0
    assert list_checkpoints(patient)[-1] == 8
    unbroken, _ = train("unbroken", train__eval_steps=2)
    for name, tensor in weights(unbroken, 8).items():
        assert torch.equal(weights(patient, 8)[name], tensor)
    assert "stopped early" not in capsys.readouterr().err  # the end has come as it was set


def test_improvements_that_add_up_to_the_threshold_count(train):
    paths, _ = train("slow", train__eval_steps=1, train__early_stopping_patience=3)
    bits = [
        r["validation_bits_per_char"] for r in read_rows(paths.metrics) if "validation_loss" in r
    ]
    gains = [before - after for before, after in itertools.pairwise(bits)]
    threshold = max(a + b for a, b in itertools.pairwise(gains)) * 0.99
    assert max(gains) < threshold
    settings = {"train__eval_steps": 1, "train__early_stopping_threshold": threshold}
    paths, _ = train("steady", train__early_stopping_patience=8, **settings)
    state = read_state(paths, 8)["state"]
    assert state["stale_evaluations"] < 8
    assert state["best_bits_per_char"] == min(bits)


def test_the_average_is_what_is_judged_sampled_and_kept(train, monkeypatch):
    used = []

    def watch(act):
        return lambda self, model, *rest: used.append(model) or act(self, model, *rest)

    for name in ("score", "sample", "keep"):
        monkeypatch.setattr(Judge, name, watch(getattr(Judge, name)))
    paths, _ = train("averaged", train__ema_decay=0.6)
    assert len(used) == 9  # three evaluations, each the best so far
    assert not any(weight.requires_grad for model in used for weight in model.parameters())
    monkeypatch.undo()
    plain, _ = train("plain")
    for name, tensor in weights(plain, 8).items():  # training itself is not touched
        assert torch.equal(weights(paths, 8)[name], tensor)
    average = dict(weights(paths, 8, "ema.safetensors"))
    assert not torch.equal(average["model.norm.weight"], weights(paths, 8)["model.norm.weight"])
    assert read_state(paths, 8)["state"]["best_step"] == 8
    saved = load_file(paths.model / "model.safetensors")
    assert saved.keys() == average.keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in average.items())
    bits = [
        [r["validation_bits_per_char"] for r in read_rows(run.metrics) if "validation_loss" in r]
        for run in (paths, plain)
    ]
    assert bits[0][0] == bits[1][0]
    assert bits[0][1:] != bits[1][1:]
    assert not list(plain.checkpoints.rglob("ema.safetensors"))


def test_an_average_may_begin_in_the_middle(train):
    train("late", train__max_steps=4)
    paths, code = train("late", resume=True, train__ema_decay=0.5)
    assert code == 0
    first, last = weights(paths, 4), weights(paths, 8)
    for name, tensor in weights(paths, 8, "ema.safetensors").items():
        assert (tensor - last[name]).abs().max() <= (first[name] - last[name]).abs().max() + 1e-3


def test_entries_that_keep_their_blocks_cannot_be_reshuffled_on_the_way(train):
    train("fixed", train__max_steps=4, train__reshuffle_entries=False)
    with pytest.raises(InputError, match=r"train\.reshuffle_entries = True.* has False"):
        train("fixed", resume=True)


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
    state = json.loads((paths.checkpoint(8) / "state.json").read_text(encoding="utf-8"))["state"]
    assert state["best_step"] == best["step"] == 0
    saved, last = load_file(paths.model / "model.safetensors"), weights(paths, 8)
    assert not torch.equal(saved["model.norm.weight"], last["model.norm.weight"])


def test_the_newest_checkpoints_are_kept_and_those_of_every_so_many_steps(train):
    paths, _ = train("kept", train__save_steps=2, train__save_total_limit=1)
    assert list_checkpoints(paths) == [8]
    changed = {"train__save_steps": 1, "train__save_total_limit": 2, "train__keep_every_steps": 3}
    paths, _ = train("more", **changed)
    assert list_checkpoints(paths) == [3, 6, 7, 8]


def test_the_best_checkpoint_is_kept(train, score):
    score(9, 4, 5, 6, 7)
    changed = {"train__save_steps": 2, "train__eval_steps": 2, "train__save_total_limit": 1}
    paths, _ = train("best", **changed)
    assert list_checkpoints(paths) == [2, 8]


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
