"""An update is the same with fp16's scaled gradients, and none is made of an overflow.

There is no GPU here: the scaler and fp16's products are torch's for the CPU.
"""

import dataclasses

import numpy as np
import pytest
import torch

from hf_zh_dict.model.llama import build_model
from hf_zh_dict.tokens.blocks import IGNORED
from hf_zh_dict.training.stream import MicroBatch
from hf_zh_dict.training.update import Updater


@pytest.fixture
def make_updater(tiny_config, tokenizer, reshape):
    """An updater, with or without a gradient scaler, with or without products in fp16."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    def make(*, scale=None, mixed=False, **changed):
        def scaled():
            accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
            accelerator.native_amp = True
            AcceleratorState()._mixed_precision = "fp16"

        AcceleratorState._reset_state()
        accelerator = Accelerator(cpu=True)
        if scale and mixed:
            scaled()
        config = reshape(tiny_config, tie_word_embeddings=False)
        train = dataclasses.replace(config.train, **changed)
        updater = Updater(build_model(config, tokenizer), train, accelerator)
        if scale and not mixed:  # the prepared model has no autocast
            scaled()
        return updater

    yield make
    AcceleratorState()._mixed_precision = "no"


def micro_batches(count=2):
    """Some micro-batches with very different numbers of targets."""
    generator = np.random.default_rng(0)
    batches = []
    for number in range(count):
        ids = generator.integers(3, 300, size=(2, 33))
        labels = ids[:, 1:].copy()
        labels[:, 4 + 20 * number :] = IGNORED
        batches.append(MicroBatch(ids[:, :-1], labels, np.tile(np.arange(32), (2, 1))))
    return batches, sum(int((batch.labels != IGNORED).sum()) for batch in batches)


def test_an_update_in_fp16_is_about_that_in_float32(make_updater):
    plain, mixed = make_updater(), make_updater(scale=2.0**14, mixed=True)
    losses = [
        [float(updater.update(*micro_batches(), 1e-2)) for _step in range(5)]
        for updater in (plain, mixed)
    ]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.01)
    assert losses[0][-1] < 0.9 * losses[0][0]


def weights(updater):
    return {name: tensor.clone() for name, tensor in updater.model.state_dict().items()}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("max_grad_norm", [0.0, 0.05])
def test_scaled_gradients_give_the_same_updates(make_updater, optimizer, max_grad_norm):
    changed = {"optimizer": optimizer, "max_grad_norm": max_grad_norm}
    plain = make_updater(**changed)
    found = []
    for updater in (plain, make_updater(scale=2.0**14, **changed)):
        for _step in range(3):
            updater.update(*micro_batches(), 1e-2)
        found.append(weights(updater))
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0])
@pytest.mark.parametrize("place", ["lm_head.weight", "model.layers.0.mlp.up_proj.weight"])
def test_an_overflow_in_one_optimizers_gradients_steps_none_and_halves_the_scale_once(
    make_updater, place, max_grad_norm
):
    updater = make_updater(scale=1024.0, optimizer="muon", max_grad_norm=max_grad_norm)
    assert len(updater.optimizers) == 2
    before = weights(updater)
    parameter = updater.model.get_parameter(place)
    hook = parameter.register_hook(lambda gradient: gradient * float("inf"))
    updater.update(*micro_batches(), 1e-2)
    hook.remove()
    assert updater.accelerator.scaler.get_scale() == 512
    for name, tensor in weights(updater).items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in updater.model.parameters())

    updater.update(*micro_batches(), 1e-2)
    assert updater.accelerator.scaler.get_scale() == 512
    changed = {name for name, tensor in weights(updater).items() if not tensor.equal(before[name])}
    assert changed == set(before)
