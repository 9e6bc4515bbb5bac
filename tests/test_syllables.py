"""A 注音 syllable has one 漢語拼音 spelling, and what is no syllable has none."""

import itertools
import unicodedata

import pytest
from pypinyin.pinyin_dict import pinyin_dict
from pypinyin.style.bopomofo import BopomofoConverter

from hf_zh_dict.dictionaries.syllables import (
    FINALS,
    INITIALS,
    SYLLABIC,
    TONES,
    place_tone,
    spell_reading,
    spell_syllable,
)

GOLDEN = {
    "ㄅㄚ": "bā", "ㄆㄛˊ": "pó", "ㄇㄜ": "mē", "˙ㄇㄜ": "me", "ㄈㄥˋ": "fèng",
    "ㄓ": "zhī", "ㄔˊ": "chí", "ㄕˇ": "shǐ", "ㄖˋ": "rì", "ㄗ": "zī", "˙ㄗ": "zi", "ㄙˋ": "sì",
    "ㄧ": "yī", "ㄨˇ": "wǔ", "ㄩˊ": "yú", "ㄧㄝˇ": "yě", "ㄧㄡˊ": "yóu", "ㄨㄥ": "wēng",
    "ㄨㄣˋ": "wèn", "ㄩㄥˋ": "yòng", "ㄩㄣˊ": "yún", "ㄧㄥˊ": "yíng", "ㄧㄞˊ": "yái",
    "ㄌㄧㄡˊ": "liú", "ㄍㄨㄟˇ": "guǐ", "ㄎㄨㄣˋ": "kùn", "ㄉㄨㄥ": "dōng", "ㄐㄩㄥˇ": "jiǒng",
    "ㄌㄩˋ": "lǜ", "ㄋㄩˇ": "nǚ", "ㄌㄩㄝˋ": "lüè", "ㄐㄩˊ": "jú", "ㄑㄩㄢˊ": "quán", "ㄒㄩㄝˇ": "xuě",
    "ㄝˋ": "ề", "ㄦˋ": "èr", "˙ㄦ": "er",
    "ㄏㄨㄚㄦ": "huār", "ㄊㄡˊㄦ": "tóur", "ㄏㄨㄟˇㄦ": "huǐr", "ㄨㄢˊㄦ": "wánr",
}  # fmt: skip

# Interjections that 注音 has no letters for; pypinyin makes vowels up. And wòng, a misprint.
WITHOUT_BOPOMOFO = {"m", "n", "ng", "hm", "hng", "wong"}


@pytest.mark.parametrize(("bopomofo", "pinyin"), GOLDEN.items())
def test_a_syllable_is_spelled_as_in_the_handbook(bopomofo, pinyin):
    assert spell_syllable(bopomofo) == pinyin


@pytest.mark.parametrize(
    "text",
    ["", "a", "橋", "ㄅ", "ㄅㄆ", "ㄚㄅ", "ㄓㄓ", "ㄧㄧ", "ㄩㄤ", "ㄚˊˇ", "˙ㄚˊ", "ㄚ˙", "ˊ", "˙", "ㄅㄚ ",
     "ㄕㄢ ㄕㄨㄟˇ", "ㄉ一ㄥ", "ㄚㄦˊㄦ", "ㄚˊㄦˊ", "ㄅㄦㄦ"],
)  # fmt: skip
def test_what_is_no_syllable_has_no_spelling(text):
    assert spell_syllable(text) is None


def test_no_two_syllables_of_the_language_are_spelled_alike():
    syllables = []
    for initial, final, tone in itertools.product(["", *INITIALS], ["", *FINALS], TONES):
        high = final[:1] in ("ㄧ", "ㄩ")
        if initial in ("ㄐ", "ㄑ", "ㄒ") and not high:
            continue  # they stand only before ㄧ and ㄩ
        if initial in SYLLABIC and high:
            continue  # and these never
        if initial and final == "ㄦ":
            continue  # the suffix, which has a test of its own
        if not final and initial not in SYLLABIC:
            continue
        syllables.append(tone + initial + final if tone == "˙" else initial + final + tone)
    spellings = {spell_syllable(syllable) for syllable in syllables}
    assert None not in spellings
    assert len(spellings) == len(syllables) == len(set(syllables))


def test_every_syllable_that_pypinyin_knows_is_spelled_back_from_its_bopomofo():
    known = {
        unicodedata.normalize("NFC", spelling)
        for spellings in pinyin_dict.values()
        for spelling in spellings.split(",")
    }
    converter = BopomofoConverter()
    wrong = {}
    for spelling in known:
        bopomofo = converter.to_bopomofo(spelling)
        if bopomofo.endswith("˙"):  # the Ministry writes the light tone first
            bopomofo = "˙" + bopomofo[:-1]
        if spell_syllable(bopomofo) != spelling:
            wrong[spelling] = bopomofo
    decomposed = {unicodedata.normalize("NFD", spelling) for spelling in wrong}
    toneless = {"".join(c for c in s if not unicodedata.combining(c)) for s in decomposed}
    assert len(known) > 1400
    assert toneless <= WITHOUT_BOPOMOFO, wrong


@pytest.mark.parametrize("final", sorted({one for pair in FINALS.values() for one in pair}))
def test_a_tone_mark_adds_nothing_but_itself(final):
    marked = place_tone(final, "\u0301")
    assert marked == unicodedata.normalize("NFC", marked)
    taken = unicodedata.normalize("NFD", marked).replace("\u0301", "")
    assert unicodedata.normalize("NFC", taken) == final


def test_a_reading_is_spelled_syllable_by_syllable():
    assert spell_reading("ㄔㄚˊ　ㄏㄨˊ") == "chá hú"
    assert spell_reading(" ㄩˋ  ˙ㄌㄜ ") == "yù le"


@pytest.mark.parametrize("bopomofo", ["", "　", "ㄔㄚˊ ㄏㄨˊ？", "ㄔㄚˊ hú"])
def test_a_reading_with_a_malformed_syllable_has_no_spelling(bopomofo):
    assert spell_reading(bopomofo) is None
