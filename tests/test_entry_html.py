"""An entry is set like a dictionary's, and whatever anyone typed or wrote is text."""

import re

import pytest

from hf_zh_dict.dictionaries.parse import parse_document
from hf_zh_dict.evaluation.known_entries import KnownEntries, KnownEntry
from hf_zh_dict.evaluation.written_entry import examine_entry
from hf_zh_dict.sharing.entry_html import (
    Spoken,
    pair_syllables,
    render_growing,
    render_message,
    render_written,
)

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def written(text, word="詞", known=None, **options):
    return render_written(examine_entry(word, text, known), has_corpus=known is not None, **options)


def words_of(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", html))


@pytest.mark.parametrize(
    ("syllable", "spoken"),
    [("ㄒㄩㄢˊ", Spoken("ㄒㄩㄢ", "ˊ")), ("˙ㄉㄜ", Spoken("ㄉㄜ", light=True)),
     ("ㄧ", Spoken("ㄧ")), ("一ˋ", Spoken("ㄧ", "ˋ"))],
)  # fmt: skip
def test_a_syllable_is_taken_apart(syllable, spoken):
    assert Spoken.of(syllable) == spoken


def test_each_character_has_its_syllable_and_punctuation_has_none():
    entry = parse_document("三十年，三日　ㄙㄢ ㄕˊ ㄋㄧㄢˊ，ㄙㄢ ㄖˋ　釋義。")
    pairs = pair_syllables(entry)
    assert "".join(character for character, _spoken in pairs) == "三十年，三日"
    assert pairs[3] == ("，", None)
    assert pairs[4][1] == Spoken("ㄙㄢ")


@pytest.mark.parametrize(
    "text", ["詞　ㄘˊ ㄘˊ　釋義。", "詞　(一)　ㄘˊ　甲。　(二)　ㄘˋ　乙。", "詞　釋義。"]
)
def test_a_reading_that_does_not_fit_stands_on_its_own(text):
    assert pair_syllables(parse_document(text)) == []
    html = written(text)
    assert 'class="pair"' not in html
    assert "unseen" not in html


def test_an_entry_shows_all_of_its_parts():
    text = (
        "漂　水部11畫，共14畫　(一)　ㄆㄧㄠ　piāo　[動]　1.浮在水面。如：「漂浮」。　2.流浪。　相似詞：浮"
        "　(二)　ㄆㄧㄠˇ　piǎo　用水沖洗。　異體：𣼸"
    )
    html = written(text)
    shown = words_of(html).replace(" ", "")
    for part in (
        "漂",
        "水部11畫，共14畫",
        "ㄆㄧㄠˇ",
        "piǎo",
        "動",
        "2流浪。",
        "相似詞浮",
        "異體𣼸",
    ):
        assert part in shown
    assert '<span class="example">如：「漂浮」。</span>' in html


@pytest.mark.parametrize(
    "html",
    [
        render_message(EVIL),
        render_growing(EVIL),
        written(EVIL),
        written(f"{EVIL[:25]}　ㄅㄚ　[<b>]　1.{EVIL}　相似詞：{EVIL}　異體：{EVIL}"),
        written("詞　ㄘˊ　釋義。", settings=EVIL),
        written(
            "詞　ㄘˊ　釋義。",
            known=KnownEntries([KnownEntry(f"詞　ㄘˊ　釋義。{EVIL}", "詞", "train", EVIL)]),
            attributions=[EVIL],
        ),
    ],
)
def test_markup_is_text(html):
    assert ESCAPED in html or "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>]" not in html


def test_control_characters_are_shown_as_a_sign():
    assert words_of(render_growing("甲\x1b乙\0\n")).strip().endswith(" 甲\ufffd乙\ufffd")


def test_marks_say_which_split_and_dictionary():
    entries = [
        KnownEntry(f"詞　ㄘˊ　{n}。", "詞", n, "mini") for n in ("train", "validation", "test")
    ]
    shown = words_of(written("詞　ㄘˊ　釋義。", known=KnownEntries(entries)))
    for mark in (
        "the model was trained on it",
        "validation split: not seen",
        "test split: not seen",
    ):
        assert mark in shown
    assert "國語小字典" in shown


def test_a_word_that_the_corpus_lacks_is_said_to_be_lacking():
    known = KnownEntries([KnownEntry("別　ㄅㄧㄝˊ　釋義。", "別", "train")])
    assert "no entry in the corpus" in written("詞　ㄘˊ　釋義。", known=known)
    assert "the dictionary says" not in written("詞　ㄘˊ　釋義。")  # there is no corpus


def test_a_stopped_text_is_marked():
    assert "stopped" in words_of(written("詞　ㄘˊ　釋", stopped=True))
    assert "stopped" not in words_of(written("詞　ㄘˊ　釋"))
