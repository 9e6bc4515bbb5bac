"""Texts in, the share of different n-grams among all of them out.

Loaded by path, `evaluate.load(".../metrics/distinct_n")`.
"""

import datasets
import evaluate

DESCRIPTION = """
distinct_n = different character n-grams in all texts / character n-grams in all texts, for n = 1 to 4
(0 when no text is that long). It falls with the amount of text: compare equal amounts.
"""
CITATION = """
@inproceedings{li2016, author = {Li, Jiwei and others}, title = {A Diversity-Promoting Objective Function for
Neural Conversation Models}, booktitle = {NAACL}, year = {2016}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
"""


ORDERS = (1, 2, 3, 4)


class DistinctN(evaluate.Metric):  # type: ignore[misc]
    """Share of different character n-grams."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions: list[str]) -> dict[str, float]:
        result = {}
        for order in ORDERS:
            grams = [
                text[i : i + order] for text in predictions for i in range(len(text) - order + 1)
            ]
            result[f"distinct_{order}"] = len(set(grams)) / len(grams) if grams else 0.0
        return result
