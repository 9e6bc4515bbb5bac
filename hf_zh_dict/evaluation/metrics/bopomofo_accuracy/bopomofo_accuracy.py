"""Lines and the true ones in, the share of readings that is right out.

Loaded by path, `evaluate.load(".../metrics/bopomofo_accuracy")`.
"""

from typing import Any

import datasets
import evaluate

from hf_zh_dict.evaluation.structure import find_readings

DESCRIPTION = """
reading_accuracy = share of lines whose first 注音 is one of the readings of the true entry, tones included;
syllable_accuracy = share of its syllables that are right, in their places, against the true reading it
fits best, over the longer of the two. True lines without 注音 do not count.
"""
CITATION = """
@misc{hf_zh_dict, title = {hf_zh_dict, evaluation/structure.py}}
"""
INPUTS = """
Args:
    predictions: lines that a model wrote, headwords included.
    references: the true entries.
    each: also return each line's two values, under “each” and “each_syllable” (None: no true reading).
"""


def syllable_accuracy(one: str, other: str) -> float:
    """Share of syllables that are equal, in their places."""
    ours, theirs = one.split(), other.split()
    equal = sum(a == b for a, b in zip(ours, theirs, strict=False))
    return equal / max(len(ours), len(theirs))


def compare(line: str, truth: str) -> tuple[float, float] | None:
    """Whether the first reading is right, and how much of it."""
    right = [bopomofo for bopomofo, _pinyin in find_readings(truth)]
    if not right:
        return None
    written = find_readings(line)[:1]
    if not written:
        return 0.0, 0.0
    first = written[0][0]
    return float(first in right), max(syllable_accuracy(first, reading) for reading in right)


class BopomofoAccuracy(evaluate.Metric):  # type: ignore[misc]
    """Share of readings that are right."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(
        self, predictions: list[str], references: list[str], each: bool = False
    ) -> dict[str, Any]:
        compared = [
            compare(line, truth) for line, truth in zip(predictions, references, strict=True)
        ]
        known = [pair for pair in compared if pair is not None]
        result: dict[str, Any] = {
            name: sum(pair[place] for pair in known) / len(known) if known else 0.0
            for place, name in enumerate(("reading_accuracy", "syllable_accuracy"))
        }
        if each:
            result["each"] = [pair and pair[0] for pair in compared]
            result["each_syllable"] = [pair and pair[1] for pair in compared]
        return result
