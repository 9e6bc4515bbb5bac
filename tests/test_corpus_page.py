"""The page tells everything that is known of a corpus, is well-formed, and needs nothing else."""

import copy
import re
from html.parser import HTMLParser

import pytest

from hf_zh_dict.corpus.leakage import measure_leakage
from hf_zh_dict.corpus.survey import take_survey
from hf_zh_dict.sharing.corpus_page import draw_corpus_page, size_rows, write_corpus_page

SECTIONS = ["source", "counts", "lengths", "characters", "fields", "groups", "strata", "leakage",
            "longest", "duplicates", "drops"]  # fmt: skip
VOID = {"meta"}


@pytest.fixture(scope="module")
def surveyed(embedded_corpus):
    """Facts and survey of the embedded corpus."""
    folder, facts = embedded_corpus
    return facts, take_survey(folder) | {"leakage": measure_leakage(folder)}


@pytest.fixture(scope="module")
def page(surveyed):
    return draw_corpus_page(*surveyed)


class Checker(HTMLParser):
    """Follows the tags; keeps those with their attributes, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def test_every_section_is_there_and_can_be_reached(page):
    tags = read(page).tags
    assert [item["id"] for tag, item in tags if tag == "h2"] == SECTIONS
    assert [item["href"] for tag, item in tags if tag == "a"] == [f"#{name}" for name in SECTIONS]


def test_the_page_needs_nothing_from_outside(page):
    for tag, attributes in read(page).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed"}
        assert not {"src", "srcset", "data", "xlink:href", "style"} & set(attributes)
    assert "url(" not in page
    assert "@import" not in page


def test_numbers_come_from_the_data(surveyed, page):
    facts, survey = surveyed
    text = read(page).text
    for number in (
        facts["documents"], facts["groups"], facts["splits"]["train"]["characters"],
        facts["links"]["similar"], survey["characters"], survey["script"]["distinct"],
        survey["lengths"]["all"]["longest"], survey["fields"]["definition"]["characters"],
        survey["leakage"]["groups"]["longest"], survey["longest"][0]["characters"],
    ):  # fmt: skip
        assert f"{number:,}" in text
    share = survey["leakage"]["random"]["share"]
    assert f"{100 * share:.2f}\xa0%" in text
    assert facts["fingerprint"] in text
    assert survey["longest"][0]["headword"] in text
    assert survey["sample"]["text"].split("\u3000")[0] in text


def test_english_stands_beside_the_chinese(page):
    assert '<html lang="zh-Hant-TW">' in page
    assert '<p lang="en">A survey of one training corpus' in page
    assert page.count('<span lang="en">') > len(SECTIONS)


def test_charts_are_text_for_every_font(page):
    assert page.count('<svg class="chart"') >= 7
    for family in ("Noto Sans TC", "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei"):
        assert f'"{family}"' in page
    assert re.search(r"<text [^>]*>釋義<tspan", page)


def test_what_is_not_recorded_is_said(surveyed):
    text = read(draw_corpus_page({}, surveyed[1])).text
    for label in ("來源 source", "切分種子 seed", "語料指紋 fingerprint"):
        assert f"{label}未記錄" in text
    assert "來源檔案 files：未記錄" in text
    for nothing in ("None", "Undefined", "nan"):
        assert nothing not in text


def test_all_text_is_escaped(surveyed):
    facts, survey = copy.deepcopy(surveyed)
    bad = '<script>alert("水")</script>'
    facts |= {"inputs": [{"name": bad, "sha256": bad}], "fingerprint": bad}
    facts["strata"]["dictionary"][bad] = {"train": 1, "validation": 0, "test": 0}
    survey["longest"][0] |= {"headword": bad, "dictionary": bad, "view": bad}
    survey["groups"]["largest"][0] |= {"name": bad, "examples": [bad]}
    survey["several"]["examples"][0]["headword"] = bad
    survey["fields"][bad] = {"characters": 10**9, "passages": 1}
    survey["script"]["frequent"][0] = ("<", 1)
    survey["leakage"]["groups"]["longest_text"] = bad
    survey["sample"] = {"text": bad, "spans": [{"field": bad, "start": 0, "end": 8}]}
    example = {"source": bad, "row": 1, "text": bad}
    survey["dropped"] = {name: {"count": 1, "examples": [example]} for name in (bad, "repeated")}
    checker = read(draw_corpus_page(facts, survey))
    assert "script" not in {tag for tag, _attributes in checker.tags}
    assert checker.text.count(bad) >= 10


def test_a_long_stretch_is_not_quoted_whole(surveyed):
    facts, survey = copy.deepcopy(surveyed)
    survey["leakage"]["random"] |= {"longest": 100, "longest_text": "水" * 100}
    text = read(draw_corpus_page(facts, survey)).text
    assert "（100 字元，引前 60 字元）" in text
    assert "水" * 60 + "……" in text
    assert "水" * 61 not in text


def test_the_ministrys_text_carries_its_notice(surveyed):
    facts, survey = surveyed
    inputs = [{"name": "dict_mini_2019_20241223.xlsx", "sha256": "ab" * 32, "dictionary": "mini",
               "edition": "2019_20241223"}]  # fmt: skip
    page = draw_corpus_page(facts | {"source": "spreadsheets", "inputs": inputs}, survey)
    assert "《國語小字典》（版本編號：2019_20241223）" in page
    assert "<code>abababababab</code>" in page
    assert "CC BY-ND 3.0 TW" in page


def test_drops_and_repeats_have_a_section_each(surveyed):
    facts, survey = surveyed
    assert "沒有兩份文件一字不差" in draw_corpus_page(facts, survey | {"dropped": {}})
    dropped = {
        "repeated": {"count": 1200, "examples": [{"source": "mini", "row": 0, "text": "水。"}]},
        "no definition": {"count": 1, "examples": [{"source": "a.csv", "row": 9, "text": "火"}]},
    }
    text = read(draw_corpus_page(facts, survey | {"dropped": dropped})).text
    assert "1,200 份文件與前面某一份一字不差" in text
    assert "沒有釋義 no definition" in text


def test_group_sizes_double():
    rows = size_rows([(1, 5), (2, 3), (3, 2), (4, 1), (5, 1), (9, 1)])
    assert [(row["label"], row["bars"][0]["value"]) for row in rows] == [
        ("1 條", 5), ("2 條", 6), ("3–4 條", 10), ("5–8 條", 5), ("9–16 條", 9),
    ]  # fmt: skip


def test_the_page_is_small_and_always_the_same(surveyed, page, tmp_path):
    write_corpus_page(tmp_path / "corpus.html", *surveyed)
    assert (tmp_path / "corpus.html").read_text(encoding="utf-8") == page
    assert len(page.encode()) < 300_000
