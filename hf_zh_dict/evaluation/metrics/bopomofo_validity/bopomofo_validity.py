"""Lines in, the share whose 注音 can be read, and agrees with their 漢語拼音, out.

Loaded by path, `evaluate.load(".../metrics/bopomofo_validity")`.
"""

from typing import Any

import datasets
import evaluate

from hf_zh_dict.evaluation.structure import agrees_with_pinyin, is_valid_bopomofo

DESCRIPTION = """
bopomofo_validity = share of lines that have 注音 behind the headword, all of it well-formed syllables,
one for each character of the headword. pinyin_agreement = share, among lines with both, whose 漢語拼音 spells the 注音 by the table
that the two systems share (0 when none has both).
"""
CITATION = """
@manual{moe2000, organization = {中華民國教育部}, title = {國語注音符號手冊}}
@manual{iso7098, organization = {ISO}, title = {ISO 7098:2015, Romanization of Chinese}}
"""
INPUTS = """
Args:
    predictions: lines that a model wrote, headwords included.
    each: also return each line's validity under “each”, and its agreement under “each_agreement”
        (None where there are not both).
"""


class BopomofoValidity(evaluate.Metric):  # type: ignore[misc]
    """Share of lines with 注音 that can be read."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions: list[str], each: bool = False) -> dict[str, Any]:
        valid = [float(is_valid_bopomofo(line)) for line in predictions]
        agreement = [agrees_with_pinyin(line) for line in predictions]
        known = [value for value in agreement if value is not None]
        result: dict[str, Any] = {
            "bopomofo_validity": sum(valid) / len(valid),
            "pinyin_agreement": sum(known) / len(known) if known else 0.0,
        }
        return result | {"each": valid, "each_agreement": agreement} if each else result
