"""Two texts in, how much of one stands in the other in the same order out (ROUGE-L).

Loaded by path, `evaluate.load(".../metrics/rouge_l")`.
"""

from typing import Any

import datasets
import evaluate

DESCRIPTION = """
ROUGE-L on characters: L the longest common subsequence, P = L / characters of the prediction,
R = L / characters of the reference, rouge_l = mean of 2PR / (P + R), 0 when L is 0.
"""
CITATION = """
@inproceedings{lin2004, author = {Lin, Chin-Yew}, title = {ROUGE: A Package for Automatic Evaluation
of Summaries}, booktitle = {Text Summarization Branches Out}, year = {2004}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
    each: also return every item's own value, as a list under “each”.
"""


def common_subsequence(one: str, other: str) -> int:
    """Characters of the longest common subsequence, a row of the table in the bits of a number.

    Crochemore et al. (2001), “A fast and practical bit-vector algorithm for the longest common
    subsequence problem”: a 0 in `row` is a column where the length grows.
    """
    places: dict[str, int] = {}
    for place, character in enumerate(other):
        places[character] = places.get(character, 0) | 1 << place
    everything = (1 << len(other)) - 1
    row = everything
    for character in one:
        matched = row & places.get(character, 0)
        row = (row + matched | row - matched) & everything
    return len(other) - row.bit_count()


def rouge_l(prediction: str, reference: str) -> float:
    length = common_subsequence(prediction, reference)
    return 2 * length / (len(prediction) + len(reference)) if length else 0.0


class RougeL(evaluate.Metric):  # type: ignore[misc]
    """Mean F-measure of the longest common subsequence of characters."""

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
        values = [rouge_l(text, truth) for text, truth in zip(predictions, references, strict=True)]
        result: dict[str, Any] = {"rouge_l": sum(values) / len(values)}
        return result | {"each": values} if each else result
