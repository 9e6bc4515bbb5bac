"""Before the first step: a batch that fits is found, and documents that see each other are refused."""

import dataclasses
from functools import partial

import pytest
import torch
from machine import compiler
from test_cli import QUICK
from test_end_to_end import launch

from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.training.trial import LEAK, check_isolation, fit_batch, measure_leak
from hf_zh_dict.training.update import Updater


@pytest.fixture(scope="module")
def accelerator():
    from accelerate import Accelerator

    return Accelerator(cpu=True)


@pytest.fixture
def make_updater(tiny_config, tokenizer, reshape, accelerator, monkeypatch):
    """An updater with some settings of training changed; compiled graphs are run, not built."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))

    def make(*, attention="sdpa", dropout=0.0, **changed):
        config = reshape(tiny_config, dropout=dropout)
        model = build_model(config, tokenizer)
        model.set_attn_implementation(attention)
        train = dataclasses.replace(config.train, isolate_documents=True, **changed)
        return Updater(model, train, accelerator)

    return make


def leaking(updater):
    """The same updater, but its body is given a mask, with which transformers isolates nothing."""
    body = updater.trained.model.forward
    updater.trained.model.forward = lambda *, input_ids, **rest: body(
        input_ids=input_ids, **rest, attention_mask=torch.ones_like(input_ids)
    )
    return updater


SHAPE = {"batch_size": 2, "block_size": 32}
PATHS = [
    {}, {"attention": "eager"}, {"dropout": 0.3}, pytest.param({"compile": True}, marks=compiler),
    {"gradient_checkpointing": True, "dropout": 0.3},
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("mixed", [False, True])
def test_isolated_documents_pass(make_updater, path, mixed):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
        assert measure_leak(make_updater(**path), **SHAPE) < LEAK / 10
        check_isolation(make_updater(**path), **SHAPE)


@pytest.mark.parametrize("path", PATHS[:3], ids=str)
@pytest.mark.parametrize("mixed", [False, True])
def test_documents_that_see_each_other_are_refused_in_one_sentence(make_updater, path, mixed):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
        updater = leaking(make_updater(**path))
        assert measure_leak(updater, **SHAPE) > 10 * LEAK
        with pytest.raises(InputError, match=r"^train\.isolate_documents: .* see each other") as no:
            check_isolation(updater, **SHAPE)
    assert "\n" not in str(no.value)


def test_trying_leaves_weights_gradients_and_random_state_alone(make_updater):
    updater = make_updater(dropout=0.3)
    before = {name: tensor.clone() for name, tensor in updater.model.state_dict().items()}
    state = torch.get_rng_state()
    check_isolation(updater, **SHAPE)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in updater.model.parameters())
    for name, tensor in updater.model.state_dict().items():
        assert torch.equal(tensor, before[name])


OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 3.00 GiB."


def limited(updater, limit, message=OUT_OF_MEMORY):
    """The same updater on a device that holds the activations of `limit` blocks."""
    loss = updater.loss

    def tight(batch, **options):
        if len(batch.inputs) > limit:
            raise torch.OutOfMemoryError(message)
        return loss(batch, **options)

    updater.loss = tight
    return updater


@pytest.mark.parametrize(
    ("limit", "asked", "found"),
    [
        (16, (16, 1), (16, 1)),
        (15, (16, 1), (8, 2)),
        (4, (16, 3), (4, 12)),
        (2, (12, 1), (1, 12)),  # 12, 6, 3, and 3 divides into ones only
        (5, (15, 2), (5, 6)),
    ],
)
def test_the_batch_is_divided_until_it_fits_and_the_global_batch_stays(
    make_updater, limit, asked, found
):
    updater = limited(make_updater(), limit)
    batch_size, accumulation = asked
    assert found == fit_batch(
        updater, batch_size=batch_size, accumulation=accumulation, block_size=32
    )
    assert all(parameter.grad is None for parameter in updater.model.parameters())


def test_when_one_block_does_not_fit_the_way_out_is_said(make_updater):
    with pytest.raises(
        InputError, match=r"^train\.per_device_batch_size: .*gradient_checkpointing"
    ):
        fit_batch(limited(make_updater(), 0), batch_size=4, accumulation=1, block_size=32)


def test_another_error_is_not_taken_for_want_of_memory(make_updater):
    updater = limited(make_updater(), 1, message="CUDA error: device-side assert triggered")
    with pytest.raises(torch.OutOfMemoryError, match="device-side assert"):
        fit_batch(updater, batch_size=2, accumulation=1, block_size=32)


def test_one_process_without_memory_divides_the_batch_of_all(make_updater, monkeypatch):
    updater = make_updater()
    others = iter([1, 0])  # another process fails once; this one never does
    monkeypatch.setattr(
        updater.accelerator, "reduce", lambda tensor, reduction: tensor + next(others)
    )
    assert fit_batch(updater, batch_size=8, accumulation=1, block_size=32) == (4, 2)


SHORT_OF_MEMORY = """
import os, sys
import torch
from hf_zh_dict.cli import main
from hf_zh_dict.training.update import Updater

loss = Updater.loss

def tight(self, batch, **options):
    if os.environ["RANK"] == "1" and len(batch.inputs) > 2:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")
    return loss(self, batch, **options)

Updater.loss = tight
sys.exit(main(["train", *sys.argv[1:]]))
"""


def test_two_processes_of_which_one_is_short_of_memory_divide_alike(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SHORT_OF_MEMORY, encoding="utf-8")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    options = ["--train.per-device-batch-size", "4", "--train.isolate-documents", "true"]
    short = [*QUICK, *options, "--output-dir", str(tmp_path / "run")]
    out = launch([*torchrun, *short], OMP_NUM_THREADS="1")
    assert "train.per_device_batch_size is 2, train.gradient_accumulation_steps 2" in out


def test_a_compiler_that_fails_is_left_out(make_updater, monkeypatch):
    def fail(_graph, _inputs):
        raise RuntimeError("no such instruction")

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fail))
    updater = make_updater(compile=True)
    assert updater.compiled
    assert fit_batch(updater, batch_size=2, accumulation=3, block_size=32) == (2, 3)
    assert not updater.compiled
    assert measure_leak(updater, **SHAPE) < LEAK
