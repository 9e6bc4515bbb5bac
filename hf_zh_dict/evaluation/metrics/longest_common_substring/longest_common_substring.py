"""Two texts in, how long a stretch of characters they share out.

Loaded by path, `evaluate.load(".../metrics/longest_common_substring")`.
"""

from typing import Any

import datasets
import evaluate
import numpy as np

DESCRIPTION = """
longest_common_substring = mean number of characters of the longest stretch that stands, unbroken, in
both prediction and reference: L(i,j) = L(i−1,j−1) + 1 where the characters are equal, else 0; its maximum.
"""
CITATION = """
@book{gusfield1997, author = {Gusfield, Dan}, title = {Algorithms on Strings, Trees, and Sequences},
publisher = {Cambridge University Press}, year = {1997}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
    each: also return every item's own value, as a list under “each”.
"""


def longest_common_substring(one: str, other: str) -> int:
    """Characters of the longest substring of both; a row of the table at a time."""
    columns = np.frombuffer(other.encode("utf-32-le"), dtype="<u4")
    row = np.zeros(len(columns) + 1, dtype=np.int64)
    longest = 0
    for character in one:
        row[1:] = np.where(columns == ord(character), row[:-1] + 1, 0)
        longest = max(longest, int(row.max()))
    return longest


class LongestCommonSubstring(evaluate.Metric):  # type: ignore[misc]
    """Mean length of the longest stretch that two texts share."""

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
            longest_common_substring(text, truth)
            for text, truth in zip(predictions, references, strict=True)
        ]
        result: dict[str, Any] = {"longest_common_substring": sum(values) / len(values)}
        return result | {"each": values} if each else result
