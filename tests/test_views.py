"""Every view of an entry is one readable line, whose spans hold; the reverse view keeps its secret."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from strategies import entries

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.dictionaries.views import VIEWS, describes, render_views, split_keyed, tells


def sense(text, number=0, part_of_speech=""):
    return Sense(split_passages(text), number, part_of_speech)


def views_of(entry):
    return {document.view: document.text for document in render_views(entry)}


DRIFT = Entry(
    headword="漂",
    radical="水",
    residual_strokes=11,
    strokes=14,
    dictionary="revised",
    entry_id="7",
    readings=(
        Reading(
            "ㄆㄧㄠ",
            "piāo",
            senses=(
                sense("浮在水面移動。如：「漂流」、「漂浮」。", 1, "動"),
                sense("四處流浪。《水經》：「漂，流也。」", 2, "動"),
                sense("流動的。也作「飄」。", 1, "形"),
            ),
            sections=(
                Passage("variant_reading", "又音 ㄆㄧㄠˊ piáo"),
                Passage("synonyms", "[動]1.浮、流 2.蕩 [形]1.飄"),
            ),
        ),
        Reading(
            "ㄆㄧㄠˇ",
            "piǎo",
            senses=(sense("用水沖洗"),),
            sections=(Passage("antonyms", "染"),),
        ),
    ),
    sections=(Passage("variants", "飃"),),
)
CARVE = Entry(
    headword="刻舟求劍",
    dictionary="idioms",
    entry_id="3",
    readings=(
        Reading(
            "ㄎㄜˋ ㄓㄡ ㄑㄧㄡˊ ㄐㄧㄢˋ",
            "kè zhōu qiú jiàn",
            senses=(sense("在船邊刻記號找劍。比喻不知變通。"), sense("參見：「守株待兔」")),
        ),
    ),
    sections=(
        Passage("source", "《呂氏春秋．察今》"),
        Passage("source_text", "楚人有涉江者，其劍自舟中墜於水。"),
        Passage("story", "有人的劍掉進水裡，他在船上刻了記號。"),
        Passage("quotations", "01.《歧路燈》：「刻舟求劍罷了。」（源）"),
        Passage("usage_meaning", "比喻拘泥。貶義。"),
        Passage("usage_category", "用在「固執」的表述上。"),
        Passage("usage_examples", "死守舊規，不過是刻舟求劍。"),
        Passage("form_and_sound", "刻，音ㄎㄜˋ"),
        Passage("synonyms", "膠柱鼓瑟、守株待兔"),
        Passage("antonyms", "隨機應變"),
    ),
)
VARIANT = Entry(
    headword="峯",
    radical="山",
    residual_strokes=7,
    strokes=10,
    dictionary="revised",
    readings=(Reading(senses=(sense("「峰」的異體字。"),)),),
)
BUS = Entry(
    headword="公車",
    radical="八",
    residual_strokes=2,
    strokes=4,
    dictionary="concised",
    readings=(
        Reading(
            "ㄍㄨㄥ ㄔㄜ",
            senses=(
                sense("公家的車。例如：派公車", 1),
                sense("供人搭乘的車（原「車」字可讀ㄐㄩ。）", 2),
                sense("參見：巴士", 3),
            ),
            sections=(Passage("synonyms", "2.巴士"),),
        ),
    ),
)

GOLDEN = {
    "漂": {
        "definition": "「漂」讀作ㄆㄧㄠ，意思是：［動］（一）浮在水面移動。如：「漂流」、「漂浮」。"
        "（二）四處流浪。《水經》：「漂，流也。」［形］（一）流動的。也作「飄」。"
        "又讀作ㄆㄧㄠˇ，意思是：用水沖洗。",
        "headword": "有個字，意思是「浮在水面移動。如：『～流』、『～浮』」；也是「四處流浪」；"
        "也是「流動的」；又指「用水沖洗」，就是「漂」。",
        "reading": "「漂」讀作ㄆㄧㄠ（piāo），又讀作ㄆㄧㄠˇ（piǎo）。另讀：又音 ㄆㄧㄠˊ piáo。"
        "部首是水部，部首外11畫，共14畫。",
        "related": "「漂」的異體有飃；讀作ㄆㄧㄠ時，［動］第一義的相似詞有浮、流；"
        "［動］第二義的相似詞有蕩；［形］第一義的相似詞有飄；讀作ㄆㄧㄠˇ時，相反詞有染。"
        "「漂」也作「飄」。",
        "usage": "怎麼用「漂」？如：「漂流」、「漂浮」。《水經》：「漂，流也。」",
    },
    "刻舟求劍": {
        "definition": "「刻舟求劍」讀作ㄎㄜˋ ㄓㄡ ㄑㄧㄡˊ ㄐㄧㄢˋ，意思是：在船邊刻記號找劍。"
        "比喻不知變通。參見：「守株待兔」。",
        "headword": "有個詞語，意思是「在船邊刻記號找劍。比喻不知變通」，就是「刻舟求劍」。",
        "reading": "「刻舟求劍」讀作ㄎㄜˋ ㄓㄡ ㄑㄧㄡˊ ㄐㄧㄢˋ（kè zhōu qiú jiàn）。"
        "「刻」音ㄎㄜˋ，「舟」音ㄓㄡ，「求」音ㄑㄧㄡˊ，「劍」音ㄐㄧㄢˋ。",
        "related": "「刻舟求劍」的近義成語有膠柱鼓瑟、守株待兔；反義成語有隨機應變。"
        "「刻舟求劍」參見：「守株待兔」。",
        "usage": "怎麼用「刻舟求劍」？比喻拘泥。貶義。用在「固執」的表述上。"
        "死守舊規，不過是刻舟求劍。01.《歧路燈》：「刻舟求劍罷了。」（源）。刻，音ㄎㄜˋ。",
        "story": "「刻舟求劍」的典故：《呂氏春秋．察今》。楚人有涉江者，其劍自舟中墜於水。"
        "有人的劍掉進水裡，他在船上刻了記號。",
    },
    "峯": {
        "reading": "「峯」的部首是山部，部首外7畫，共10畫。",
        "related": "「峯」是「峰」的異體字。",
    },
    "公車": {
        "definition": "「公車」讀作ㄍㄨㄥ ㄔㄜ，意思是：（一）公家的車。例如：派公車。"
        "（二）供人搭乘的車（原「車」字可讀ㄐㄩ。）（三）參見：巴士。",
        "headword": "有個詞語，意思是「公家的車。例如：派～」；"
        "也是「供人搭乘的車（原『車』字可讀ㄐㄩ。）」，就是「公車」。",
        "reading": "「公車」讀作ㄍㄨㄥ ㄔㄜ。「公」音ㄍㄨㄥ，「車」音ㄔㄜ。"
        "首字「公」的部首是八部，部首外2畫，共4畫。",
        "related": "「公車」第二義的相似詞有巴士。「公車」參見：巴士。",
        "usage": "怎麼用「公車」？例如：派公車。",
    },
}  # fmt: skip


@pytest.mark.parametrize("entry", [DRIFT, CARVE, VARIANT, BUS], ids=lambda entry: entry.headword)
def test_the_views_of_an_entry(entry):
    assert views_of(entry) == {"plain": render_document(entry).text, **GOLDEN[entry.headword]}


def test_readings_that_sound_the_same_are_said_once():
    reading = DRIFT.readings[1]
    again = dataclasses.replace(reading, senses=(sense("洗白。"), sense("見「洗」條。")))
    views = views_of(Entry("漂", (reading, again)))
    assert views["definition"] == "「漂」讀作ㄆㄧㄠˇ，意思是：用水沖洗。又指：洗白。見「洗」條。"
    assert views["reading"] == "「漂」讀作ㄆㄧㄠˇ（piǎo）。"


def test_a_reading_that_only_says_where_to_look_is_no_meaning():
    pointers = (
        Reading("ㄆㄧㄠˇ", senses=(sense("「飄」的異體字。"),)),
        Reading("ㄆㄧㄠˋ", senses=(sense("參見「漂亮」條。"),)),
    )
    views = views_of(Entry("漂", (DRIFT.readings[1], *pointers)))
    assert views["definition"] == (
        "「漂」讀作ㄆㄧㄠˇ，意思是：用水沖洗。又是「飄」的異體字。又讀作ㄆㄧㄠˋ，參見「漂亮」條。"
    )
    assert "definition" not in views_of(Entry("漂", pointers))


def test_another_sound_of_the_same_meaning_is_no_meaning():
    other = Reading("ㄆㄧㄠˋ", senses=(sense("(一)之又音。"),))
    views = views_of(Entry("漂", (DRIFT.readings[1], other)))
    assert views["definition"] == (
        "「漂」讀作ㄆㄧㄠˇ，意思是：用水沖洗。又讀作ㄆㄧㄠˋ，是(一)之又音。"
    )
    assert views["headword"] == "有個字，意思是「用水沖洗」，就是「漂」。"


def test_the_reverse_view_says_nothing_twice():
    views = views_of(Entry("漂", DRIFT.readings[1:] * 2))
    assert views["headword"] == "有個字，意思是「用水沖洗」，就是「漂」。"


def test_an_entry_without_reading_and_one_without_senses():
    assert views_of(Entry("漂", (Reading(senses=(sense("浮。"),)),)))["definition"] == (
        "「漂」意思是：浮。"
    )
    assert views_of(Entry("漂", (Reading("ㄆㄧㄠ"),))) == {
        "plain": "漂　ㄆㄧㄠ",
        "reading": "「漂」讀作ㄆㄧㄠ。",
    }
    assert list(views_of(Entry("漂", ()))) == ["plain"]


@pytest.mark.parametrize("headword", ["有", "意思", "就是", "個詞"])
def test_a_word_of_the_frame_has_no_reverse_view(headword):
    assert "headword" not in views_of(Entry(headword, (Reading(senses=(sense("浮。"),)),)))


def test_a_headword_that_masking_leaves_across_two_passages_is_not_shown():
    passages = (Passage("definition", "連成一條"), Passage("example", "例如：甲"))
    entry = Entry("條例", (Reading(senses=(Sense(passages),)),))
    assert "headword" not in views_of(entry)


@pytest.mark.parametrize(
    ("text", "keyed"),
    [
        ("", []),
        ("浮、流", [("", "浮、流")]),
        ("1.浮、流 2.蕩", [("第一義", "浮、流"), ("第二義", "蕩")]),
        ("浮 12.蕩", [("", "浮"), ("第十二義", "蕩")]),
        ("1. 2.蕩", [("第二義", "蕩")]),
        ("[動]1.浮 2.蕩 [代、介]1.其", [
            ("［動］第一義", "浮"), ("［動］第二義", "蕩"), ("［代、介］第一義", "其")
        ]),
        ("第1.5版", [("", "第1.5版")]),
    ],
)  # fmt: skip
def test_synonyms_are_keyed_to_their_senses(text, keyed):
    assert list(split_keyed(text)) == keyed


def field_texts(entry):
    """What each field of the entry may say, spelled out without the renderer."""
    yield "headword", entry.headword
    for reading in entry.readings:
        yield "bopomofo", reading.bopomofo
        yield "pinyin", reading.pinyin
        for each in reading.senses:
            yield "part_of_speech", each.part_of_speech
            yield from ((passage.field, passage.text) for passage in each.passages)
        yield from ((section.field, section.text) for section in reading.sections)
    yield from ((section.field, section.text) for section in entry.sections)


@given(entries())
def test_spans_cut_out_fields_of_the_entry_in_order(entry):
    texts = set(field_texts(entry))
    for document in render_views(entry):
        edges = [edge for span in document.spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)
        assert edges[-1] <= len(document.text)
        for span in document.spans:
            cut = document.text[span.start : span.end]
            assert cut
            if span.field == "radical":
                assert cut.startswith(f"{entry.radical}部")
            elif span.field in ("synonyms", "antonyms", "alias", "variants"):
                assert any(name == span.field and cut in text for name, text in texts)
            elif document.view != "headword":  # which masks and turns quotation marks
                assert (span.field, cut) in texts


@given(entries())
def test_a_view_is_one_line_that_belongs_to_its_entry(entry):
    documents = list(render_views(entry))
    assert documents[0] == render_document(entry)
    assert [d.view for d in documents[1:]] == [v for v in VIEWS if v in {d.view for d in documents}]
    for document in documents:
        assert document.text.strip() == document.text != ""
        assert not set("\t\n\r") & set(document.text)
        assert document.links == documents[0].links
        assert (document.headword, document.dictionary, document.entry_id) == (
            entry.headword,
            entry.dictionary,
            entry.entry_id,
        )
        if document.view != "plain":
            assert document.text.endswith(tuple("。！？」、）"))
            assert document.spans[0].field == "headword" or document.view == "headword"


@given(entries())
def test_the_same_entry_gives_the_same_views(entry):
    assert list(render_views(entry)) == list(render_views(dataclasses.replace(entry)))


@given(entries())
def test_the_reverse_view_shows_the_headword_at_the_end_alone(entry):
    views = {document.view: document for document in render_views(entry)}
    senses = [each for reading in entry.readings for each in reading.senses]
    if "headword" not in views:
        shown = entry.headword in "有個字，有個詞語，意思是「」；也是「」；又指「」，就是「」。"
        assert shown or not any(map(describes, senses))
        return
    text = views["headword"].text
    assert text.index(entry.headword) == len(text) - len(entry.headword) - 2
    assert text.count("「") == text.count("」")


@given(entries())
def test_a_view_stands_for_what_the_entry_has(entry):
    names = {document.view for document in render_views(entry)}
    senses = [each for reading in entry.readings for each in reading.senses]
    fields = {passage.field for each in senses for passage in each.passages}
    sections = {section.field for section in entry.sections}
    assert ("definition" in names) == any(map(tells, senses))
    assert ("story" in names) == bool(sections & {"source", "source_text", "story"})
    assert ("reading" in names) == (
        any(r.bopomofo for r in entry.readings) or bool(entry.radical and entry.strokes)
    )
    assert ("usage" in names) >= bool(fields & {"example", "quotation"})


@pytest.mark.parametrize("entry", [DRIFT, CARVE, VARIANT, BUS], ids=lambda entry: entry.headword)
def test_the_frames_double_no_punctuation_and_leave_no_bracket_empty(entry):
    for document in render_views(entry):
        if document.view != "plain":
            for left, right in itertools.pairwise(document.text):
                assert left + right not in {
                    "。。", "，。", "。，", "、。", "；；", "：，", "（）", "「」", "［］", "『』"
                }  # fmt: skip
