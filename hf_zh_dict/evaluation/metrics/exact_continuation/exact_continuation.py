"""Continuations and the true ones in, the share that is right to the last character out.

Loaded by path, `evaluate.load(".../metrics/exact_continuation")`.
"""

from typing import Any

import datasets
import evaluate

DESCRIPTION = """
exact_continuation = items whose prediction equals its reference / items. With greedy decoding and a
prompt of k tokens it is the share of texts that are “extractable with k tokens of context”.
"""
CITATION = """
@inproceedings{carlini2023, author = {Carlini, Nicholas and others}, title = {Quantifying Memorization
Across Neural Language Models}, booktitle = {ICLR}, year = {2023}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
    each: also return every item's own value, as a list under “each”.
"""


class ExactContinuation(evaluate.Metric):  # type: ignore[misc]
    """Share of continuations that are the true ones."""

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
        values = [float(text == truth) for text, truth in zip(predictions, references, strict=True)]
        result: dict[str, Any] = {"exact_continuation": sum(values) / len(values)}
        return result | {"each": values} if each else result
