"""A line in, the `Entry` that it renders out; a line that is no entry raises `NotAnEntry`.

The reverse of render.py: for every entry, `parse_document(render_document(entry).text)` has the
same headword, readings, senses and sections. It also judges what a model writes.
"""

import re

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.render import ENTRY_LABELS, READING_LABELS, SEPARATOR, ordinal

RADICAL = re.compile(r"(\S+)部(\d+)畫(?:，共(\d+)畫)?")
ORDINAL = re.compile(r"\(([一二三四五六七八九十]+)\)")
BOPOMOFO = re.compile(r"[ㄅ-ㄩㆠ-ㆿ一ˊˇˋ˙ ，；…]*[ㄅ-ㄩㆠ-ㆿ][ㄅ-ㄩㆠ-ㆿ一ˊˇˋ˙ ，；…]*")
PINYIN = re.compile(r"[a-zA-ZüÜê\u0300-\u036fà-ǿ\u1e00-\u1eff ，,；…'’-]+")
PART_OF_SPEECH = re.compile(r"\[([^\[\]]{0,5})\]")
NUMBER = re.compile(r"(\d{1,2})\.(?: (?=\d)|(?=[^\d]))")

ENTRY_FIELDS = {label: field for field, label in ENTRY_LABELS.items()}
READING_FIELDS = {label: field for field, label in READING_LABELS.items()}
LABEL = re.compile("|".join(map(re.escape, [*READING_FIELDS, *ENTRY_FIELDS])))


class NotAnEntry(ValueError):
    """The line does not have the shape of an entry; the text says where it fails."""


def parse_document(text: str) -> Entry:
    """Read a rendered line back.

    Raises:
        NotAnEntry: no headword, no definition, or a field out of place.
    """
    headword, *fields = text.split(SEPARATOR)
    if not headword.strip() or len(headword) > 60:
        raise NotAnEntry("no headword")
    if "" in fields:
        raise NotAnEntry("an empty field")
    radical = RADICAL.fullmatch(fields[0]) if fields else None
    if radical:
        fields = fields[1:]
    start = next(
        (i for i, field in enumerate(fields) if label_of(field) in ENTRY_FIELDS), len(fields)
    )
    sections = []
    for field in fields[start:]:
        label = label_of(field)
        if label not in ENTRY_FIELDS:
            raise NotAnEntry(f"no label: {field[:20]}")
        sections.append(Passage(ENTRY_FIELDS[label], field[len(label) :]))
    return Entry(
        headword=headword,
        readings=tuple(parse_reading(part) for part in split_readings(fields[:start])),
        radical=radical.group(1) if radical else "",
        residual_strokes=int(radical.group(2)) if radical else 0,
        strokes=int(radical.group(3) or 0) if radical else 0,
        sections=tuple(sections),
    )


def label_of(field: str) -> str:
    """The label that a field begins with, or the empty string."""
    found = LABEL.match(field)
    return found.group() if found else ""


def split_readings(fields: list[str]) -> list[list[str]]:
    """Fields of each reading: ordinals (一), (二), … divide them, in order."""
    if not fields or not ORDINAL.fullmatch(fields[0]):
        return [fields]
    readings: list[list[str]] = []
    for field in fields:
        found = ORDINAL.fullmatch(field)
        if found:
            if found.group(1) != ordinal(len(readings)):
                raise NotAnEntry(f"reading ({found.group(1)}) out of order")
            readings.append([])
        else:
            readings[-1].append(field)
    if len(readings) < 2:
        raise NotAnEntry("one reading with an ordinal")
    return readings


def parse_reading(fields: list[str]) -> Reading:
    """注音, 漢語拼音, senses, labelled sections, in this order; senses are required."""
    bopomofo = pinyin = ""
    rest = list(fields)
    if rest and BOPOMOFO.fullmatch(rest[0]):
        bopomofo = rest.pop(0)
        if rest and PINYIN.fullmatch(rest[0]):
            pinyin = rest.pop(0)
    senses: list[Sense] = []
    sections: list[Passage] = []
    part_of_speech = ""
    for field in rest:
        label = label_of(field)
        marked = PART_OF_SPEECH.fullmatch(field)
        if label in READING_FIELDS:
            sections.append(Passage(READING_FIELDS[label], field[len(label) :]))
        elif sections:
            raise NotAnEntry(f"a sense behind a section: {field[:20]}")
        elif marked:
            part_of_speech = marked.group(1)
        else:
            number = NUMBER.match(field)
            body = field[number.end() :] if number else field
            senses.append(
                Sense(split_passages(body), int(number.group(1)) if number else 0, part_of_speech)
            )
    if not senses:
        raise NotAnEntry("no definition")
    return Reading(bopomofo, pinyin, tuple(senses), tuple(sections))
