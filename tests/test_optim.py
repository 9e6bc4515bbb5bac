"""Each parameter has one optimizer."""

import pytest
import torch

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.training.optim import make_optimizers, set_learning_rate


def names_of(model, optimizer):
    """Parameter names by weight decay."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {}
    for group in optimizer.param_groups:
        placed = {names[id(parameter)] for parameter in group["params"]}
        found[group["weight_decay"]] = found.get(group["weight_decay"], set()) | placed
    return found


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_parameter_has_exactly_one_place(tiny_config, tokenizer, reshape, tied, optimizer):
    model = build_model(reshape(tiny_config, tie_word_embeddings=tied), tokenizer)
    optimizers = make_optimizers(model, TrainConfig(optimizer=optimizer))
    assert len(optimizers) == (2 if optimizer == "muon" else 1)
    placed = [
        id(parameter)
        for one in optimizers
        for group in one.param_groups
        for parameter in group["params"]
    ]
    assert sorted(placed) == sorted(id(parameter) for parameter in model.parameters())


def test_weight_decay_falls_on_matrices_and_not_on_norms(tiny_model):
    (adamw,) = make_optimizers(tiny_model, TrainConfig(weight_decay=0.3))
    places = names_of(tiny_model, adamw)
    matrices = {name for name, p in tiny_model.named_parameters() if p.ndim == 2}
    norms = {name for name, p in tiny_model.named_parameters() if p.ndim == 1}
    assert len(norms) == 5
    assert places == {0.3: matrices, 0.0: norms}


def test_muon_takes_the_layers_matrices_and_nothing_else(tiny_config, tokenizer, reshape):
    model = build_model(reshape(tiny_config, tie_word_embeddings=False), tokenizer)
    adamw, muon = make_optimizers(model, TrainConfig(optimizer="muon", weight_decay=0.3))
    hidden = {name for name, p in model.named_parameters() if ".layers." in name and p.ndim == 2}
    assert len(hidden) == 14
    assert names_of(model, muon) == {0.3: hidden}
    assert names_of(model, adamw)[0.3] == {"model.embed_tokens.weight", "lm_head.weight"}


def test_the_betas_and_rate_are_those_of_the_settings(tiny_model):
    (adamw,) = make_optimizers(
        tiny_model, TrainConfig(learning_rate=7e-4, adam_beta1=0.8, adam_beta2=0.97)
    )
    for group in adamw.param_groups:
        assert group["betas"] == (0.8, 0.97)
        assert group["lr"] == 7e-4


def test_setting_the_rate_reaches_every_group(tiny_model):
    for optimizer in make_optimizers(tiny_model, TrainConfig(optimizer="muon")):
        set_learning_rate(optimizer, 0.125)
        assert {group["lr"] for group in optimizer.param_groups} == {0.125}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_embeddings_and_output_head_may_have_a_rate_of_their_own(
    tiny_config, tokenizer, reshape, tied, optimizer
):
    model = build_model(reshape(tiny_config, tie_word_embeddings=tied), tokenizer)
    config = TrainConfig(optimizer=optimizer, learning_rate=0.01, embedding_learning_rate=0.03)
    rates = {}
    for one in make_optimizers(model, config):
        set_learning_rate(one, 0.005)  # half way down
        rates |= {id(p): group["lr"] for group in one.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        of_vocabulary = name in ("model.embed_tokens.weight", "lm_head.weight")
        assert rates[id(parameter)] == pytest.approx(0.015 if of_vocabulary else 0.005), name


def test_parameters_that_do_not_learn_are_left_out(tiny_model):
    tiny_model.model.embed_tokens.weight.requires_grad_(False)
    (adamw,) = make_optimizers(tiny_model, TrainConfig())
    assert not any(
        parameter is tiny_model.model.embed_tokens.weight
        for group in adamw.param_groups
        for parameter in group["params"]
    )


def test_an_update_of_muon_is_about_as_large_as_one_of_adamw(tiny_config, tokenizer, reshape):
    def update_sizes(optimizer):
        model = build_model(reshape(tiny_config, hidden_size=64), tokenizer)
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        torch.manual_seed(0)
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        config = TrainConfig(optimizer=optimizer, learning_rate=1e-3, weight_decay=0)
        for one in make_optimizers(model, config):
            one.step()
        return {
            name: float((p.detach() - before[name]).square().mean().sqrt()) / 1e-3
            for name, p in model.named_parameters()
        }

    adamw, muon = update_sizes("adamw"), update_sizes("muon")
    assert all(0.9 < size < 1.1 for size in adamw.values())
    for name, size in muon.items():
        assert 0.1 < size < 1.1, name  # Adam's updates settle at 0.2 to 0.4, Muon's aim at 0.2
        assert (size < 0.4) == (".layers." in name and "norm" not in name), name
