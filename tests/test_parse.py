"""A rendered line reads back as its entry, and a line that is no entry is refused."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import entries, texts

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.render import ENTRY_LABELS, READING_LABELS, render_document

LINE = (
    "笛　竹部5畫，共11畫　(一)　ㄉㄧˊ　dí　[名]　1.竹管做的樂器。如：「吹笛」。　2.汽笛。　相似詞：簫"
    "　(二)　「苖」的異體字。　典源：《笛賦》"
)


def anonymous(entry):
    """The entry without what a line does not say."""
    return dataclasses.replace(entry, dictionary="", entry_id="")


@given(entries())
def test_a_rendered_entry_reads_back_as_itself(entry):
    assert parse_document(render_document(entry).text) == anonymous(entry)


def test_a_line_reads_as_its_fields():
    assert parse_document(LINE) == Entry(
        headword="笛",
        radical="竹",
        residual_strokes=5,
        strokes=11,
        readings=(
            Reading(
                "ㄉㄧˊ",
                "dí",
                senses=(
                    Sense(split_passages("竹管做的樂器。如：「吹笛」。"), 1, "名"),
                    Sense(split_passages("汽笛。"), 2, "名"),
                ),
                sections=(Passage("synonyms", "簫"),),
            ),
            Reading(senses=(Sense((Passage("related", "「苖」的異體字。"),)),)),
        ),
        sections=(Passage("source", "《笛賦》"),),
    )
    assert render_document(parse_document(LINE)).text == LINE


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("text", ["24小時。", "2.5公里。", "1920年代。", "１２星座。", "3D。"])
def test_a_sense_that_begins_with_a_digit_keeps_its_number(number, text):
    senses = (Sense((Passage("definition", text),), number),)
    entry = Entry("時", (Reading("ㄕˊ", "shí", senses),))
    assert parse_document(render_document(entry).text) == entry


def test_a_sense_may_go_back_to_no_part_of_speech():
    senses = tuple(
        Sense((Passage("definition", f"{name}義。"),), 0, name) for name in ("名", "", "動")
    )
    entry = Entry("笛", (Reading("ㄉㄧˊ", "dí", senses),))
    assert parse_document(render_document(entry).text) == entry


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "no headword"),
        (" 　ㄉㄧˊ　dí　樂器。", "no headword"),
        ("笛" * 61 + "　樂器。", "no headword"),
        ("笛", "no definition"),
        ("笛　ㄉㄧˊ　dí", "no definition"),
        ("笛　竹部5畫，共11畫", "no definition"),
        ("笛　ㄉㄧˊ　[名]", "no definition"),
        ("笛　(一)　ㄉㄧˊ　樂器。　(二)　ㄉㄧ", "no definition"),
        ("笛　典源：《笛賦》", "no definition"),
        ("笛　ㄉㄧˊ　　樂器。", "an empty field"),
        ("笛　ㄉㄧˊ　樂器。　", "an empty field"),
        ("笛　(一)　ㄉㄧˊ　樂器。", "one reading with an ordinal"),
        ("笛　(一)　ㄉㄧˊ　樂器。　(三)　ㄉㄧ　樂器。", r"reading \(三\) out of order"),
        ("笛　(二)　ㄉㄧˊ　樂器。　(一)　ㄉㄧ　樂器。", r"reading \(二\) out of order"),
        ("笛　ㄉㄧˊ　樂器。　相似詞：簫　汽笛。", "a sense behind a section: 汽笛"),
        ("笛　ㄉㄧˊ　樂器。　典源：《笛賦》　汽笛。", "no label: 汽笛"),
        ("笛　ㄉㄧˊ　樂器。　典源：《笛賦》　相似詞：簫", "no label: 相似詞"),
    ],
)
def test_a_line_that_is_no_entry_is_refused_with_the_reason(line, reason):
    with pytest.raises(NotAnEntry, match=reason):
        parse_document(line)


fields = st.sampled_from(
    [
        "笛",
        "竹部5畫",
        "(一)",
        "(二)",
        "(十一)",
        "ㄉㄧˊ",
        "dí",
        "[名]",
        "[]",
        "1.",
        "1.吹笛。",
        "",
        " ",
    ]
    + [label + "甲" for label in (*READING_LABELS.values(), *ENTRY_LABELS.values())]
)


@given(st.text() | st.lists(fields | texts, max_size=8).map("\u3000".join))
def test_any_line_is_an_entry_or_refused(line):
    try:
        entry = parse_document(line)
    except NotAnEntry:
        return
    assert entry.headword == line.split("\u3000")[0]
    assert all(reading.senses for reading in entry.readings)
