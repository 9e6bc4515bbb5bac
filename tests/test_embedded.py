"""The embedded tables are whole, their readings agree with themselves, and all markup occurs."""

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from pypinyin import pinyin

from hf_zh_dict.corpus.sources import EMBEDDED_FOLDER
from hf_zh_dict.dictionaries.layouts import LAYOUTS
from hf_zh_dict.dictionaries.reader import Dropped, read_entries, read_rows
from hf_zh_dict.dictionaries.syllables import spell_reading, spell_syllable

DISAGREEMENTS = Path(__file__).parent / "reading_disagreements.csv"
DICTIONARIES = [layout.dictionary for layout in LAYOUTS]


@pytest.fixture(scope="module")
def entries():
    """Dictionary → its records, as read."""
    return {name: list(read_entries(EMBEDDED_FOLDER / f"{name}.csv")) for name in DICTIONARIES}


@pytest.fixture(scope="module")
def rows():
    """Dictionary → its rows, each our column name → cell as it stands in the file."""
    return {name: list(read_rows(EMBEDDED_FOLDER / f"{name}.csv")[1]) for name in DICTIONARIES}


def pronunciations(entry):
    """注音 and 漢語拼音 of every reading of an entry, the other ones (變、又音 …) too."""
    for reading in entry.readings:
        yield reading.bopomofo, reading.pinyin
        for section in reading.sections:
            if section.field == "variant_reading":  # 變 ㄧˋ ㄒㄧㄣ yì xīn
                yield re.fullmatch(r"\w+ ([˙ㄅ-ㄩˊˇˋ ，；]+) (.+)", section.text).groups()


def syllables(text):
    return re.split(r"[ ，；,;]+", text)


def test_every_layout_has_its_table_and_no_other_file_is_there():
    names = sorted(path.name for path in EMBEDDED_FOLDER.iterdir())
    assert names == sorted(f"{name}.csv" for name in DICTIONARIES)


def test_there_are_enough_entries(entries):
    counts = {name: len(records) for name, records in entries.items()}
    assert min(counts.values()) >= 40
    assert sum(counts.values()) >= 800


def test_many_characters_have_several_readings(entries):
    several = {
        (dictionary, entry.headword)
        for dictionary, records in entries.items()
        for entry in records
        if len(entry.headword) == 1 and len(entry.readings) > 1
    }
    assert len(several) >= 60


def test_most_idioms_have_all_sections(rows):
    optional = {"source_references", "variants"}  # not every idiom has more sources or other forms
    whole = [
        row["headword"]
        for row in rows["idioms"]
        if all(cell.strip() for column, cell in row.items() if column not in optional)
    ]
    assert len(whole) >= 90


def test_nothing_is_dropped(entries):
    assert not [r for records in entries.values() for r in records if isinstance(r, Dropped)]


def test_tables_have_every_column_of_their_layout():
    for layout in LAYOUTS:
        with (EMBEDDED_FOLDER / f"{layout.dictionary}.csv").open(encoding="utf-8") as file:
            header = next(csv.reader(file))
        optional_id = {"entry_id"} if layout.dictionary == "mini" else set()
        assert len(header) == len(layout.columns) - len(optional_id)


@pytest.mark.parametrize("dictionary", DICTIONARIES)
def test_every_reading_is_spelled_as_its_pinyin(entries, dictionary):
    compared = 0
    for entry in entries[dictionary]:
        for bopomofo, spelling in pronunciations(entry):
            spelled = [spell_syllable(syllable) for syllable in syllables(bopomofo) if bopomofo]
            assert None not in spelled, entry.headword
            if dictionary != "mini":
                assert spelled == [s for s in syllables(spelling) if s], entry.headword
            compared += bool(spelled)
    assert compared >= len(entries[dictionary]) * 0.9


@pytest.mark.parametrize("dictionary", DICTIONARIES)
def test_a_headword_has_a_reading_unless_it_is_a_variant_character(entries, dictionary):
    silent = [
        reading.senses[0].text
        for entry in entries[dictionary]
        for reading in entry.readings
        if not reading.bopomofo
    ]
    assert all(re.fullmatch(r"「.」的異體字。", text) for text in silent), silent


def test_pypinyin_guesses_other_readings_just_where_the_list_says(entries):
    found = set()
    for dictionary, records in entries.items():
        for entry in records:
            letters = re.sub(r"[，；]", "", entry.headword)
            guess = " ".join(unicodedata.normalize("NFC", first) for first, *_ in pinyin(letters))
            for bopomofo, _spelling in pronunciations(entry):
                spelled = spell_reading(" ".join(syllables(bopomofo)))
                if bopomofo and spelled != guess:
                    found.add((dictionary, entry.headword, spelled))
    with DISAGREEMENTS.open(encoding="utf-8", newline="") as file:
        listed = [tuple(row.values()) for row in csv.DictReader(file)]
    assert {row[:3] for row in listed} == found
    assert len(listed) == len(found)
    for _dictionary, _headword, reading, guess, reason in listed:
        assert reading != guess
        assert reason


