"""Muon is torch's, in the precision that the device is quick in."""

import pytest
import torch

from hf_zh_dict.training import muon
from hf_zh_dict.training.muon import Muon, orthogonalize, wide

SHAPES = [(24, 24), (24, 60), (60, 24)]


def train(make_optimizer, steps=4):
    """Weights after some steps on the same random gradients."""
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    optimizer = make_optimizer(weights)
    for _step in range(steps):
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        optimizer.step()
    return weights, optimizer


def ours(weights):
    return Muon(weights, lr=0.02, weight_decay=0.1)


def torchs(weights):
    return torch.optim.Muon(
        weights, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"
    )  # fmt: skip


def test_where_bfloat16_is_quick_it_is_torchs_but_for_its_last_bit(monkeypatch):
    monkeypatch.setattr(muon, "multiplies_bfloat16", lambda _device: True)
    (mine, optimizer), (theirs, other) = train(ours), train(torchs)
    for a, b in zip(mine, theirs, strict=True):
        assert (a - b).abs().max() < 1e-4  # updates are about 0.02 · 0.2 · √60 = 0.03
    for a, b in zip(optimizer.state.values(), other.state.values(), strict=True):
        assert torch.equal(a["momentum_buffer"], b["momentum_buffer"])
        assert set(a) == set(b)


def test_elsewhere_it_is_torchs_but_for_rounding(monkeypatch):
    monkeypatch.setattr(muon, "multiplies_bfloat16", lambda _device: False)
    (mine, _), (theirs, _other) = train(ours), train(torchs)
    for a, b in zip(mine, theirs, strict=True):
        assert not torch.equal(a, b)
        assert (a - b).abs().max() < 0.01 * 0.2 * 60**0.5  # bfloat16 has 8 bits


@pytest.mark.parametrize("shape", SHAPES)
def test_all_directions_are_of_about_equal_strength(shape, monkeypatch):
    monkeypatch.setattr(muon, "multiplies_bfloat16", lambda _device: False)
    strengths = torch.linalg.svdvals(orthogonalize(wide(torch.randn(shape)).unsqueeze(0))[0])
    assert 0.6 < strengths.min() < strengths.max() < 1.3


def test_a_parameter_without_a_gradient_stays(monkeypatch):
    weight = torch.nn.Parameter(torch.ones(3, 3))
    Muon([weight], lr=1.0, weight_decay=1.0).step()
    assert torch.equal(weight, torch.ones(3, 3))


def test_no_gradient_at_all_changes_a_weight_only_by_its_decay():
    weight = torch.nn.Parameter(torch.ones(3, 3))
    weight.grad = torch.zeros(3, 3)
    Muon([weight], lr=0.5, weight_decay=0.5).step()
    assert torch.allclose(weight, torch.full((3, 3), 0.75))
