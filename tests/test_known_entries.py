"""A headword's entries and a text's nearest train entry are found as a slow reading finds them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.known_entries import KnownEntries, KnownEntry
from hf_zh_dict.evaluation.nearest import nearest_overlap
from hf_zh_dict.paths import RunPaths

LINES = st.text("甲乙丙", max_size=14)


def known_of(*lines, split="train"):
    return KnownEntries(KnownEntry(line, line[:1], split) for line in lines)


@pytest.fixture(scope="module")
def embedded(embedded_corpus):
    folder = embedded_corpus[0]
    return RunPaths(folder.parent, folder)


def test_entries_are_found_by_their_headword_with_their_split(embedded):
    known = KnownEntries.read(embedded)
    for split in ("train", "validation", "test"):
        text = next(read_texts(embedded.split(split)))
        headword = text.split("　")[0]
        assert (text, split) in [(e.text, e.split) for e in known.find(headword)]
        assert all(e.held_out == (split != "train") for e in known.find(headword))
    assert known.find("沒有這個詞") == known.find("") == []


def test_a_drawn_word_is_held_out(embedded):
    known = KnownEntries.read(embedded)
    drawn = {known.draw_held_out(random.Random(seed)) for seed in range(20)}
    assert len(drawn) > 5
    assert all(entry.held_out for word in drawn for entry in known.find(word))
    one = drawn.pop()
    again = {known.draw_held_out(random.Random(seed), besides=one) for seed in range(99)}
    assert len(again) > 5
    assert one not in again
    assert known_of("甲。").draw_held_out(random.Random(0)) == ""


@given(LINES, st.lists(LINES, max_size=6))
def test_the_nearest_entry_holds_as_much_as_the_suite_finds(text, train):
    nearest = known_of(*train).find_nearest(text)
    (share,) = nearest_overlap([text], train)
    assert (nearest.share if nearest else 0) == pytest.approx(share)
    assert nearest is None or nearest_overlap([text], [nearest.entry.text]) == [nearest.share]


def test_held_out_entries_are_no_nearest_entry():
    assert known_of("甲乙丙丁戊己", split="test").find_nearest("甲乙丙丁戊己") is None
