"""Lines in, the share that has the build of a dictionary entry out.

Loaded by path, `evaluate.load(".../metrics/entry_structure")`.
"""

from typing import Any

import datasets
import evaluate

from hf_zh_dict.evaluation.structure import check_structure

DESCRIPTION = """
entry_structure = share of lines with every property of an entry: it parses, has 注音 (or a radical) behind
its headword, numbers its senses in order, closes its marks, ends every sense as a sentence, and has no
broken character. The share of each property alone stands beside it. Defined by this project.
"""
CITATION = """
@misc{hf_zh_dict, title = {hf_zh_dict, evaluation/structure.py}}
"""
INPUTS = """
Args:
    predictions: lines that a model wrote, headwords included.
    each: also return every item's own value, as a list under “each”.
"""


class EntryStructure(evaluate.Metric):  # type: ignore[misc]
    """Share of lines that are built as entries are."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions: list[str], each: bool = False) -> dict[str, Any]:
        found = [check_structure(line) for line in predictions]
        values = [float(all(properties.values())) for properties in found]
        result: dict[str, Any] = {"entry_structure": sum(values) / len(values)}
        for name in found[0]:
            result[name] = sum(properties[name] for properties in found) / len(found)
        return result | {"each": values} if each else result
