"""The record types of the road: an `Entry` is one word of one dictionary, a `Document` its line.

`Entry` is what a reader yields and a recipe renders; `Document` is what travels from there on:
one row of the corpus. Both are frozen: a stage makes new ones, it never edits.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text and the name of what it is (`definition`, `example`, `source`, …)."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning. Its passages, joined, are the sense's text as the dictionary has it."""

    passages: tuple[Passage, ...]
    number: int = 0  # 0: the dictionary does not number it
    part_of_speech: str = ""

    @property
    def text(self) -> str:
        return "".join(passage.text for passage in self.passages)


@dataclass(frozen=True, slots=True)
class Reading:
    """One pronunciation of the headword, with the senses that it has when read so.

    Syllables are divided by one space, in 注音 and in 漢語拼音. `sections` holds what belongs to
    this reading alone: other pronunciations, synonyms, antonyms.
    """

    bopomofo: str = ""
    pinyin: str = ""
    senses: tuple[Sense, ...] = ()
    sections: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One headword of one dictionary, with all its readings."""

    headword: str
    readings: tuple[Reading, ...]
    radical: str = ""
    residual_strokes: int = 0
    strokes: int = 0
    sections: tuple[Passage, ...] = ()  # what belongs to the whole entry, idiom sections among it
    dictionary: str = ""
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a field stands in a document: code points `start` (first) to `end` (one past)."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One line of text for the model, and what is known about it.

    `view` names the way the entry was rendered (`plain`: the whole entry; `line`: the text was
    a line already; the others are those of views.py). Spans lie in order and do not overlap.
    `links` are the normalised headwords that the entry names as forms of itself or refers to.
    """

    text: str
    headword: str
    dictionary: str
    entry_id: str
    view: str = "plain"
    spans: tuple[Span, ...] = ()
    links: tuple[str, ...] = ()
