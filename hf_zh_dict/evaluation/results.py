"""A `Subject` and names of suites in, `evaluation.json` out: what each suite found."""

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hf_zh_dict.evaluation.judging import read_judgement
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.suites import load_suite
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import InputError, _

LIBRARIES = ("hf-zh-dict", "evaluate", "numpy", "tokenizers", "torch", "transformers")


def run_suites(
    subject: Subject, names: Sequence[str], output: Path, *, all_must_run: bool
) -> dict[str, Any]:
    """Run the suites one after another and write down each as soon as it is done.

    Other suites' results in `output` stay when they are of the same weights and corpus. A suite
    that this corpus or model does not suit is told of, unless `all_must_run`.

    Raises:
        InputError: there is no such suite, or, with `all_must_run`, one cannot be run.
    """
    suites = {name: load_suite(name) for name in names}
    results = read_results(output, subject)
    for name, suite in suites.items():
        subject.say(_("evaluate: suite {name}").format(name=name))
        try:
            results["suites"][name] = suite.run(subject)
        except InputError as error:
            if all_must_run:
                raise
            results["suites"].pop(name, None)
            subject.say(_("evaluate: {name} is left out: {reason}").format(name=name, reason=error))
            continue
        write_report(output, results)
    return results


def add_judgement(output: Path, judged: Path) -> dict[str, Any]:
    """Read what judges answered about the continuations of a report into it; returns the report.

    Raises:
        InputError: the report has no continuations, or the sheet cannot be used.
    """
    report = read_report(output)
    if "continuation" not in report.get("suites", {}):
        raise InputError(
            _("{file}: has no continuations to judge; run --suite continuation first.").format(
                file=output
            )
        )
    judgement = read_judgement(judged, output.with_suffix(""), seed=report["settings"]["seed"])
    report["suites"]["continuation"]["judged"] = judgement
    write_report(output, report)
    return report


def write_report(output: Path, report: dict[str, Any]) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
    write_file(output, text + "\n")


def read_results(output: Path, subject: Subject) -> dict[str, Any]:
    """What is about this subject, with the suites that an earlier report has of it."""
    results: dict[str, Any] = {
        "model": subject.name,
        "weights": subject.weights_fingerprint,
        "corpus": subject.corpus_fingerprint,
        "settings": {"seed": subject.seed, "context_length": subject.context_length},
    }
    before = read_report(output)
    same = all(before.get(key) == results[key] for key in ("weights", "corpus", "settings"))
    versions = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    return {**results, "versions": versions, "suites": before["suites"] if same else {}}


def read_report(path: Path) -> dict[str, Any]:
    """A written report; empty when there is none of this form."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return report if isinstance(report, dict) and "suites" in report else {}
