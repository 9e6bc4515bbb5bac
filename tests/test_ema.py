"""The moving average of the weights is what its formula says, and touches nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.training.ema import begin_average, ema_decay_at, update_average


def test_the_decay_warms_up():
    config = TrainConfig(ema_decay=0.9)
    decays = [ema_decay_at(step, config) for step in (0, 1, 8, 79, 80, 81, 10_000)]
    assert decays == pytest.approx([1 / 10, 2 / 11, 0.5, 80 / 89, 0.9, 0.9, 0.9])


@given(decay=st.floats(0, 1, exclude_max=True), step=st.integers(0, 10**7))
def test_it_rises_to_the_one_that_is_asked_for(decay, step):
    config = TrainConfig(ema_decay=decay)
    assert ema_decay_at(step, config) <= ema_decay_at(step + 1, config) <= decay
    assert ema_decay_at(10**9, config) == pytest.approx(decay, abs=1e-7)


def test_it_is_that_of_a_computation_in_float64(tiny_model):
    config = TrainConfig(ema_decay=0.95)
    average = begin_average(tiny_model)
    means = [weight.detach().numpy().astype(np.float64) for weight in tiny_model.parameters()]
    generator = torch.Generator().manual_seed(0)
    for step in range(60):
        decay = ema_decay_at(step, config)
        for index, weight in enumerate(tiny_model.parameters()):
            weight.data += torch.randn(weight.shape, generator=generator) / 10
            means[index] = decay * means[index] + (1 - decay) * weight.detach().numpy()
        update_average(average, tiny_model, decay)
    for mean, ours in zip(means, average.parameters(), strict=True):
        assert ours.dtype == torch.float32
        np.testing.assert_allclose(ours.numpy(), mean, rtol=1e-5, atol=1e-6)


def test_the_average_is_another_model_that_stays_tied(tiny_model):
    average = begin_average(tiny_model.bfloat16())
    assert average.lm_head.weight is average.model.embed_tokens.weight
    before = [weight.clone() for weight in tiny_model.parameters()]
    update_average(average, tiny_model, 0.5)
    for mean, weight, old in zip(
        average.parameters(), tiny_model.parameters(), before, strict=True
    ):
        assert mean.dtype == torch.float32
        assert mean.data_ptr() != weight.data_ptr()
        assert torch.equal(weight, old)
        assert not mean.requires_grad
        assert weight.requires_grad
