"""What is remembered of documents as they stream by: entries, keys, links, texts to compare."""

import contextlib

import numpy as np
import pytest

from hf_zh_dict.corpus.catalogue import COMMON_BEGINNING, Catalogue, compared_texts, quoted_term
from hf_zh_dict.dictionaries.entry import Document, Entry, Passage, Reading, Sense, Span
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.views import render_views

LONG = "利用水的力量轉動，用來灌溉或磨米的木輪。"


def line(text, number, headword):
    return Document(text, headword, "lines", str(number), "line")


def entry_of(headword, text, *sections, dictionary="revised", entry_id="1"):
    senses = (Sense(split_passages(text)),)
    return Entry(
        headword, (Reading(senses=senses),), sections=sections, dictionary=dictionary,
        entry_id=entry_id,
    )  # fmt: skip


@pytest.fixture
def catalogue_of(tmp_path):
    """Makes the catalogue of some documents."""
    with contextlib.ExitStack() as stack:

        def make(documents):
            catalogue = stack.enter_context(contextlib.closing(Catalogue(tmp_path)))
            for document in documents:
                catalogue.add(document)
            return catalogue

        yield make


@pytest.fixture
def waterwheel():
    """One entry in all its views."""
    return list(render_views(entry_of("水車", LONG + "也作「翻車」。")))


def test_the_views_of_an_entry_are_one_entry(catalogue_of, waterwheel):
    catalogue = catalogue_of([*waterwheel, *render_views(entry_of("翻車", "水車。", entry_id="2"))])
    entry_of_documents = catalogue.entry_of.tolist()
    assert entry_of_documents[: len(waterwheel)] == [0] * len(waterwheel)
    assert set(entry_of_documents[len(waterwheel) :]) == {1}
    assert catalogue.keys.listed() == ["水車", "翻車"]
    assert catalogue.key_of.tolist() == [0, 1]
    assert catalogue.lengths.tolist()[0] == len(waterwheel[0].text)
    assert catalogue.views.listed()[:3] == ["plain", "definition", "headword"]
    links = catalogue.stated_links()
    assert links.ends.tolist() == [[0, 1]]
    assert links.strengths.tolist() == [1]
    assert len(catalogue.near.owners) == 1


def test_equal_headwords_of_two_dictionaries_are_two_entries_under_one_key(catalogue_of):
    documents = [
        next(render_views(entry_of(headword, "制度。", dictionary=dictionary)))
        for headword, dictionary in (("ＡＢ制", "revised"), ("AB制", "concised"))
    ]
    catalogue = catalogue_of(documents)
    assert catalogue.keys.listed() == ["AB制"]
    assert catalogue.key_of.tolist() == [0, 0]
    assert catalogue.dictionaries.listed() == ["revised", "concised"]


def test_of_equal_texts_the_first_is_kept(catalogue_of):
    texts = ["甲", "乙", "甲", "丙", "乙", "甲"]
    documents = [line(text, number, text) for number, text in enumerate(texts)]
    kept = catalogue_of(documents).kept_documents()
    assert kept.tolist() == [True, True, False, True, False, False]


def test_definitions_are_compared_as_one_text_and_each_quotation_alone():
    entry = entry_of("水車", "木輪。《農書》：「水車。」轉動。", Passage("quotations", "01.乙。"))
    plain = next(render_views(entry))
    assert compared_texts(plain.text, plain.spans) == [
        "木輪。轉動。",
        "《農書》：「水車。」",
        "01.乙。",
    ]
    assert compared_texts("水車", [Span("headword", 0, 2)]) == [""]
    assert compared_texts("", []) == [""]


def test_each_compared_text_belongs_to_its_headword(catalogue_of, waterwheel):
    other = list(
        render_views(
            entry_of("水磨", f"短。《農書》卷一：「{LONG}」短。《詩》：「短。」", entry_id="2")
        )
    )
    catalogue = catalogue_of([*waterwheel, *other])
    assert [catalogue.keys.listed()[key] for key in catalogue.near.owners] == ["水車", "水磨"]


def test_lines_of_text_are_not_compared_by_their_definitions(catalogue_of):
    document = Document(
        LONG, "利用水的力量轉動", "lines", "1", "line", (Span("definition", 0, 20),)
    )
    assert len(catalogue_of([document]).near.owners) == 0


def test_placeholders_and_private_characters_are_counted_once_an_entry(catalogue_of):
    views = list(render_views(entry_of("水〓", "\ue000和\U000f0001，〓。如：「\uf8ff」。")))
    catalogue = catalogue_of(views)
    assert len(views) > 2
    assert (catalogue.num_placeholders, catalogue.num_private_use) == (2, 3)


@pytest.mark.parametrize(
    ("different", "repeated", "keys"),
    [
        (COMMON_BEGINNING, 0, 1),
        (COMMON_BEGINNING, 20, 1),
        (COMMON_BEGINNING + 1, 0, COMMON_BEGINNING + 1),
        (COMMON_BEGINNING + 1, 20, COMMON_BEGINNING + 1),
    ],
)
def test_a_beginning_that_more_than_fifty_lines_share_is_no_headword(
    catalogue_of, different, repeated, keys
):
    texts = [f"有個詞語，意思是第{n}個。" for n in range(different)]
    texts += texts[:1] * repeated + ["水車：木輪。", "水車：又一條。"]
    catalogue = catalogue_of(
        line(text, number, text.partition("，")[0].partition("：")[0])
        for number, text in enumerate(texts)
    )
    catalogue.name_lines(texts, catalogue.kept_documents())
    key_of = np.array(catalogue.key_of)[np.array(catalogue.entry_of)].tolist()
    assert len(set(key_of[:-2])) == keys
    assert key_of[0] == key_of[-3] or not repeated
    assert key_of[-1] == key_of[-2]
    names, places = catalogue.sorted_keys()
    assert names == sorted(names)
    assert names[places[key_of[-1]]] == "水車"


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("怎麼用「燈塔」？如：「燈塔亮了。」", "燈塔"),
        ("有個詞語，意思是「岸邊的『塔』」，就是「燈塔」。", "燈塔"),
        ("請說明【燈塔】的意思。", "燈塔"),
        ("岸邊的塔，夜裡亮燈。", ""),
        ("", ""),
        ("有個詞語，就是「」。", ""),
    ],
)
def test_what_a_line_is_about(text, term):
    assert quoted_term(text) == term


def test_a_line_that_begins_with_a_phrase_goes_to_the_term_it_is_about(catalogue_of):
    texts = [f"有個詞語，意思是第{n}個，就是「詞{n}」。" for n in range(60)] + ["詞7：又一條。"]
    catalogue = catalogue_of(
        line(text, number, text.partition("，")[0].partition("：")[0])
        for number, text in enumerate(texts)
    )
    catalogue.name_lines(texts, catalogue.kept_documents())
    assert catalogue.key_of[7] == catalogue.key_of[60]
    assert len(set(catalogue.key_of)) == 60


def test_keys_are_sorted_and_found_by_their_numbers(catalogue_of):
    catalogue = catalogue_of(line(text, n, text) for n, text in enumerate("丙甲乙\U00020000"))
    names, places = catalogue.sorted_keys()
    assert names == sorted(names)
    assert [names[place] for place in places] == catalogue.keys.listed()
