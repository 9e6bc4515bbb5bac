"""Subjects that are judged by one corpus in, how they differ out: paired, document by document.

Two models find the same documents hard, so the interval of their difference is far narrower than
their own two intervals; only the difference says whether one is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.results import read_report
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.suites import bits
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.records import read_rows

Documents = dict[str, dict[str, npt.NDArray[Any]]]  # split → what `bits` keeps of its documents


@dataclass(frozen=True)
class Contender:
    """A model that is compared: its name for people, where its run tells of it, which step it is."""

    name: str
    subject: Subject
    metrics: Path | None = None  # of its run
    step: int | None = None  # none: the best one

    def describe(self) -> dict[str, Any]:
        """Step, parameters and hours of training; what no run tells is missing."""
        facts: dict[str, Any] = {"parameters": self.subject.model.num_parameters()}
        rows = read_rows(self.metrics) if self.metrics else []
        judged = [row for row in rows if "validation_bits_per_char" in row]
        if self.step is not None:
            facts["step"] = self.step
            rows = [row for row in rows if row["step"] <= self.step and "seconds" in row]
        elif judged:
            best = min(judged, key=lambda row: row["validation_bits_per_char"])
            facts["step"] = best["step"]
            rows = [row for row in rows if row["step"] <= best["step"] and "seconds" in row]
        if rows and "step" in facts:
            facts["hours"] = rows[-1]["seconds"] / 3600
        return facts

    def read_documents(self) -> Documents:
        """What each held-out document takes: kept by an evaluation of the same, or scored now."""
        report = read_report(self.subject.folder.with_suffix(".json"))
        same = (
            report.get("weights") == self.subject.weights_fingerprint
            and report.get("corpus") == self.subject.corpus_fingerprint
            and "bits" in report["suites"]
        )
        kept = all(
            (self.subject.folder / bits.DOCUMENTS_FILE.format(split=split)).is_file()
            for split in bits.SPLITS
        )
        if same and kept:
            return dict(bits.read_documents(self.subject.folder))
        self.subject.say(_("compare: {name} is scored").format(name=self.name))
        return {split: bits.score_documents(self.subject, split) for split in bits.SPLITS}


def compare(contenders: Sequence[Contender]) -> dict[str, Any]:
    """Bits per character and loss of each, and its difference to the first, with intervals.

    Raises:
        InputError: they are not judged by the same corpus.
    """
    first = contenders[0]
    for contender in contenders[1:]:
        if contender.subject.corpus_fingerprint != first.subject.corpus_fingerprint:
            raise InputError(
                _(
                    "{one} and {other} have different corpora, so their documents cannot be paired; "
                    "compare runs of one corpus."
                ).format(one=first.name, other=contender.name)
            )
    documents = [contender.read_documents() for contender in contenders]
    return {
        "corpus": first.subject.corpus_fingerprint,
        "models": [
            {
                "name": contender.name,
                **contender.describe(),
                **{
                    split: judge(own[split], documents[0][split], first.subject.seed)
                    for split in bits.SPLITS
                },
            }
            for contender, own in zip(contenders, documents, strict=True)
        ],
    }


def judge(
    own: dict[str, npt.NDArray[Any]], first: dict[str, npt.NDArray[Any]], seed: int
) -> dict[str, Any]:
    """A split's measures; `difference` is how many bits per character more than the first."""
    groups = own["groups"].tolist()
    nats = own["bits"] * np.log(2)
    return {
        "bits_per_char": measure_ratio(
            own["bits"], groups, denominators=own["num_chars"], seed=seed
        ),
        "loss": measure_ratio(nats, groups, denominators=own["num_tokens"], seed=seed),
        "difference": measure_ratio(
            own["bits"] - first["bits"], groups, denominators=own["num_chars"], seed=seed
        ),
    }
