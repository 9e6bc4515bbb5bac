"""Readings are learned from train, and answers are compared syllable by syllable."""

from hf_zh_dict.evaluation.entries import read_entry
from hf_zh_dict.evaluation.readings import (
    compare,
    learn_readings,
    prompt_of,
    split_syllables,
    tone_of,
)


def row(headword, bopomofo, **more):
    text = f"{headword}　{bopomofo}　義。"
    start = len(headword) + 1
    spans = [{"field": "bopomofo", "start": start, "end": start + len(bopomofo)}]
    return {"text": text, "headword": headword, "view": "plain", "spans": spans,
            "dictionary": "revised", "group": headword, **more}  # fmt: skip


TRAIN = [
    row("銀行", "ㄧㄣˊ ㄏㄤˊ"),
    row("行業", "ㄏㄤˊ ㄧㄝˋ"),
    row("行人", "ㄒㄧㄥˊ ㄖㄣˊ"),
    row("行車", "ㄒㄧㄥˊ ㄔㄜ"),
    row("人車", "ㄖㄣˊ ㄔㄜ"),
    row("一五，一十", "ㄧ ㄨˇ，ㄧ ㄕˊ"),
]


def test_words_are_sorted_by_what_train_says_of_their_characters():
    known = learn_readings(TRAIN)
    assert known.guess("人行") == ["ㄖㄣˊ", "ㄏㄤˊ"]
    assert known.guess("鷹人") == [known.syllable, "ㄖㄣˊ"]
    assert known.kinds("人車") == ["all", "single_reading"]
    assert known.kinds("車人") == ["all", "single_reading", "unseen_compound"]
    assert known.kinds("車行") == ["all", "with_heteronym", "unseen_compound"]
    assert known.kinds("行") == ["all", "with_heteronym"]
    assert known.of["五"] == {"ㄨˇ": 1}
    assert known.tone == "ˊ"


def test_answers_are_compared_by_place():
    truth = [["ㄖㄣˊ", "ㄔㄜ"], ["ㄏㄤˊ"]]
    answers = [["ㄖㄣˊ", "ㄓㄜ", "ㄏㄤˊ"], ["ㄒㄧㄥˊ"]]
    found = compare(truth, answers)
    assert found["exact"] == ([0.0, 0.0], [1.0, 1.0])
    assert found["syllable"] == ([1.0, 0.0], [2.0, 1.0])
    assert found["tone"] == ([2.0, 1.0], [2.0, 1.0])
    assert compare(truth, truth)["exact"][0] == [1.0, 1.0]


def test_syllables_and_tones():
    assert split_syllables("ㄧ ㄨˇ，ㄧ ㄕˊ") == ["ㄧ", "ㄨˇ", "ㄧ", "ㄕˊ"]
    assert [tone_of(s) for s in ("˙ㄗ", "ㄔㄜ", "ㄊㄡˊㄦ")] == ["˙", "", "ˊ"]


def test_the_prompt_ends_before_the_reading():
    held_out = read_entry(
        row("行", "ㄏㄤˊ", text="行　行部0畫　(一)　ㄏㄤˊ　列。　(二)　ㄒㄧㄥˊ　走。")
    )
    assert prompt_of(held_out) == "行　行部0畫　(一)"
