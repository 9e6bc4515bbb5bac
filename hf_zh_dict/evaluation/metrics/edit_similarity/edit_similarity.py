"""Two texts in, how little must be edited to make one the other out.

Loaded by path, `evaluate.load(".../metrics/edit_similarity")`.
"""

from typing import Any

import datasets
import evaluate
import numpy as np

DESCRIPTION = """
edit_similarity = mean of 1 − d / max(characters of prediction, characters of reference), d the least
number of characters to insert, delete or replace (Levenshtein distance); 1 for two empty texts.
"""
CITATION = """
@article{levenshtein1966, author = {Levenshtein, Vladimir I.}, title = {Binary Codes Capable of
Correcting Deletions, Insertions, and Reversals}, journal = {Soviet Physics Doklady}, volume = {10},
year = {1966}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
    each: also return every item's own value, as a list under “each”.
"""


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance; a row of Wagner and Fischer's table at a time.

    A cell is the least of three; the one that comes from its left, row[j − 1] + 1, is the running
    minimum of the other two once j is taken off.
    """
    columns = np.frombuffer(other.encode("utf-32-le"), dtype="<u4")
    places = np.arange(len(columns) + 1)
    row = places.copy()
    for number, character in enumerate(one, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (columns != ord(character)))
        row = np.minimum.accumulate(np.concatenate(([number], best)) - places) + places
    return int(row[-1])


def edit_similarity(one: str, other: str) -> float:
    longer = max(len(one), len(other))
    return 1 - edit_distance(one, other) / longer if longer else 1.0


class EditSimilarity(evaluate.Metric):  # type: ignore[misc]
    """Mean similarity by edit distance."""

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
        values = [
            edit_similarity(text, truth)
            for text, truth in zip(predictions, references, strict=True)
        ]
        result: dict[str, Any] = {"edit_similarity": sum(values) / len(values)}
        return result | {"each": values} if each else result
