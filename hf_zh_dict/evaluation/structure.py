"""A line that a model wrote in, which of the things that every entry of a dictionary has out.

The parser alone is no judge: it takes a headword and any text behind it for an entry. What is
asked for here holds for about 99 of 100 entries of the Ministry's dictionaries.
"""

import itertools
import re

from hf_zh_dict.dictionaries.entry import Entry
from hf_zh_dict.dictionaries.normalize import SENTENCE_END
from hf_zh_dict.dictionaries.parse import (
    BOPOMOFO,
    ORDINAL,
    PINYIN,
    RADICAL,
    NotAnEntry,
    parse_document,
)
from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.dictionaries.syllables import spell_reading

PAIRS = {"」": "「", "』": "『", "》": "《", "〉": "〈"}
ENDINGS = tuple(SENTENCE_END + "」』）)")
LISTS = ("例如：", "也稱：", "參見：")
DAMAGED = re.compile("[\ufffd\x00-\x1f\x7f-\x9f]")
PAUSES = re.compile(r"\s*[，,；…]\s*|\s+")
CHARACTER = re.compile(r"[^\W\d_]")

Reading = tuple[str, str]  # 注音 and 漢語拼音, syllables divided by one space; pinyin may be empty


def check_structure(line: str) -> dict[str, bool]:
    """Each property by its name; an entry has them all.

    parses: headword, fields in their order, a definition; sounded: 注音 stands behind the headword
    or a radical does; numbered: senses count up from where they start; balanced: 「」『』《》〈〉
    open and close; complete: senses end where sentences do; clean: no broken characters.
    """
    properties = {"balanced": is_balanced(line), "clean": not DAMAGED.search(line)}
    try:
        entry = parse_document(line)
    except NotAnEntry:
        entry = None
    return {
        "parses": entry is not None,
        "sounded": entry is not None and is_sounded(entry),
        "numbered": entry is not None and is_numbered(entry),
        "complete": entry is not None and is_complete(entry),
        **properties,
    }


def is_sounded(entry: Entry) -> bool:
    return bool(entry.radical) or all(reading.bopomofo for reading in entry.readings)


def is_numbered(entry: Entry) -> bool:
    """Each number is the next one, or 1 again (behind another part of speech)."""
    for reading in entry.readings:
        numbers = [sense.number for sense in reading.senses if sense.number]
        if any(b not in (a + 1, 1) for a, b in itertools.pairwise([0, *numbers])):
            return False
    return True


def is_complete(entry: Entry) -> bool:
    """Each sense ends a sentence; a list behind 例如：, 也稱： or 參見： has none."""
    return all(
        sense.text.endswith(ENDINGS) or sense.passages[-1].text.startswith(LISTS)
        for reading in entry.readings
        for sense in reading.senses
    )


def is_balanced(text: str) -> bool:
    """Whether quotation and title marks are closed in the order in which they were opened."""
    opened: list[str] = []
    for character in text:
        if character in PAIRS.values():
            opened.append(character)
        elif character in PAIRS and (not opened or opened.pop() != PAIRS[character]):
            return False
    return not opened


def find_readings(line: str) -> list[Reading]:
    """The readings of a line, also of one that is no whole entry: fields of 注音, and pinyin behind."""
    fields = line.split(SEPARATOR)
    readings = []
    for place, field in enumerate(fields[1:], start=1):
        if BOPOMOFO.fullmatch(field):
            following = fields[place + 1] if place + 1 < len(fields) else ""
            pinyin = following if PINYIN.fullmatch(following) else ""
            readings.append((plain_syllables(field), plain_syllables(pinyin)))
    return readings


def plain_syllables(reading: str) -> str:
    """Syllables divided by one space; pauses of a saying are left out."""
    return " ".join(filter(None, PAUSES.split(reading)))


def is_valid_bopomofo(line: str) -> bool:
    """Whether a line's 注音 is in its place and well formed, a syllable for each character.

    Its place is behind the headword, where a radical and the ordinal of a reading may come before
    it. A final ㄦ that is written onto a syllable (ㄊㄡˊㄦ) stands for a character of its own.
    """
    headword, *fields = line.split(SEPARATOR)
    first = next((f for f in fields if not RADICAL.fullmatch(f) and not ORDINAL.fullmatch(f)), "")
    if not BOPOMOFO.fullmatch(first):
        return False
    num_characters = len(CHARACTER.findall(headword))
    for bopomofo, _pinyin in find_readings(line):
        syllables = bopomofo.split()
        suffixes = sum(s.endswith("ㄦ") and len(s) > 1 for s in syllables)
        counts = (len(syllables), len(syllables) + suffixes)
        if spell_reading(bopomofo) is None or num_characters not in counts:
            return False
    return True


def agrees_with_pinyin(line: str) -> bool | None:
    """Whether every 漢語拼音 spells the 注音 before it; None when no reading has both."""
    both = [(bopomofo, pinyin) for bopomofo, pinyin in find_readings(line) if pinyin]
    return all(spell_reading(bopomofo) == pinyin for bopomofo, pinyin in both) if both else None