# Markup, as the Ministry's files have it: what, in which dictionaries, in which columns, how.
SENSES = ("definition",)
RELATED = ("synonyms", "antonyms")
PRONOUNCED = ("bopomofo", "variant_bopomofo")
WORDS = ("concised", "revised")
MARKUP = [
    ("ruby", ("mini",), SENSES, r"&&\w[ㄅ-ㄩ]+[ˊˇˋ]?&&"),
    ("light tone in ruby", ("mini",), SENSES, r"&&\w˙[ㄅ-ㄩ]+"),
    ("changed reading in ruby", ("mini",), SENSES, r"&&\w\([˙ㄅ-ㄩˊˇˋ]+;[˙ㄅ-ㄩˊˇˋ]+\)"),
    ("ㄧ typed as 一", ("mini",), SENSES, r"&&\w[ㄅ-ㄙ]一(?:[ㄚ-ㄦˊˇˋ]|&&)"),
    ("image behind ruby marks", ("mini",), SENSES, r"&&&\d+\.gif;"),
    ("(1)", ("mini",), SENSES, r"(?m)^\(\d+\) "),
    ("A>", ("mini",), SENSES, r"[A-C]>"),
    ("image", ("idioms",), ("source_text", "source_notes"), r"&\w+\.jpg;"),
    ("image", ("revised",), SENSES, r"&f\w+\.gif;"),
    ("anchor", ("idioms",), ("source_text",), r"\n\*\d+\*\w+\n"),
    ("anchor behind a source", ("idioms",), ("source",), r"\*\d+\*$"),
    ("context line", ("idioms",), ("source_text",), r"(?m)^#"),
    ("related idioms", ("idioms",), SENSES, r"(?m)^△「.+」$"),
    ("source remark", ("idioms",), SENSES, r"＃語[本出]"),
    ("table of sentences", ("idioms",), ("discrimination_examples",), r"(?m)^[○ㄨ]\t[○ㄨ]\t.+∼"),
    ("changed reading", ("idioms",), ("bopomofo",), r"（變）"),
    ("changed reading", ("idioms",), ("pinyin",), r"（變）"),
    ("1.", ("concised",), SENSES, r"(?m)^\d+\."),
    ("1.", ("revised",), SENSES, r"(?m)^\d+\."),
    ("(1)", WORDS, SENSES, r"(?m)^\(\d+\)"),
    *(
        (f"[{name}]", WORDS, SENSES, rf"(?m)^(?:\d+\.)?\[{name}\]")
        for name in (*"名動形副助擬連代介歎量綴", "代、介")
    ),
    ("[ｓ]", WORDS, SENSES, r"\[[ａ-ｚ]\]"),
    ("[例]", ("concised",), SENSES, r"\[例\].+、"),
    ("loan source", ("concised",), SENSES, r"§[英日]\S"),
    ("also called", ("concised",), SENSES, r"△\S"),
    ("editorial mark", ("concised",), SENSES, r"◎"),
    ("see also", ("concised",), SENSES, r"→\S"),
    ("reading note", ("concised",), SENSES, r"（原「.+」字"),
    ("example", ("revised",), SENSES, r"如：「"),
    ("quotation", ("revised",), SENSES, r"《[^》]+．[^》]+》：「"),
    ("variant", ("revised",), SENSES, r"也作「[^」]+」。"),
    ("see also", ("revised",), SENSES, r"參見「[^」]+」條。"),
    ("variant character", ("revised",), SENSES, r"「.」的異體字。"),
    ("riddle", WORDS, SENSES, r"\(歇後語\)"),
    ("[似]", ("concised",), ("synonyms",), r"\[似\]1\."),
    ("[反]", ("concised",), ("antonyms",), r"\[反\] ?\d\."),
    ("keyed to senses", ("concised",), RELATED, r"1\.[^、]+、?.*  2\."),
    ("keyed to senses", ("revised",), RELATED, r"1\.[^、]+、.*  2\."),
    *(
        ("full-width spaces", (name,), PRONOUNCED, r"[ㄅ-ㄩˊˇˋ]　˙?[ㄅ-ㄩ]")
        for name in DICTIONARIES[:3]
    ),
    ("light tone", ("revised",), PRONOUNCED, r"˙[ㄅ-ㄩ]"),
    ("light tone", ("concised",), PRONOUNCED, r"˙[ㄅ-ㄩ]"),
    ("light tone", ("mini",), PRONOUNCED, r"˙[ㄅ-ㄩ]"),
    *(
        (kind, WORDS, ("variant_kind", "bopomofo"), rf"^{number}|{kind}")
        for number, kind in enumerate(("變", "又音", "語音", "讀音"), start=1)
    ),
    ("（又音）", DICTIONARIES, PRONOUNCED, r"（又音）"),
    *(
        ("trailing blanks", (name,), ("radical",), r"\s$")
        for name in ("revised", "concised", "mini")
    ),
    ("private-use character of the BMP", DICTIONARIES, None, r"[\ue000-\uf8ff]"),
    ("private-use character of planes 15, 16", DICTIONARIES, None, "[\U000f0000-\U0010ffff]"),
    ("tab", DICTIONARIES, None, r"\t"),
    ("line break of Windows", DICTIONARIES, None, r"\r\n"),
    ("doubled spaces", DICTIONARIES, None, r"\S  "),
    ("full-width digits", DICTIONARIES, None, r"[０-９]"),
]


@pytest.mark.parametrize(
    ("dictionaries", "columns", "pattern"),
    [kind[1:] for kind in MARKUP],
    ids=[f"{name}-{'|'.join(dictionaries)}" for name, dictionaries, *_ in MARKUP],
)
def test_every_kind_of_markup_occurs(rows, dictionaries, columns, pattern):
    found = Counter(
        dictionary
        for dictionary in dictionaries
        for row in rows[dictionary]
        for column in columns or row
        if re.search(pattern, row.get(column, ""))
    )
    assert found
