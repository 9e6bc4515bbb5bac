"""Bits are what one forward pass over a document says, whatever the batches."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.evaluation import scoring
from hf_zh_dict.evaluation.scoring import (
    Score,
    ScoredText,
    cut_windows,
    prepare_texts,
    score_texts,
    spread,
    total_score,
)
from hf_zh_dict.model.llama import build_model

CONTEXT = 32


@pytest.fixture
def prepared(tokenizer, texts):
    return prepare_texts(tokenizer, texts)


def score(model, prepared, *, batch_size=8, context_length=CONTEXT):
    return score_texts(model, prepared, batch_size=batch_size, context_length=context_length)


def nats_by_hand(model, ids):
    """One document, one forward pass, the stock logits."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids[:-1]])).logits[0].double()
    chosen = torch.log_softmax(logits, dim=-1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    return -float(chosen.sum())


def test_a_document_is_its_text_between_bos_and_eos(tokenizer):
    (text,) = prepare_texts(tokenizer, ["橋 <s>\U00020000"])
    assert text.ids[0] == tokenizer.bos_token_id
    assert text.ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(text.ids[1:-1]) == "橋 <s>\U00020000"
    assert tokenizer.bos_token_id not in text.ids[1:]
    assert (text.num_chars, text.num_bytes) == (6, 3 + 4 + 4)


def test_nats_are_those_of_one_forward_pass_on_each_document(tiny_model, prepared):
    short = [text for text in prepared if len(text.ids) - 1 <= CONTEXT]
    assert len(short) > 10
    expected = [nats_by_hand(tiny_model, text.ids) for text in short]
    np.testing.assert_allclose(score(tiny_model, short), expected, rtol=1e-5)


def test_bits_per_character_by_hand(tiny_model, tokenizer):
    text = "青石橋　橋"
    prepared = prepare_texts(tokenizer, [text])
    nats = nats_by_hand(tiny_model, prepared[0].ids)
    total = total_score(prepared, score(tiny_model, prepared))
    assert total.bits_per_char == pytest.approx(nats / math.log(2) / 5, rel=1e-5)
    assert total.bits_per_byte == pytest.approx(nats / math.log(2) / 15, rel=1e-5)
    assert total.loss == pytest.approx(nats / (len(prepared[0].ids) - 1), rel=1e-5)
    assert total.perplexity == pytest.approx(math.exp(total.loss))


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_batch_size_and_order_change_nothing(tiny_model, prepared, batch_size):
    expected = score(tiny_model, prepared)
    np.testing.assert_allclose(
        score(tiny_model, prepared, batch_size=batch_size), expected, rtol=1e-5
    )
    backwards = score(tiny_model, prepared[::-1], batch_size=batch_size)
    np.testing.assert_allclose(backwards[::-1], expected, rtol=1e-5)


def test_the_number_of_logit_rows_at_once_changes_nothing(tiny_model, prepared, monkeypatch):
    expected = score(tiny_model, prepared)
    monkeypatch.setattr(scoring, "LOGIT_ROWS", 5)
    np.testing.assert_allclose(score(tiny_model, prepared), expected, rtol=1e-5)


def test_processes_that_share_the_texts_reach_the_same_sums(tiny_model, prepared):
    whole = total_score(prepared, score(tiny_model, prepared))
    parts = [total_score(prepared[r::3], score(tiny_model, prepared[r::3])) for r in range(3)]
    sums = [sum(column) for column in zip(*(part.as_tuple() for part in parts), strict=True)]
    assert sums == pytest.approx(whole.as_tuple())


def test_a_long_document_is_the_sum_of_its_windows(tiny_model, prepared):
    long = max(prepared, key=lambda text: len(text.ids))
    assert len(long.ids) > 3 * CONTEXT
    cut = [
        nats_by_hand(tiny_model, long.ids[start : start + CONTEXT + 1])
        for start in range(0, len(long.ids) - 1, CONTEXT)
    ]
    assert score(tiny_model, [long])[0] == pytest.approx(sum(cut), rel=1e-5)


@given(
    lengths=st.lists(st.integers(2, 50), min_size=1, max_size=8), context_length=st.integers(1, 20)
)
def test_every_token_but_bos_is_a_target_once(lengths, context_length):
    starts = np.cumsum([0, *lengths])
    documents = [
        ScoredText(tuple(range(start, start + length)), 1, 1)
        for start, length in zip(starts.tolist(), lengths, strict=False)
    ]
    found = [[] for _document in documents]
    for document, _place, inputs, targets in cut_windows(documents, context_length):
        assert 1 <= len(inputs) <= context_length
        assert targets == tuple(token + 1 for token in inputs)
        found[document] += targets
    assert [tuple(targets) for targets in found] == [text.ids[1:] for text in documents]


def test_an_empty_text_still_has_its_end_to_tell(tiny_model, tokenizer):
    prepared = prepare_texts(tokenizer, [""])
    assert len(prepared[0].ids) == 2
    assert score(tiny_model, prepared)[0] == pytest.approx(
        nats_by_hand(tiny_model, prepared[0].ids), rel=1e-5
    )


def test_a_uniform_model_needs_the_logarithm_of_the_vocabulary(tiny_model, prepared):
    with torch.no_grad():
        tiny_model.lm_head.weight.zero_()
    total = total_score(prepared, score(tiny_model, prepared))
    assert total.loss == pytest.approx(math.log(300), rel=1e-6)
    assert total.perplexity == pytest.approx(300, rel=1e-5)


def test_dropout_does_not_act_and_the_mode_is_left_as_it_was(
    tiny_config, tokenizer, reshape, prepared
):
    model = build_model(reshape(tiny_config, dropout=0.5), tokenizer).train()
    in_training = score(model, prepared)
    assert model.training
    np.testing.assert_array_equal(in_training, score(model.eval(), prepared))
    assert not model.training


def test_the_total_sums_and_divides_once():
    texts = [ScoredText((0, 5, 1), 2, 6), ScoredText((0, 5, 6, 7, 1), 3, 7)]
    total = total_score(texts, np.array([4.0, 8.0]))
    assert total == Score(nll=12.0, num_tokens=6, num_chars=5, num_bytes=13)
    assert total.loss == 2
    assert total.bits_per_char == pytest.approx(12 / math.log(2) / 5)
    assert total.bits_per_byte == pytest.approx(12 / math.log(2) / 13)


def test_the_perplexity_of_a_hopeless_model_is_a_number():
    assert math.isfinite(Score(nll=1e6, num_tokens=1, num_chars=1, num_bytes=1).perplexity)


@given(count=st.integers(0, 500), limit=st.integers(0, 600))
def test_spread_chooses_evenly(count, limit):
    chosen = spread(count, limit)
    assert len(chosen) == (min(count, limit) if limit else count)
    assert all(0 <= index < count for index in chosen)
    gaps = set(np.diff(chosen).tolist())
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)
