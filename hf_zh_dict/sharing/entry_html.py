"""What a model wrote and what is known of it in, HTML set like a dictionary's page out.

Everything is escaped: what people type and models write is text, never markup. The template is
`templates/entry.html`; `templates/demo.css` draws it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.dictionaries.entry import Entry
from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.dictionaries.render import ENTRY_LABELS, ORDINALS, READING_LABELS
from hf_zh_dict.evaluation.known_entries import KnownEntry
from hf_zh_dict.evaluation.written_entry import WrittenEntry, parse_entry
from hf_zh_dict.messages import _
from hf_zh_dict.sharing.page import TEMPLATES, format_share

LABELS = {name: label.rstrip("：") for name, label in (ENTRY_LABELS | READING_LABELS).items()}
SPOKEN = re.compile(r"[^\W\d_]")  # characters that have a syllable


def render_message(message: str) -> str:
    """One sentence in place of an entry."""
    return render(message=message)


def render_growing(text: str) -> str:
    """The text as far as it has come."""
    return render(text=text, growing=True)


def render_written(
    written: WrittenEntry,
    *,
    settings: str = "",
    stopped: bool = False,
    has_corpus: bool = False,
    attributions: Sequence[str] = (),
) -> str:
    """The whole text as an entry, its checks below and the dictionary's own entries beside it."""
    absent = _("This word has no entry in the corpus.") if not written.truths else True
    return render(
        written=written,
        text=written.text,
        settings=settings,
        state=_("stopped") if stopped else "",
        beside_it=absent if has_corpus else "",
        truths=[describe_truth(truth) for truth in written.truths],
        attributions=attributions,
    )


def describe_truth(truth: KnownEntry) -> dict[str, Any]:
    """An entry of the corpus with the mark of its split."""
    marks = {
        "train": _("train split: the model was trained on it"),
        "validation": _("validation split: not seen in training"),
        "test": _("test split: not seen in training"),
    }
    return {
        "text": truth.text,
        "entry": parse_entry(truth.text),
        "held_out": truth.held_out,
        "mark": marks[truth.split],
        "title": TITLES.get(truth.dictionary, truth.dictionary),
    }


@dataclass(frozen=True)
class Spoken:
    """A syllable as it is written beside its character, from top to bottom."""

    letters: str
    tone: str = ""  # stands to the right of the last letter
    light: bool = False  # ˙ stands above the first

    @classmethod
    def of(cls, syllable: str) -> "Spoken":
        tone = next((mark for mark in "ˊˇˋ" if mark in syllable), "")
        letters = re.sub("[˙ˊˇˋ]", "", syllable).replace("一", "ㄧ")
        return cls(letters, tone, "˙" in syllable)


def pair_syllables(entry: Entry | None) -> list[tuple[str, Spoken | None]]:
    """Each character of the headword with its 注音; none where they do not go together."""
    if entry is None or len(entry.readings) != 1:
        return []
    syllables = re.findall(r"[^\s，；…]+", entry.readings[0].bopomofo)
    if len(SPOKEN.findall(entry.headword)) != len(syllables):
        return []
    rest = map(Spoken.of, syllables)
    return [(x, next(rest) if SPOKEN.fullmatch(x) else None) for x in entry.headword]


def render(**values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
    )
    environment.filters["share"] = format_share
    environment.globals |= {
        "labels": LABELS,
        "ordinals": ORDINALS,
        "pairs_of": pair_syllables,
        "words": {
            "written": _("the model writes"),
            "known": _("the dictionary says"),
            "novelty": _("novelty"),
            "nearest": _("the train entry nearest to it"),
        },
    }
    return show_controls(environment.get_template("entry.html").render(**values))


def show_controls(text: str) -> str:
    """The text with a sign in place of each control character but line ends, as HTML wants it."""
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", "\ufffd", text)
