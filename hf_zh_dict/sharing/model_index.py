"""`evaluation.json` in, its measures as rows of a table and as the Hub's `model-index` out.

A measure is any dict with a `value`, however deep it stands; the names on the way to it are its
name. Its interval (`low`, `high`), what chance reaches (`chance`) and its items (`count`) may be
missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hf_zh_dict.evaluation.tables import find_measures
from hf_zh_dict.paths import SPLITS

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

BITS = "bits_per_char"
BESIDE = ("low", "high", "chance", "count")


@dataclass(frozen=True)
class Result:
    """One measure; `names` lead to it, as in bits → test → bits_per_char."""

    names: tuple[str, ...]
    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    count: int | None = None

    @property
    def split(self) -> str:
        """The split that it was measured on; empty when its name does not say."""
        return next((name for name in self.names if name in SPLITS), "")


def list_results(evaluation: Mapping[str, Any]) -> list[Result]:
    """All measures of an evaluation, in its order."""
    return [
        Result(names, measure["value"], **{name: measure.get(name) for name in BESIDE})
        for names, measure in find_measures(evaluation.get("suites") or {})
    ]


def find_bits(results: list[Result]) -> Result | None:
    """The model's bits per character on the test split, else on another."""
    found = [result for result in results if result.names[-1] == BITS]
    return next((result for result in found if result.split == "test"), next(iter(found), None))


def eval_results(
    results: list[Result], *, dataset_type: str, dataset_name: str, dataset_config: str
) -> "list[EvalResult]":
    """The measures as the Hub's cards hold them; interval and chance are the metric's arguments."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=dataset_type,
            dataset_name=dataset_name,
            dataset_config=dataset_config,
            dataset_split=result.split or None,
            metric_type=result.names[-1],
            metric_name=" · ".join(name for name in result.names if name != result.split),
            metric_value=result.value,
            metric_args={
                name: getattr(result, name) for name in BESIDE if getattr(result, name) is not None
            }
            or None,
        )
        for result in results
    ]
