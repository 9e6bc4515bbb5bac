"""Samples are measured as the dictionary's own entries are; those reach what entries reach."""

import json

import pytest

from hf_zh_dict.evaluation.suites import samples


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(samples, "SAMPLES", 12)
    monkeypatch.setattr(samples, "MAX_NEW_TOKENS", 40)


def test_an_untrained_model_against_the_dictionary(subject):
    results = samples.run(subject)
    json.dumps(results, allow_nan=False)
    ours, theirs = results["headword"], results["dictionary"]
    assert results["unconditional"]["entry_structure"]["value"] == 0
    assert ours["entry_structure"]["value"] == ours["bopomofo_validity"]["value"] == 0
    assert ours["reading_accuracy"]["value"] == 0
    assert theirs["entry_structure"]["value"] == theirs["bopomofo_validity"]["value"] == 1
    assert theirs["pinyin_agreement"]["value"] == 1
    assert theirs["simplified"]["value"] == 0
    assert theirs["novelty"]["value"] > 0.3
    assert results["samples"]["headword"][0].split("\u3000")[0] == first_headword(subject)
    assert samples.run(subject) == results


def first_headword(subject):
    return samples.choose_rows(subject)[0]["headword"]


def test_copies_of_training_entries_are_not_new():
    truths = ["青石橋　ㄑㄧㄥ ㄕˊ ㄑㄧㄠˊ　qīng shí qiáo　用青石砌成的橋。"] * 3
    measures = samples.measure_texts(truths, ["甲", "乙", "丙"], [1.0, 1.0, 0.5], seed=0)
    assert measures["novelty"]["value"] == pytest.approx(1 / 6)
    assert measures["entry_structure"]["value"] == 1
    assert measures["distinct_1"]["value"] < 0.5


def test_simplified_characters_are_found():
    texts = ["汉语　漢語。", "漢語　漢語。"]
    assert (
        samples.measure_texts(texts, ["甲", "乙"], [0.0, 0.0], seed=0)["simplified"]["value"] == 0.5
    )


def test_a_headword_is_the_beginning_of_its_document():
    assert samples.begin_entry("橋", "橋　ㄑㄧㄠˊ") == "橋　"
    assert samples.begin_entry("橋", "橋樑很長") == "橋"
