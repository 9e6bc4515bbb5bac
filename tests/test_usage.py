"""Pairs of sentences are those that the entries give, right one first."""

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.evaluation.entries import HeldOutEntry
from hf_zh_dict.evaluation.usage import find_pairs


def held_out(headword, *passages, group="", bopomofo="ㄅ", sections=()):
    sense = Sense(tuple(Passage(*passage) for passage in passages))
    entry = Entry(headword, (Reading(bopomofo, "", (sense,)),), sections=sections)
    return HeldOutEntry(entry, headword, "revised", group or headword)


def test_an_example_is_paired_with_the_next_word_of_its_kind():
    pairs = find_pairs(
        [
            held_out("高山", ("definition", "高的山。"), ("example", "如：「爬高山」。")),
            held_out("山", ("definition", "土石。"), ("example", "如：「山頂」。")),
            held_out("大山", ("definition", "大的山。"), group="高山"),
            held_out("流水", ("definition", "流動的水。")),
        ]
    )
    assert [(pair.kind, pair.lines) for pair in pairs] == [
        ("words", ("高山　ㄅ　如：「爬高山」。", "流水　ㄅ　如：「爬流水」。"))
    ]
    assert pairs[0].lines[0][pairs[0].starts[0] :] == "如：「爬高山」。"


def test_idioms_are_judged_where_only_one_is_right():
    text = "甲乙丙丁○戊己庚辛ㄨ：他∼，走了。 甲乙丙丁ㄨ戊己庚辛○：真是∼！ 甲乙丙丁○戊己庚辛○：都∼。"
    entry = held_out("甲乙丙丁", sections=(Passage("discrimination_examples", text),))
    assert [pair.lines for pair in find_pairs([entry])] == [
        ("甲乙丙丁　他甲乙丙丁，走了。", "戊己庚辛　他戊己庚辛，走了。"),
        ("戊己庚辛　真是戊己庚辛！", "甲乙丙丁　真是甲乙丙丁！"),
    ]


def test_a_misspelling_is_the_one_that_is_warned_of():
    sections = (
        Passage("usage_examples", "這是守株待兔。 沒有它。"),
        Passage("form_and_sound", "株，音ㄓㄨ。樹幹、樹根。不可寫作「珠」。"),
    )
    (pair,) = find_pairs([held_out("守株待兔", sections=sections)])
    assert pair.kind == "miswritten"
    assert pair.lines == ("守株待兔　這是守株待兔。", "守珠待兔　這是守珠待兔。")
