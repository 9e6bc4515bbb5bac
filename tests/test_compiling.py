"""The model is compiled where that is possible and pays, and training goes on where it fails."""

import locale
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from machine import compiler

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.training import compiling
from hf_zh_dict.training.compiling import (
    SHORT_CONTEXT,
    WORTH_STEPS,
    can_compile,
    choose_compiling,
    compile_parts,
    leave_plain,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("setting", "steps", "compiler", "chosen"),
    [
        (None, WORTH_STEPS, True, True),
        (None, WORTH_STEPS, False, False),
        (None, WORTH_STEPS - 1, True, False),
        (True, 1, True, True),
        (False, WORTH_STEPS, True, False),
        (False, WORTH_STEPS, False, False),
    ],
)
def test_a_setting_is_followed_and_else_it_must_be_possible_and_pay(
    setting, steps, compiler, chosen, monkeypatch
):
    monkeypatch.setattr(compiling, "can_compile", lambda _device: compiler)
    assert choose_compiling(TrainConfig(compile=setting, max_steps=steps), CPU) == chosen


def test_what_is_asked_for_and_impossible_is_refused(monkeypatch):
    monkeypatch.setattr(compiling, "can_compile", lambda _device: False)
    with pytest.raises(InputError, match=r"train\.compile: cpu has no compiler here"):
        choose_compiling(TrainConfig(compile=True), CPU)


def test_a_cpu_needs_a_compiler():
    from torch._inductor import config
    from torch._inductor.cpp_builder import cpp_compiler_search

    cpp_compiler_search.cache_clear()
    with config.patch({"cpp.cxx": ("no-such-compiler",)}):
        assert not can_compile(CPU)
    cpp_compiler_search.cache_clear()


def test_an_ascii_locale_cannot_read_what_torch_compiles_with(monkeypatch):
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _set: "ANSI_X3.4-1968")
    assert not can_compile(CPU)


def test_other_devices_are_not_compiled_for():
    assert not can_compile(torch.device("mps"))


@compiler
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_ten_layers_are_compiled_once_and_train_as_the_plain_ones(
    tiny_config, tokenizer, reshape, dropout
):
    model = build_model(reshape(tiny_config, num_hidden_layers=10, dropout=dropout), tokenizer)
    loss = LanguageModelLoss(model).train()
    ids = torch.randint(3, 200, (2, 24), generator=torch.Generator().manual_seed(0))
    positions = torch.arange(12).repeat(2, 2)

    def gradients():
        model.zero_grad()
        torch.manual_seed(0)  # what is dropped
        loss(ids, ids, positions).backward()
        return [parameter.grad.clone() for parameter in model.parameters()]

    plain = gradients()
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()
    compile_parts(loss, Accelerator(cpu=True))
    compiled = gradients()
    assert counters["stats"]["unique_graphs"] == 2  # a layer and the softmax
    leave_plain(loss)
    counters.clear()
    again = gradients()
    assert not counters["stats"]
    for one, two, three in zip(plain, compiled, again, strict=True):
        torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(three, one)


@pytest.mark.parametrize(
    ("device", "precision", "context", "attention"),
    [
        ("cpu", "bf16", SHORT_CONTEXT, "eager"),
        ("cpu", "bf16", SHORT_CONTEXT + 1, "sdpa"),
        ("cpu", "no", SHORT_CONTEXT, "sdpa"),
        ("cuda", "bf16", SHORT_CONTEXT, "sdpa"),
    ],
)
def test_attention_is_written_out_where_that_is_quicker(
    tiny_model, device, precision, context, attention
):
    tiny_model.config.max_position_embeddings = context
    machine = SimpleNamespace(device=torch.device(device), mixed_precision=precision)
    compile_parts(LanguageModelLoss(tiny_model), machine)
    assert tiny_model.config._attn_implementation == attention
