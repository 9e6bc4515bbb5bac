"""Texts that are nearly the same are found and measured exactly, however they come in batches."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus import near_duplicates
from hf_zh_dict.corpus.near_duplicates import (
    BANDS,
    NEIGHBOURS,
    ROWS,
    SHORTEST,
    THRESHOLD,
    NearDuplicates,
    jaccard,
    trigrams,
)

CHARACTERS = "山水風雨花草魚鳥石木船燈橋米茶的不一有\U00020000𠮷"


def plain_set(text):
    return {text[i : i + 3] for i in range(len(text) - 2)}


def plain_jaccard(one, other):
    one, other = plain_set(one), plain_set(other)
    return len(one & other) / len(one | other)


@pytest.fixture
def collect(tmp_path):
    """Takes texts, each owned by its place when nothing else is said."""
    made = []

    def collect(texts, owners=None):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(NearDuplicates(folder))
        for owner, text in zip(owners or itertools.count(), texts, strict=False):
            made[-1].add(owner, text)
        return made[-1]

    yield collect
    for near in made:
        near.close()
        assert not any(path.exists() for path in near.paths)


@pytest.fixture
def similar(collect):
    """Pairs found among texts."""

    def similar(texts, owners=None):
        return {(one, two): strength for one, two, strength in collect(texts, owners).pairs()}

    return similar


def made_up(generator, length=40):
    return "".join(chr(generator.randrange(0x4E00, 0x9000)) for _ in range(length))


@given(st.text(CHARACTERS, min_size=3, max_size=60))
def test_trigrams_are_the_set_of_all_stretches_of_three_characters(text):
    numbers = trigrams(text)
    spelled = sorted(tuple(map(ord, piece)) for piece in plain_set(text))
    assert numbers.tolist() == [a << 42 | b << 21 | c for a, b, c in spelled]


def test_a_similarity_by_hand():
    assert jaccard(trigrams("甲乙丙丁"), trigrams("乙丙丁戊")) == 1 / 3
    assert jaccard(trigrams("甲乙丙丁"), trigrams("甲乙丙丁")) == 1
    assert jaccard(trigrams("甲乙丙"), trigrams("丙乙甲")) == 0


@given(st.text(CHARACTERS[:4], min_size=3, max_size=30), st.text(CHARACTERS[:4], min_size=3))
def test_the_similarity_is_that_of_the_plain_sets(one, other):
    assert jaccard(trigrams(one), trigrams(other)) == plain_jaccard(one, other)


def test_planted_copies_are_found_and_nothing_else(similar):
    generator = random.Random(0)
    texts = [made_up(generator) for _ in range(400)]
    copies = {}
    for place in range(0, 400, 10):
        changed = list(texts[place])
        changed[generator.randrange(40)] = "改"
        copies[place, len(texts)] = plain_jaccard(texts[place], "".join(changed))
        texts.append("".join(changed))
    assert min(copies.values()) > 0.8
    assert similar(texts) == copies


def test_pairs_are_those_of_comparing_every_text_with_every_other(similar):
    generator = random.Random(1)
    whole = made_up(generator, 60)
    texts = []
    for _ in range(60):
        start = generator.randrange(0, 20)
        texts.append(whole[start : start + 40])
    alike = {
        (i, j): plain_jaccard(texts[i], texts[j])
        for i, j in itertools.combinations(range(len(texts)), 2)
    }
    found = similar(texts)
    assert all(alike[pair] == strength >= THRESHOLD for pair, strength in found.items())
    joined = list(range(len(texts)))  # of many alike, each meets a few: together they hang
    for i, j in found:
        joined = [min(joined[i], joined[j]) if n in (joined[i], joined[j]) else n for n in joined]
    assert all(joined[i] == joined[j] for (i, j), strength in alike.items() if strength > 0.8)


def test_as_many_candidates_as_the_docstring_says(collect):
    generator = random.Random(2)
    texts = []
    for _ in range(300):  # 30 of 62 trigrams shared: just below one half
        middle = made_up(generator, 32)
        texts += [made_up(generator, 16) + middle, middle + made_up(generator, 16)]
    found = set(map(tuple, collect(texts).candidates().tolist()))
    share = sum((i, i + 1) in found for i in range(0, 600, 2)) / 300
    similarity = plain_jaccard(texts[0], texts[1])
    assert share == pytest.approx(1 - (1 - similarity**ROWS) ** BANDS, abs=0.08)


def test_short_texts_and_texts_of_one_owner_make_no_pair(collect, similar):
    assert len(collect(["山" * (SHORTEST - 1), "山" * SHORTEST]).owners) == 1
    assert similar(["地名。", "地名。"]) == {}
    text = "在船邊刻記號找掉進水裡的劍"
    assert similar([text, text], owners=[5, 5]) == {}
    assert similar([text, "短", text], owners=[5, 6, 7]) == {(5, 7): 1}
    assert similar([]) == {}
    assert similar([text]) == {}


def test_many_equal_texts_hang_together_in_few_pairs(similar):
    found = similar(["在船邊刻記號找掉進水裡的劍"] * 3000)
    assert len(found) <= 3000 * NEIGHBOURS
    assert {(i, i + 1) for i in range(2999)} <= set(found)


def test_batches_make_no_difference(similar, monkeypatch):
    generator = random.Random(3)
    whole = made_up(generator, 80)
    texts = [whole[start : start + 40] for start in range(0, 40, 3)] + ["短", made_up(generator)]
    at_once = similar(texts)
    for size in (1, 2, 5, len(texts) - 1):
        monkeypatch.setattr(near_duplicates, "BATCH", size)
        assert similar(texts) == at_once
    assert at_once


def test_candidates_are_ordered_pairs_each_once(collect):
    rows = collect(["在船邊刻記號找掉進水裡的劍"] * 20).candidates()
    assert (rows[:, 0] < rows[:, 1]).all()
    assert len(np.unique(rows, axis=0)) == len(rows)
