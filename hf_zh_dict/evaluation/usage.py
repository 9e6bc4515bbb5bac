"""Held-out entries in, pairs of a sentence with the right and with another word in it out.

Three kinds: an entry's example with another held-out word in place of the headword; a sentence
that the idioms' 辨識 gives to one of two idioms; an idiom's sentence with the character that
形音辨誤 warns of.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.evaluation.entries import HeldOutEntry, begin_line, choose
from hf_zh_dict.evaluation.fields import cost_characters
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _

# 甲○乙ㄨ：…∼…。: the sentence is right with 甲 and wrong with 乙
JUDGED = re.compile(r"(?<!\S)([^\s○ㄨ×]+)([○ㄨ×])([^\s○ㄨ×]+)([○ㄨ×])：([^∼～~\s]*)[∼～~](\S*)")
MISWRITTEN = re.compile(r"(\w)，音[^ ]*?不可寫作「(\w)」")


@dataclass(frozen=True)
class Pair:
    """Two lines that differ in one word; the sentence begins at `starts`."""

    kind: str
    group: str
    lines: tuple[str, str]  # with the right word, with the wrong one
    starts: tuple[int, int]


def make_pair(
    kind: str, group: str, beginnings: tuple[str, str], sentences: tuple[str, str]
) -> Pair:
    right, wrong = (
        beginning + SEPARATOR + sentence
        for beginning, sentence in zip(beginnings, sentences, strict=True)
    )
    return Pair(kind, group, (right, wrong), (len(beginnings[0]) + 1, len(beginnings[1]) + 1))


def find_pairs(entries: Sequence[HeldOutEntry]) -> list[Pair]:
    """All pairs, in the entries' order."""
    pairs = list(pair_words(entries))
    for entry in entries:
        sections = {section.field: section.text for section in entry.entry.sections}
        pairs += judge_idioms(entry, sections.get("discrimination_examples", ""))
        pairs += misspell(
            entry, sections.get("form_and_sound", ""), sections.get("usage_examples", "")
        )
    return pairs


def pair_words(entries: Sequence[HeldOutEntry]) -> Iterator[Pair]:
    """An entry's first example, with the next word of its dictionary, length and part of speech."""
    alike: dict[tuple[str, int, str], list[tuple[HeldOutEntry, str]]] = {}
    for entry in entries:
        for sense in entry.reading.senses[:1]:
            examples = [p.text for p in sense.passages if p.field == "example"]
            text = next((t for t in examples if entry.headword in t), "")
            key = (entry.dictionary, len(entry.headword), sense.part_of_speech)
            alike.setdefault(key, []).append((entry, text))
    for members in alike.values():
        for place, (entry, text) in enumerate(members):
            others = (members[(place + i) % len(members)][0] for i in range(1, len(members)))
            other = next((o for o in others if o.group != entry.group), None)
            if text and other is not None:
                beginnings = tuple(begin_line(e.headword, e.reading) for e in (entry, other))
                swapped = text.replace(entry.headword, other.headword)
                yield make_pair("words", entry.group, beginnings, (text, swapped))  # type: ignore[arg-type]


def judge_idioms(entry: HeldOutEntry, text: str) -> Iterator[Pair]:
    """Sentences that are right with one idiom and wrong with the other."""
    for one, is_one, other, is_other, before, behind in JUDGED.findall(text):
        if (is_one == "○") != (is_other == "○"):
            words = (one, other) if is_one == "○" else (other, one)
            sentences = (before + words[0] + behind, before + words[1] + behind)
            yield make_pair("idioms", entry.group, words, sentences)


def misspell(entry: HeldOutEntry, warnings: str, sentences: str) -> Iterator[Pair]:
    """The idiom's sentences with a character that it is wrongly written with."""
    for right, wrong in MISWRITTEN.findall(warnings):
        word = entry.headword
        for sentence in sentences.split(" ") if right in word else ():
            if word in sentence:
                misspelt = word.replace(right, wrong)
                swapped = sentence.replace(word, misspelt)
                yield make_pair("miswritten", entry.group, (word, misspelt), (sentence, swapped))


def examine_usage(subject: Subject, entries: Sequence[HeldOutEntry], limit: int) -> dict[str, Any]:
    """How often the sentence is likelier, for each character, with the word that it belongs to."""
    results: dict[str, Any] = {}
    pairs = find_pairs(entries)
    for kind in ("words", "idioms", "miswritten"):
        chosen: list[Pair] = choose([pair for pair in pairs if pair.kind == kind], limit)
        if not chosen:
            continue
        lines = [line for pair in chosen for line in pair.lines]
        starts = [start for pair in chosen for start in pair.starts]
        costs, _tokens = cost_characters(subject, lines, _("dictionary: sentences"))
        means = [cost[start:-1].mean() for cost, start in zip(costs, starts, strict=True)]
        right = [
            float(one < other) + (one == other) / 2
            for one, other in zip(means[::2], means[1::2], strict=True)
        ]
        groups = [pair.group for pair in chosen]
        results[kind] = {"accuracy": measure_ratio(right, groups, chance=0.5, seed=subject.seed)}
    return results
