"""Texts and references in, chrF out.

Loaded by path, `evaluate.load(".../metrics/chrf")`.
"""

import datasets
import evaluate
from sacrebleu.metrics.chrf import CHRF

DESCRIPTION = """
chrF, 0 to 100, over all items together: F2 of the mean precision and mean recall of character 1- to
6-grams, white space left out, as sacrebleu has it.
"""
CITATION = """
@inproceedings{popovic2015, author = {Popović, Maja}, title = {chrF: character n-gram F-score for automatic
MT evaluation}, booktitle = {WMT}, year = {2015}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
"""


class ChrF(evaluate.Metric):  # type: ignore[misc]
    """What sacrebleu says of characters."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"chrf": CHRF().corpus_score(predictions, [references]).score}
