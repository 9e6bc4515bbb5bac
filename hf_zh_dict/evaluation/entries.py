"""A corpus in, its held-out entries as questions of the suite `dictionary` need them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.dictionaries.entry import Entry, Reading
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.evaluation.scoring import spread
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths

COLUMNS = ["text", "headword", "dictionary", "group", "view", "spans"]


@dataclass(frozen=True)
class HeldOutEntry:
    """An entry that no training saw, with what was kept of its row."""

    entry: Entry
    text: str
    dictionary: str
    group: str

    @property
    def headword(self) -> str:
        return self.entry.headword

    @property
    def reading(self) -> Reading:
        """The first pronunciation."""
        return self.entry.readings[0]


def read_entries(paths: RunPaths, *splits: str) -> list[HeldOutEntry]:
    """The entries of some splits; of several views of one, the whole entry.

    Raises:
        InputError: the corpus is not made of dictionary entries.
    """
    rows = [row for split in splits for row in read_rows(paths.split(split), COLUMNS)]
    found = [read_entry(row) for row in rows if row["view"] == "plain" and row["spans"]]
    entries = [entry for entry in found if entry is not None]
    if not entries:
        raise InputError(
            _("the corpus holds out no dictionary entries; use corpus.source embedded or spreadsheets.")
        )  # fmt: skip
    return entries


def read_entry(row: dict[str, Any]) -> HeldOutEntry | None:
    try:
        entry = parse_document(row["text"])
    except NotAnEntry:
        return None
    return HeldOutEntry(entry, row["text"], row["dictionary"], row["group"])


def begin_line(headword: str, reading: Reading) -> str:
    """`headword　注音　漢語拼音`: how a line begins before its first definition."""
    return SEPARATOR.join(part for part in (headword, reading.bopomofo, reading.pinyin) if part)


@dataclass(frozen=True)
class Definition:
    """The first definition of an entry, which does not contain the headword."""

    of: HeldOutEntry
    text: str
    part_of_speech: str

    @property
    def beginning(self) -> str:
        return begin_line(self.of.headword, self.of.reading)

    @property
    def ending(self) -> str:
        return SEPARATOR + self.text


def find_definitions(entries: Sequence[HeldOutEntry], longest: int) -> list[Definition]:
    """First definitions up to `longest` characters; entries that only refer to others have none."""
    found = []
    for entry in entries:
        for sense in entry.reading.senses[:1]:
            text = sense.passages[0].text
            if (
                sense.passages[0].field == "definition"
                and 2 <= len(text) <= longest
                and entry.headword not in text
            ):
                found.append(Definition(entry, text, sense.part_of_speech))
    return found


def read_headwords(paths: RunPaths) -> dict[str, str]:
    """Every headword of the corpus with the line of its first whole entry; held-out ones come first."""
    lines: dict[str, str] = {}
    for split in ("test", "validation", "train"):
        for row in read_rows(paths.split(split), ["text", "headword", "view", "spans"]):
            if row["view"] == "plain" and row["spans"]:
                lines.setdefault(row["headword"], row["text"])
    return lines


def begin(headword: str, text: str) -> str:
    """How the line of an entry begins before its first definition."""
    try:
        return begin_line(headword, parse_document(text).readings[0])
    except NotAnEntry:
        return headword


def choose(items: Sequence[Any], limit: int) -> list[Any]:
    """At most `limit` of the items, evenly."""
    return [items[index] for index in spread(len(items), limit)]
