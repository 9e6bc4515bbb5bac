"""The nearest entry is the one that holds most of a text's n-grams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.evaluation.nearest import ORDER, hash_grams, nearest_overlap

LINES = st.text("甲乙丙", max_size=14)


def test_overlap_by_hand():
    train = ["甲乙丙丁戊己", "庚辛壬癸子丑寅卯"]
    texts = ["甲乙丙丁戊己", "甲乙丙丁戊庚", "子丑寅卯辰巳午", "甲乙丙"]
    assert nearest_overlap(texts, train) == [1, 0.5, 0, 0]
    assert nearest_overlap(["癸子丑寅卯辰"], train) == [0.5]


def test_two_entries_together_are_no_nearest_entry():
    assert nearest_overlap(["甲乙丙丁戊己庚"], ["甲乙丙丁戊", "丙丁戊己庚"]) == [
        pytest.approx(1 / 3)
    ]


@given(st.lists(LINES, max_size=4), st.lists(LINES, max_size=6))
def test_it_is_what_sets_of_strings_say(texts, train):
    def grams(text):
        return {text[i : i + ORDER] for i in range(len(text) - ORDER + 1)}

    expected = [
        max((len(grams(text) & grams(entry)) / len(grams(text)) for entry in train), default=0)
        if grams(text)
        else 0
        for text in texts
    ]
    assert nearest_overlap(texts, train) == pytest.approx(expected)


def test_grams_of_different_characters_differ():
    text = "".join(map(chr, range(0x4E00, 0x9FFF)))
    assert len(set(hash_grams(text).tolist())) == len(text) - ORDER + 1
