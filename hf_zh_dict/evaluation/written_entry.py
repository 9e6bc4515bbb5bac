"""A word, what a model wrote of it and the corpus in, what a reader may want to know of it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from hf_zh_dict.dictionaries.entry import Entry
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.evaluation.known_entries import KnownEntries, KnownEntry, Nearest
from hf_zh_dict.evaluation.nearest import ORDER
from hf_zh_dict.evaluation.structure import (
    agrees_with_pinyin,
    check_structure,
    find_readings,
    is_valid_bopomofo,
)
from hf_zh_dict.messages import N_, _

FAULTS = {  # of structure.py's properties, in words
    "parses": N_("there is no definition, or a field is out of place"),
    "sounded": N_("there is no 注音 behind the headword"),
    "numbered": N_("the senses are not numbered one after another"),
    "complete": N_("a sense ends before its sentence does"),
    "balanced": N_("a quotation or title mark is not closed"),
    "clean": N_("it has broken characters"),
}
NOVELTIES = (  # the largest share of n-grams that one train entry holds, and what it says
    (0.2, N_("nearly all of it is the model's own")),
    (0.5, N_("most of it is the model's own, some is of an entry that it was trained on")),
    (0.8, N_("much of it is of an entry that it was trained on")),
    (1.0, N_("it is nearly an entry that it was trained on, by heart")),
)


@dataclass(frozen=True)
class Remark:
    """One thing that was checked. `good` is None where there was nothing to check."""

    name: str
    good: bool | None
    sentence: str


@dataclass(frozen=True)
class WrittenEntry:
    """What a model wrote, read as an entry where it is one, with all that was found out."""

    text: str
    entry: Entry | None
    remarks: tuple[Remark, ...]
    truths: tuple[KnownEntry, ...] = ()  # the headword's own entries
    nearest: Nearest | None = None
    novelty: float | None = None  # 1 - the nearest entry's share; None: there is no telling

    @property
    def novelty_in_words(self) -> str:
        if self.novelty is None:
            return ""
        share = 1 - self.novelty
        return _(next(words for most, words in NOVELTIES if share <= most))


def examine_entry(word: str, text: str, known: KnownEntries | None) -> WrittenEntry:
    """Check what was written of a word; `known` is the corpus, where there is one."""
    truths = tuple(known.find(word)) if known else ()
    remarks = [check_form(text), check_bopomofo(text), check_pinyin(text)]
    remarks += [compare_reading(text, truths)] if truths else []
    nearest = known.find_nearest(text) if known else None
    telling = known is not None and len(text) >= ORDER
    return WrittenEntry(
        text,
        parse_entry(text),
        tuple(remarks),
        truths,
        nearest,
        1 - (nearest.share if nearest else 0.0) if telling else None,
    )


def parse_entry(text: str) -> Entry | None:
    """The text as an entry, or None when it is none."""
    try:
        return parse_document(text)
    except NotAnEntry:
        return None


def check_form(text: str) -> Remark:
    """Whether the line has what every entry has, and what it lacks first."""
    properties = check_structure(text)
    wrong = next((name for name in FAULTS if not properties[name]), None)
    sentence = _(FAULTS[wrong]) if wrong else _("the form of a whole entry")
    return Remark(_("form"), wrong is None, sentence)


def check_bopomofo(text: str) -> Remark:
    """Whether the 注音 are well-formed syllables, one for each character."""
    if not find_readings(text):
        return Remark("注音", None, _("none was written"))
    if is_valid_bopomofo(text):
        return Remark("注音", True, _("well formed, a syllable for each character"))
    return Remark("注音", False, _("a malformed syllable, or not one for each character"))


def check_pinyin(text: str) -> Remark:
    """Whether 漢語拼音 and 注音 say the same."""
    agrees = agrees_with_pinyin(text)
    if agrees is None:
        return Remark("漢語拼音", None, _("none was written beside 注音"))
    sentence = _("says the same as 注音") if agrees else _("says something else than 注音")
    return Remark("漢語拼音", agrees, sentence)


def compare_reading(text: str, truths: Sequence[KnownEntry]) -> Remark:
    """Whether the word is read as a dictionary has it; any of its readings is right."""
    name = _("beside the dictionary")
    right = [bopomofo for truth in truths for bopomofo, _pinyin in find_readings(truth.text)]
    right = list(dict.fromkeys(right))
    written = [bopomofo for bopomofo, _pinyin in find_readings(text)]
    if not right or not written:
        return Remark(name, None, _("there is no 注音 to compare"))
    if written[0] in right:
        return Remark(name, True, _("the word is read as it is there"))
    sentence = _("the word is read otherwise there: {readings}")
    return Remark(name, False, sentence.format(readings="、".join(right)))
