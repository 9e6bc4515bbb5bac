"""The chunked loss is torch's cross entropy, in value and in gradients."""

import math
from functools import partial

import pytest
import torch
from accelerate import Accelerator
from machine import compiler
from torch.nn import functional

from hf_zh_dict.model import loss as loss_module
from hf_zh_dict.model.llama import build_model, checkpoint_layers
from hf_zh_dict.model.loss import LanguageModelLoss, SummedCrossEntropy
from hf_zh_dict.tokens.blocks import IGNORED
from hf_zh_dict.training.compiling import compile_parts

ROWS, WIDTH, VOCABULARY = 37, 16, 300


@pytest.fixture
def tensors():
    """hidden, weight and labels, about a third of them ignored."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(ROWS, WIDTH, generator=generator, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH, generator=generator, requires_grad=True)
    labels = torch.randint(VOCABULARY, (ROWS,), generator=generator)
    labels[torch.rand(ROWS, generator=generator) < 0.3] = IGNORED
    labels[:2] = torch.tensor([0, VOCABULARY - 1])
    assert IGNORED in labels
    return hidden, weight, labels


@pytest.fixture(params=[1, 2, 7, ROWS - 1, ROWS, 1000])
def chunk_rows(request, monkeypatch):
    """Rows of logits that exist at once."""
    monkeypatch.setattr(loss_module, "CHUNK_BYTES", request.param * VOCABULARY * 4)
    return request.param


def torch_loss(hidden, weight, labels):
    return functional.cross_entropy(
        hidden @ weight.T, labels, ignore_index=IGNORED, reduction="sum"
    )


def value_and_gradients(loss, hidden, weight, labels, scale=1.0):
    value = loss(hidden, weight, labels)
    return value.detach(), *torch.autograd.grad(value * scale, (hidden, weight))


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("scale", [1.0, 1 / 37])
def test_value_and_gradients_are_those_of_torch(tensors, scale):
    ours = value_and_gradients(SummedCrossEntropy.apply, *tensors, scale)
    theirs = value_and_gradients(torch_loss, *tensors, scale)
    assert ours[0] > 0
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("chunk_rows")
def test_when_all_labels_are_ignored_loss_and_gradients_are_zero(tensors):
    hidden, weight, labels = tensors
    ours = value_and_gradients(
        SummedCrossEntropy.apply, hidden, weight, torch.full_like(labels, IGNORED)
    )
    assert all((tensor == 0).all() for tensor in ours)


def test_ignored_rows_change_nothing(tensors):
    hidden, weight, labels = tensors
    counted = labels != IGNORED
    value, gradient, _weight = value_and_gradients(SummedCrossEntropy.apply, hidden, weight, labels)
    alone = SummedCrossEntropy.apply(hidden[counted], weight, labels[counted])
    torch.testing.assert_close(value, alone, rtol=1e-5, atol=1e-5)
    assert (gradient[~counted] == 0).all()


def test_very_large_logits_give_finite_numbers(tensors):
    hidden, weight, labels = tensors
    large = (hidden * 1e4).detach().requires_grad_()
    ours = value_and_gradients(SummedCrossEntropy.apply, large, weight, labels)
    theirs = value_and_gradients(torch_loss, large, weight, labels)
    for mine, expected in zip(ours, theirs, strict=True):
        assert torch.isfinite(mine).all()
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_under_autocast_it_is_about_the_same_and_gradients_stay_float32(tensors, precision):
    exact = value_and_gradients(torch_loss, *tensors)
    with torch.autocast("cpu", dtype=precision):
        rough = value_and_gradients(SummedCrossEntropy.apply, *tensors)
    assert rough[0] == pytest.approx(float(exact[0]), rel=0.01)
    assert rough[0] != exact[0]  # so it was not done in float32
    for mine, expected in zip(rough[1:], exact[1:], strict=True):
        assert mine.dtype == torch.float32
        similarity = functional.cosine_similarity(mine.flatten(), expected.flatten(), dim=0)
        assert similarity > 0.999
        assert mine.norm() == pytest.approx(float(expected.norm()), rel=0.02)


def test_in_fp16_the_sums_of_a_large_vocabulary_do_not_overflow():
    hidden, labels = torch.ones(2, 4, requires_grad=True), torch.tensor([0, 1])
    weight = torch.full((70_000, 4), 2.0, requires_grad=True)  # products with the sums: 140,000
    with torch.autocast("cpu", dtype=torch.float16):
        value, *gradients = value_and_gradients(SummedCrossEntropy.apply, hidden, weight, labels)
    assert float(value) == pytest.approx(2 * math.log(70_000), rel=1e-3)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.usefixtures("chunk_rows")
def test_gradients_agree_with_differences_of_the_value(tensors):
    hidden, weight, labels = tensors
    _value, hidden_gradient, weight_gradient = value_and_gradients(
        SummedCrossEntropy.apply, hidden, weight, labels
    )
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for which, gradient in ((0, hidden_gradient), (1, weight_gradient)):
            arguments = [hidden.double(), weight.double()]
            direction = torch.randn(gradient.shape, generator=generator).double()
            step = 1e-4
            ends = []
            for sign in (1, -1):
                moved = list(arguments)
                moved[which] = arguments[which] + sign * step * direction
                ends.append(torch_loss(*moved, labels))
            slope = (ends[0] - ends[1]) / (2 * step)
            torch.testing.assert_close(
                (gradient.double() * direction).sum(), slope, rtol=1e-4, atol=1e-3
            )


def make_batch():
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(3, VOCABULARY, (3, 12), generator=generator)
    inputs, labels = ids[:, :-1].clone(), ids[:, 1:].clone()
    inputs[1, 7:], labels[1, 7:] = 0, IGNORED
    return inputs, labels


@pytest.mark.parametrize("tied", [True, False])
def test_the_model_with_its_loss_is_the_stock_llama(tiny_config, tokenizer, reshape, tied):
    model = build_model(reshape(tiny_config, tie_word_embeddings=tied), tokenizer)
    inputs, labels = make_batch()
    ours = LanguageModelLoss(model)(inputs, labels)
    ours.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    stock = functional.cross_entropy(
        model(input_ids=inputs).logits.flatten(0, 1), labels.flatten(),
        ignore_index=IGNORED, reduction="sum",
    )  # fmt: skip
    stock.backward()
    torch.testing.assert_close(ours, stock, rtol=1e-5, atol=1e-5)
    assert len(gradients) == (20 if tied else 21)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-5)


def test_the_sum_over_targets_is_the_stock_mean_loss(tiny_model):
    ids = torch.randint(3, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(3))
    ours = LanguageModelLoss(tiny_model)(ids[:, :-1], ids[:, 1:])
    stock = tiny_model(input_ids=ids, labels=ids).loss
    torch.testing.assert_close(ours / 16, stock, rtol=1e-5, atol=1e-5)


def test_the_wrapped_model_has_no_parameter_twice(tiny_model):
    wrapped = LanguageModelLoss(tiny_model)
    assert list(wrapped.parameters()) == list(tiny_model.parameters())


# Documents of 9, 1, 14 and 8 tokens in a block of 32, and others in the second row.
PIECES = ((9, 1, 14, 8), (20, 12))
CHANGED = slice(10, 24)  # the third document of the first row


def packed_block():
    """Ids and positions of packed documents, [2, 32]; and the ids with one document exchanged."""
    ids = torch.randint(3, VOCABULARY, (2, 32), generator=torch.Generator().manual_seed(4))
    positions = torch.stack([torch.cat([torch.arange(n) for n in row]) for row in PIECES])
    changed = ids.clone()
    changed[0, CHANGED] = (ids[0, CHANGED] + 1) % VOCABULARY
    return ids, positions, changed


def difference(model, ids, changed, positions, **options):
    """How far logits of all other documents move when one is exchanged."""
    with torch.no_grad():
        before, after = (
            model(input_ids=one, position_ids=positions, use_cache=False, **options).logits
            for one in (ids, changed)
        )
    moved = (before - after).abs().amax(dim=2)
    assert moved[0, CHANGED].min() > 1e-3
    moved[0, CHANGED] = 0
    return float(moved.max())


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_document_does_not_move_the_logits_of_the_others(tiny_model, attention, precision):
    tiny_model.set_attn_implementation(attention)
    ids, positions, changed = packed_block()
    with torch.autocast("cpu", dtype=precision, enabled=precision != torch.float32):
        assert difference(tiny_model, ids, changed, positions) < 1e-6
        # the two ways to lose it without a word
        mask = torch.ones_like(ids)
        assert difference(tiny_model, ids, changed, positions, attention_mask=mask) > 1e-3
        assert difference(tiny_model, ids, changed, None) > 1e-3


def test_a_packed_document_has_the_loss_that_it_has_alone(tiny_model):
    ids, positions, _changed = packed_block()
    wrapped = LanguageModelLoss(tiny_model)
    together = wrapped(ids, ids, positions)
    alone = sum(
        wrapped(part, part)
        for row, lengths in zip(ids, PIECES, strict=True)
        for part in (piece.unsqueeze(0) for piece in row.split(lengths))
    )
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=compiler)])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_layers_computed_again_give_the_same_loss_gradients_and_random_state(
    tiny_config, tokenizer, reshape, monkeypatch, dropout, compiled
):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    inputs, labels = make_batch()
    found = []
    for again in (False, True):
        model = build_model(reshape(tiny_config, dropout=dropout), tokenizer)
        if again:
            checkpoint_layers(model)
        wrapped = LanguageModelLoss(model).train()
        if compiled:
            compile_parts(wrapped, Accelerator(cpu=True))
        torch.manual_seed(1)
        loss = wrapped(inputs, labels)
        loss.backward()
        gradients = {name: p.grad for name, p in model.named_parameters()}
        found.append({"loss": loss.detach(), "random": torch.get_rng_state(), **gradients})
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, rtol=1e-6, atol=1e-6)


def test_computing_layers_again_keeps_fewer_tensors(tiny_config, tokenizer, reshape):
    kept = []
    for again in (False, True):
        model = build_model(reshape(tiny_config, num_hidden_layers=4), tokenizer)
        if again:
            checkpoint_layers(model)
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, sizes=sizes: sizes.append(tensor.numel()) or tensor,
            lambda tensor: tensor,
        ):
            LanguageModelLoss(model).train()(*make_batch())
        kept.append(sum(sizes))
    assert kept[1] < 0.5 * kept[0]
