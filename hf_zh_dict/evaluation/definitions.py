"""Held-out definitions in, whether the model knows which of some belongs to a headword out.

It is asked of P(definition | headword, 注音, 漢語拼音), the order in which lines are written.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.evaluation.continuations import score_endings
from hf_zh_dict.evaluation.entries import Definition, choose
from hf_zh_dict.evaluation.ranking import measure_ranks, rank_of
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _
from hf_zh_dict.progress import track

CHOICES = (10, 100)  # definitions to choose from, the right one among them
ROWS = 128  # endings that are scored at once


def rank_definitions(
    subject: Subject, asked: Sequence[Definition], known: Sequence[Definition]
) -> dict[str, Any]:
    """The right definition among 9 and 99 others of `known`, of which `asked` are some.

    Two costs: that of the definition as it is, and that beyond what other headwords would give it
    (`over_expectation`, the pointwise mutual information): a model that knows no more than which
    definitions are usual ranks well by the first, if the right ones are usual, never by the second.
    """
    most = max(CHOICES)
    usual = expect_definitions(subject, known)
    ranks: dict[tuple[str, int], list[float]] = {}
    groups: dict[int, list[str]] = {}
    for definition in track(asked, _("dictionary: definitions"), total=len(asked)):
        options = [definition, *find_alike(definition, known, most - 1)]
        costs = score_definitions(subject, definition, options)
        beyond = costs - np.array([usual[option] for option in options])
        for choices in CHOICES:
            if len(options) < choices:
                continue
            step = (len(options) - 1) // (choices - 1)
            chosen = [0, *range(1, 1 + step * (choices - 1), step)]
            groups.setdefault(choices, []).append(definition.of.group)
            for name, values in (("by_bits_per_char", costs), ("over_expectation", beyond)):
                ranks.setdefault((name, choices), []).append(rank_of(values[chosen], 0))
    results: dict[str, Any] = {}
    for (name, choices), found in ranks.items():
        results.setdefault(f"among_{choices}", {})[name] = measure_ranks(
            found, groups[choices], choices=choices, places=(1,), seed=subject.seed
        )
    return results


def find_alike(definition: Definition, known: Sequence[Definition], limit: int) -> list[Definition]:
    """Others of the same dictionary, part of speech and kind of headword, of the nearest length.

    When there are too few, the nearest of the rest; none is of the same group or has the headword.
    """

    def distance(other: Definition) -> tuple[bool, bool, bool, int]:
        return (
            other.part_of_speech != definition.part_of_speech,
            other.of.dictionary != definition.of.dictionary,
            (len(other.of.headword) == 1) != (len(definition.of.headword) == 1),
            abs(len(other.text) - len(definition.text)),
        )

    others = [
        other
        for other in known
        if other.of.group != definition.of.group
        and definition.of.headword not in other.text
        and other.text != definition.text
    ]
    return sorted(others, key=distance)[:limit]


def score_definitions(
    subject: Subject, headword: Definition, options: Sequence[Definition]
) -> npt.NDArray[np.float64]:
    """Nats for each character of each option behind the headword of one."""
    nll = score_endings(
        subject.model, subject.tokenizer, headword.beginning,
        [option.ending for option in options], batch_size=ROWS,
    )  # fmt: skip
    return nll / np.array([len(option.text) for option in options], dtype=np.float64)


def expect_definitions(
    subject: Subject, known: Sequence[Definition], headwords: int = 4
) -> dict[Definition, float]:
    """Nats for each character that the definitions take behind some headwords not their own."""
    others = choose(known, headwords)
    costs = [
        score_definitions(subject, other, known)
        for other in track(others, _("dictionary: expectations"), total=len(others))
    ]
    return dict(zip(known, np.mean(costs, axis=0).tolist(), strict=True))
