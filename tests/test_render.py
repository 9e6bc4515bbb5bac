"""An entry is one readable line, and every field of it stands where its span says."""

import dataclasses
import itertools
import re

import pytest
from hypothesis import given
from strategies import entries

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.reader import IDIOM_SECTIONS
from hf_zh_dict.dictionaries.render import (
    ENTRY_LABELS,
    READING_LABELS,
    ordinal,
    render_document,
    render_radical,
)

LABELS = [*READING_LABELS.values(), *ENTRY_LABELS.values()]
GAP = re.compile(rf"(\u3000|\([一二三四五六七八九十]+\)|[\[\]]|\d+\.|{'|'.join(LABELS)})*")


def sense(*passages, number=0, part_of_speech=""):
    return Sense(tuple(itertools.starmap(Passage, passages)), number, part_of_speech)


DRIFT = Entry(
    headword="漂",
    radical="水",
    residual_strokes=11,
    strokes=14,
    dictionary="mini",
    entry_id="7",
    readings=(
        Reading(
            "ㄆㄧㄠ",
            "piāo",
            senses=(
                sense(
                    ("definition", "在水上移動。"),
                    ("example", "如：「漂流」。"),
                    number=1,
                    part_of_speech="動",
                ),
                sense(("definition", "四處流浪。"), number=2, part_of_speech="動"),
                sense(("related", "也作「飄」。"), part_of_speech="形"),
            ),
            sections=(Passage("variant_reading", "又音 ㄆㄧㄠˊ piáo"), Passage("synonyms", "浮")),
        ),
        Reading("ㄆㄧㄠˇ", senses=(sense(("definition", "用水洗白。")),)),
    ),
    sections=(Passage("variants", "飃"), Passage("source", "《水經》")),
)
DRIFT_LINE = (
    "漂　水部11畫，共14畫　(一)　ㄆㄧㄠ　piāo　[動]　1.在水上移動。如：「漂流」。　2.四處流浪。"
    "　[形]　也作「飄」。　另讀：又音 ㄆㄧㄠˊ piáo　相似詞：浮　(二)　ㄆㄧㄠˇ　用水洗白。"
    "　異體：飃　典源：《水經》"
)


def expected_fields(entry):
    """The fields' names and texts, in the line's order, spelled out without the renderer."""
    yield "headword", entry.headword
    if entry.radical:
        whole = f"，共{entry.strokes}畫" if entry.strokes else ""
        yield "radical", f"{entry.radical}部{entry.residual_strokes}畫{whole}"
    for reading in entry.readings:
        yield "bopomofo", reading.bopomofo
        yield "pinyin", reading.pinyin
        before = ""
        for each in reading.senses:
            if each.part_of_speech != before:
                yield "part_of_speech", each.part_of_speech
            before = each.part_of_speech
            yield from ((passage.field, passage.text) for passage in each.passages)
        yield from ((section.field, section.text) for section in reading.sections)
    yield from ((section.field, section.text) for section in entry.sections)


def test_a_whole_entry_as_a_line():
    document = render_document(DRIFT)
    assert document.text == DRIFT_LINE
    assert (document.headword, document.dictionary, document.entry_id) == ("漂", "mini", "7")
    assert document.view == "plain"


def test_one_reading_has_no_ordinal_and_an_entry_without_radical_no_strokes():
    only = dataclasses.replace(DRIFT, readings=DRIFT.readings[1:], radical="", sections=())
    assert render_document(only).text == "漂　ㄆㄧㄠˇ　用水洗白。"


@pytest.mark.parametrize(
    ("residual_strokes", "strokes", "text"),
    [(11, 14, "水部11畫，共14畫"), (0, 4, "水部0畫，共4畫"), (3, 0, "水部3畫")],
)
def test_the_radical_with_its_strokes(residual_strokes, strokes, text):
    entry = dataclasses.replace(DRIFT, residual_strokes=residual_strokes, strokes=strokes)
    assert render_radical(entry) == text


def test_readings_are_numbered_as_dictionaries_number_them():
    numbers = [ordinal(index) for index in (0, 8, 9, 10, 18, 19, 20, 98)]
    assert numbers == ["一", "九", "十", "十一", "十九", "二十", "二十一", "九十九"]
    assert len({ordinal(index) for index in range(99)}) == 99


@given(entries())
def test_spans_cut_out_exactly_the_fields(entry):
    document = render_document(entry)
    cut = [(span.field, document.text[span.start : span.end]) for span in document.spans]
    assert cut == [(name, text) for name, text in expected_fields(entry) if text]


@given(entries())
def test_spans_lie_in_order_and_do_not_overlap(entry):
    document = render_document(entry)
    edges = [edge for span in document.spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert edges[-1] == len(document.text)
    assert all(span.start < span.end for span in document.spans)


@given(entries())
def test_between_the_fields_stand_only_separators_labels_ordinals_and_numbers(entry):
    document = render_document(entry)
    end = 0
    for span in document.spans:
        assert GAP.fullmatch(document.text[end : span.start])
        end = span.end


def test_every_section_that_the_reader_makes_has_a_label():
    assert {*IDIOM_SECTIONS, "alias", "variants"} == set(ENTRY_LABELS)


def test_no_label_begins_another():
    assert len(set(LABELS)) == len(LABELS)
    for left, right in itertools.permutations(LABELS, 2):
        assert not left.startswith(right)
