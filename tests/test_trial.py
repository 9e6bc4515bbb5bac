"""Before the first step: documents that see each other are refused, and nothing is left behind."""

import dataclasses
from functools import partial

import pytest
import torch

from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.training.trial import LEAK, check_isolation, measure_leak
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
    body = updater.model.model.forward
    updater.model.model.forward = lambda *, input_ids, **rest: body(
        input_ids=input_ids, **rest, attention_mask=torch.ones_like(input_ids)
    )
    return updater


SHAPE = {"batch_size": 2, "block_size": 32}
PATHS = [
    {}, {"attention": "eager"}, {"dropout": 0.3}, {"compile": True},
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
