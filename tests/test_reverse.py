"""A headword is found among all: first by what is expected behind it, then by what is said exactly."""

import numpy as np
import pytest
import torch
from test_definitions import define

from hf_zh_dict.evaluation import reverse
from hf_zh_dict.evaluation.entries import read_headwords
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.tokens.tokenizer import encode_texts

KNOWN = [define(chr(0x4E00 + i), f"第{i}個意思") for i in range(400)]
TEXTS = {definition.of.headword: definition.beginning + definition.ending for definition in KNOWN}


@pytest.fixture
def costs(monkeypatch):
    """Both steps know the costs [headwords, definitions] that a test lays down, and which were asked."""
    lines, endings = (
        [definition.beginning for definition in KNOWN],
        [definition.ending for definition in KNOWN],
    )
    exact = np.ones((len(lines), len(endings)))
    rough, asked = exact.copy(), []

    def expect(_subject, _lines, chosen):
        return rough[:, [endings.index(ending) for ending in chosen]]

    def score(_subject, chosen, ending):
        asked.append(len(chosen))
        return exact[[lines.index(line) for line in chosen], endings.index(ending)]

    monkeypatch.setattr(reverse, "expect_endings", expect)
    monkeypatch.setattr(reverse, "score_ending", score)
    return rough, exact, asked


def test_who_knows_everything_is_always_right(costs, subject):
    rough, exact, asked = costs
    np.fill_diagonal(rough, 0)
    np.fill_diagonal(exact, 0)
    found = reverse.rank_headwords(subject, KNOWN[:7], TEXTS)
    assert found["accuracy@1"]["value"] == found["median_rank"]["value"] == 1
    assert found["shortlisted"]["value"] == 1
    assert found["shortlisted"]["chance"] == 300 / 400
    assert found["accuracy@100"]["chance"] == 100 / 400
    assert found["headwords"] == 400
    assert asked == [300] * 7


def test_what_the_first_step_misses_keeps_its_place_there(costs, subject):
    rough, exact, _asked = costs
    np.fill_diagonal(exact, 0)
    rough[0, 0], rough[350:, 0] = 2.0, 3.0  # 349 others are expected sooner, 50 later
    found = reverse.rank_headwords(subject, KNOWN[:1], TEXTS)
    assert found["median_rank"]["value"] == 350
    assert found["shortlisted"]["value"] == 0


def test_the_second_step_decides_among_the_first_ones(costs, subject):
    rough, exact, _asked = costs
    np.fill_diagonal(rough, 0)
    exact[:3, 1] = 0.5
    assert reverse.rank_headwords(subject, KNOWN[1:2], TEXTS)["median_rank"]["value"] == 2


def test_a_headword_that_the_corpus_spells_otherwise_is_added(costs, subject):
    others = {headword: text for headword, text in TEXTS.items() if headword != "一"}
    assert reverse.rank_headwords(subject, KNOWN[:1], others)["headwords"] == 400


def test_every_headword_of_the_corpus_is_among_them(make_run):
    texts = read_headwords(RunPaths(make_run()))
    assert len(texts) > 700
    assert all(text.startswith(headword) for headword, text in texts.items())


def test_an_ending_costs_what_its_tokens_cost_behind_the_line(subject):
    line, ending = "青石橋　ㄑㄧㄥ　ㄕˊ　ㄑㄧㄠˊ　qīng shí qiáo", "　石頭的橋。"
    before, whole = encode_texts(subject.tokenizer, [line, line + ending])
    start = reverse.count_equal(before, whole)
    ids = torch.tensor([[subject.tokenizer.bos_token_id, *whole]])
    with torch.no_grad():
        likely = subject.model(ids).logits.log_softmax(dim=-1)[0]
    cost = -sum(float(likely[i, ids[0, i + 1]]) for i in range(start, len(whole)))
    found = reverse.score_ending(subject, ["茶壺　ㄔㄚˊ", line], ending)
    assert found[1] == pytest.approx(cost, rel=1e-5)


def test_an_ending_is_expected_by_what_the_model_has_in_mind(subject):
    lines, endings = ["收音機", "霧燈", "踏雪"], ["　燈。燈。", "　鳥名。"]
    found = reverse.expect_endings(subject, lines, endings)
    assert found.shape == (3, 2)
    opening = len(encode_texts(subject.tokenizer, [reverse.OPENING])[0])
    likely = []
    for line in lines:
        ids = [subject.tokenizer.bos_token_id]
        ids += encode_texts(subject.tokenizer, [line + reverse.OPENING])[0]
        with torch.no_grad():
            logits = subject.model(torch.tensor([ids])).logits[0, -opening:]
        likely.append(logits.softmax(dim=-1).mean(dim=0).numpy())
    information = np.log(np.stack(likely) / np.mean(likely, axis=0)).clip(min=0)
    for column, ending in enumerate(endings):
        tokens = sorted(set(encode_texts(subject.tokenizer, [ending])[0]))
        assert found[:, column] == pytest.approx(-information[:, tokens].sum(axis=1), rel=1e-3)
