"""An update happens whole, or not at all, with fp16's loss scaler as without."""

import dataclasses

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from hf_zh_dict.model.llama import build_model
from hf_zh_dict.training.stream import MicroBatch
from hf_zh_dict.training.update import Updater


@pytest.fixture
def make_updater(tiny_config, tokenizer, monkeypatch):
    """An updater of a new model; with a loss scale as a GPU in fp16 has it, on the CPU in float32."""

    def make(*, scale=None, **changed):
        accelerator = Accelerator(cpu=True)
        if scale:
            accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=2)
        config = dataclasses.replace(tiny_config.train, warmup_steps=0, **changed)
        updater = Updater(build_model(tiny_config, tokenizer), config, accelerator)
        if scale:  # only now: no autocast around the model
            monkeypatch.setattr(Accelerator, "mixed_precision", "fp16")
            accelerator.native_amp = True
        return updater

    return make


@pytest.fixture
def batches(tiny_config):
    ids = np.random.default_rng(0).integers(3, 300, size=(2, 2, 33))
    return [
        MicroBatch(rows[:, :-1], rows[:, 1:], np.tile(np.arange(rows.shape[1] - 1), (len(rows), 1)))
        for rows in ids
    ]


def weights_of(updater):
    return {name: weight.detach().clone() for name, weight in updater.model.named_parameters()}


def test_an_update_says_its_loss_and_rate(make_updater, batches):
    updater = make_updater(learning_rate=1e-3)
    update = updater.update(batches, 128, 0)
    assert (update.skipped, update.suspects, update.learning_rate) == ("", (), 1e-3)
    assert float(update.loss_sum) / 128 == pytest.approx(np.log(300), rel=0.1)


@pytest.mark.parametrize("max_grad_norm", [0, 1e-3])
def test_gradients_are_clipped_unless_the_norm_is_0(
    make_updater, batches, max_grad_norm, monkeypatch
):
    updater = make_updater(max_grad_norm=max_grad_norm)
    norms = []

    def look(_rate):
        gradients = [weight.grad for weight in updater.model.parameters()]
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))

    monkeypatch.setattr(updater, "apply", look)
    updater.update(batches, 128, 0)
    if max_grad_norm:
        assert norms == pytest.approx([max_grad_norm], rel=1e-2)
    else:
        assert norms[0] > 0.1


@pytest.mark.parametrize("max_grad_norm", [0, 1])
@pytest.mark.parametrize("scale", [None, 1024.0])
def test_a_loss_that_is_not_finite_is_found_with_its_micro_batch(
    make_updater, batches, monkeypatch, max_grad_norm, scale
):
    updater = make_updater(scale=scale, max_grad_norm=max_grad_norm, ema_decay=0.5)
    before = weights_of(updater)
    forward, calls = updater.wrapped.forward, iter([1.0, float("nan")])
    monkeypatch.setattr(updater.wrapped, "forward", lambda *batch: forward(*batch) * next(calls))
    update = updater.update(batches, 128, 0)
    assert (update.skipped, update.suspects) == ("loss", (1,))
    assert all(torch.equal(before[name], weight) for name, weight in weights_of(updater).items())
    assert all(weight.grad is None for weight in updater.model.parameters())
    assert not any(optimizer.state for optimizer in updater.optimizers)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("max_grad_norm", [0, 1])
def test_the_loss_scale_does_not_change_what_is_learnt(
    make_updater, batches, optimizer, max_grad_norm
):
    """Two optimizers share a scaler: neither may unscale twice, nor count a step twice."""
    settings = {"optimizer": optimizer, "max_grad_norm": max_grad_norm, "learning_rate": 1e-2}
    plain, scaled = make_updater(**settings), make_updater(scale=2.0**10, **settings)
    for step in range(3):
        assert not plain.update(batches, 128, step).skipped
        assert not scaled.update(batches, 128, step).skipped
    for name, weight in weights_of(plain).items():  # a power of two scales without rounding
        torch.testing.assert_close(weights_of(scaled)[name], weight, rtol=1e-4, atol=1e-5)
    assert scaled.accelerator.scaler.get_scale() == 2.0**11  # grew once in three steps


def test_a_scale_that_is_too_high_falls_and_nothing_else_happens(make_updater, batches):
    updater = make_updater(scale=2.0**127, optimizer="muon")
    before = weights_of(updater)
    update = updater.update(batches, 128, 0)
    assert (update.skipped, update.suspects) == ("overflow", ())
    assert updater.accelerator.scaler.get_scale() == 2.0**126
    assert all(torch.equal(before[name], weight) for name, weight in weights_of(updater).items())
    assert not any(optimizer.state for optimizer in updater.optimizers)


def test_a_scale_below_1_is_no_excuse(make_updater, batches, monkeypatch):
    updater = make_updater(scale=0.5)
    updater.model.model.norm.weight.register_hook(lambda gradient: gradient * float("inf"))
    assert updater.update(batches, 128, 0).skipped == "gradient"
