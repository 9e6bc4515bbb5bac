"""What follows a shared beginning is scored as the whole line is, and written greedily."""

import pytest
import torch

from hf_zh_dict.evaluation.continuations import (
    continue_greedily,
    count_shared,
    score_continuations,
    score_endings,
)
from hf_zh_dict.evaluation.scoring import ScoredText, score_tokens

PREFIX = [1, 20, 30, 40]
CONTINUATIONS = [[50], [60, 70, 80], [90, 91], [60, 70, 81, 99, 98]]


def test_a_cached_prefix_changes_nothing(tiny_model):
    cached = score_continuations(tiny_model, PREFIX, CONTINUATIONS, batch_size=3)
    lines = [ScoredText((*PREFIX, *ids), 1, 1) for ids in CONTINUATIONS]
    whole = score_tokens(tiny_model, lines, batch_size=2, context_length=32)
    expected = [nll[len(PREFIX) - 1 :].sum() for nll in whole]
    assert cached == pytest.approx(expected, rel=1e-5)


def test_other_models_are_scored_likewise(tokenizer):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **shape)).eval()
    cached = score_continuations(model, PREFIX, CONTINUATIONS, batch_size=3)
    lines = [ScoredText((*PREFIX, *ids), 1, 1) for ids in CONTINUATIONS]
    whole = score_tokens(model, lines, batch_size=2, context_length=32)
    assert cached == pytest.approx([nll[3:].sum() for nll in whole], rel=1e-5)


def test_what_all_endings_share_is_left_out(tiny_model, tokenizer):
    beginning, endings = "橋　ㄑㄧㄠˊ", ["　河上的路", "　河上的船", "　天上的雲"]
    costs = score_endings(tiny_model, tokenizer, beginning, endings, batch_size=2)
    lines = [tokenizer(beginning + ending)["input_ids"] for ending in endings]
    shared = count_shared(lines)
    scored = [ScoredText(tuple(line), 1, 1) for line in lines]
    whole = score_tokens(tiny_model, scored, batch_size=3, context_length=64)
    assert costs == pytest.approx([nll[shared - 1 :].sum() for nll in whole], rel=1e-5)


def test_each_line_keeps_a_token_of_its_own():
    assert count_shared([[1, 2, 3], [1, 2, 4, 5]]) == 2
    assert count_shared([[1, 2], [1, 2, 3]]) == 1
    assert count_shared([[1, 2], [1, 2]]) == 1


def test_the_likeliest_token_is_written_and_the_first_is_one_of_those_allowed(tiny_model):
    allowed, stop = [100, 101, 102], 3
    rows = continue_greedily(
        tiny_model, [PREFIX, [1, 5, 6, 7]],
        max_new_tokens=6, allowed_first=allowed, is_done=lambda row: len(row) == stop,
    )  # fmt: skip
    for prefix, row in zip([PREFIX, [1, 5, 6, 7]], rows, strict=True):
        ids = list(prefix)
        for place, token in enumerate(row):
            with torch.no_grad():
                logits = tiny_model(torch.tensor([ids])).logits[0, -1]
            if place == 0:
                assert token == max(allowed, key=lambda t: logits[t])
            else:
                assert token == int(logits.argmax())
            ids.append(token)
        assert len(row) == stop
