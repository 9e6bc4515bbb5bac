"""Texts in, the share of n-grams that stood in the same text before out.

Loaded by path, `evaluate.load(".../metrics/repetition")`.
"""

from typing import Any

import datasets
import evaluate

DESCRIPTION = """
repetition = mean over texts of 1 − different character 4-grams / character 4-grams (“seq-rep-4”); a text
of fewer than 4 characters repeats nothing.
"""
CITATION = """
@inproceedings{welleck2020, author = {Welleck, Sean and others}, title = {Neural Text Generation with
Unlikelihood Training}, booktitle = {ICLR}, year = {2020}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    each: also return every item's own value, as a list under “each”.
"""


ORDER = 4


def repetition(text: str) -> float:
    """1 − different n-grams / n-grams."""
    grams = [text[i : i + ORDER] for i in range(len(text) - ORDER + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


class Repetition(evaluate.Metric):  # type: ignore[misc]
    """Mean share of repeated character 4-grams within a text."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions: list[str], each: bool = False) -> dict[str, Any]:
        values = [repetition(text) for text in predictions]
        result: dict[str, Any] = {"repetition": sum(values) / len(values)}
        return result | {"each": values} if each else result
