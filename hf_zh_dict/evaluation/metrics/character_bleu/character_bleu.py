"""Texts and references in, BLEU on characters out.

Loaded by path, `evaluate.load(".../metrics/character_bleu")`.
"""

import datasets
import evaluate
from sacrebleu.metrics.bleu import BLEU

DESCRIPTION = """
BLEU on characters, 0 to 100, over all items together: the geometric mean of the precisions of
character 1- to 4-grams times the brevity penalty, as sacrebleu has it (tokenize="char", “exp” smoothing).
"""
CITATION = """
@inproceedings{papineni2002, author = {Papineni, Kishore and others}, title = {BLEU: a Method for Automatic
Evaluation of Machine Translation}, booktitle = {ACL}, year = {2002}}
@inproceedings{post2018, author = {Post, Matt}, title = {A Call for Clarity in Reporting BLEU Scores},
booktitle = {WMT}, year = {2018}}
"""
INPUTS = """
Args:
    predictions: what the model wrote, one text an item.
    references: what stands in the dictionary, one text an item.
"""


class CharacterBleu(evaluate.Metric):  # type: ignore[misc]
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
        return {
            "character_bleu": BLEU(tokenize="char").corpus_score(predictions, [references]).score
        }
