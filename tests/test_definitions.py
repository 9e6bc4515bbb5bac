"""Definitions are told apart from others, which are alike and never of the same group."""

import numpy as np
import pytest

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.evaluation import definitions
from hf_zh_dict.evaluation.entries import Definition, HeldOutEntry, find_definitions
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.paths import RunPaths


def define(headword, text, *, group="", dictionary="revised", part_of_speech=""):
    sense = Sense((Passage("definition", text),), part_of_speech=part_of_speech)
    entry = Entry(headword, (Reading("ㄅ", "", (sense,)),))
    of = HeldOutEntry(entry, headword, dictionary, group or headword)
    return Definition(of, text, part_of_speech)


def test_a_definition_that_names_its_headword_is_no_question():
    entries = [
        d.of for d in (define("山", "山的樣子"), define("水", "液體"), define("火", "久" * 99))
    ]
    assert [d.text for d in find_definitions(entries, 60)] == ["液體"]


def test_wrong_answers_are_alike():
    asked = define("甲", "四個字的")
    same, longer = define("乙", "也四個字"), define("丙", "這有五個字")
    verb = define("丁", "動詞四字", part_of_speech="動")
    known = [
        verb, longer, same, define("己", "同組四字", group="甲"), define("辛", "甲的意思"),
        define("壬", "小字典的", dictionary="mini"), asked,
    ]  # fmt: skip
    found = definitions.find_alike(asked, known, 4)
    assert [other.of.headword for other in found] == ["乙", "丙", "壬", "丁"]


@pytest.fixture
def all_known(tiny_model, tokenizer, tmp_path):
    """A subject whose model is asked nothing, and 120 definitions."""
    subject = Subject("x", tiny_model, tokenizer, RunPaths(tmp_path), folder=tmp_path)
    return subject, [define(chr(0x4E00 + i), f"第{i}個意思") for i in range(120)]


def test_who_knows_everything_is_always_right(all_known, monkeypatch):
    subject, known = all_known

    def know(_subject, headword, options):
        return np.array([float(option.of != headword.of) for option in options])

    monkeypatch.setattr(definitions, "score_definitions", know)
    ranked = definitions.rank_definitions(subject, known[:7], known)
    assert set(ranked) == {"among_10", "among_100"}
    for measures in ranked.values():
        for measure in measures["over_expectation"].values():
            assert measure["value"] == 1
    assert ranked["among_10"]["by_bits_per_char"]["mrr"]["count"] == 7


def test_who_knows_only_what_is_usual_gains_nothing_over_expectation(all_known, monkeypatch):
    subject, known = all_known

    def prefer(_subject, _headword, options):
        return np.array([float(option.text.removeprefix("第")[0]) for option in options])

    monkeypatch.setattr(definitions, "score_definitions", prefer)
    ranked = definitions.rank_definitions(subject, known, known)
    by_expectation = ranked["among_10"]["over_expectation"]["mrr"]
    assert by_expectation["value"] == pytest.approx(1 / 5.5)  # all are equal
