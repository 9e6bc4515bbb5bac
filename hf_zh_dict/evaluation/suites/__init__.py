"""A `Subject` in, what one suite found out: one module a suite, each with the same two functions.

    run(subject) -> dict      numbers that a report can hold: JSON, every number a `Measure`
    describe(results) -> list sentences for the user about those results (may be left out)

Measures stand in nested dicts; the last key names the measure, the keys before it say of what
(`{"test": {"bits_per_char": measure}}`). Other facts may stand beside them.
"""

from importlib import import_module
from typing import Any, Protocol, cast

from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import InputError, _

SUITES = {  # name → module; imported when it is asked for
    "bits": "hf_zh_dict.evaluation.suites.bits",
    "continuation": "hf_zh_dict.evaluation.suites.continuation",
    "memory": "hf_zh_dict.evaluation.suites.memory",
    "samples": "hf_zh_dict.evaluation.suites.samples",
    "dictionary": "hf_zh_dict.evaluation.suites.dictionary",
}


class Suite(Protocol):
    """What the registry's modules look like."""

    def run(self, subject: Subject) -> dict[str, Any]: ...


def load_suite(name: str) -> Suite:
    """The module of a suite.

    Raises:
        InputError: there is no suite of this name.
    """
    if name not in SUITES:
        raise InputError(
            _("there is no suite “{name}”; the suites are {names}.").format(
                name=name, names=", ".join(SUITES)
            )
        )
    return cast(Suite, import_module(SUITES[name]))


def describe_suite(name: str, results: dict[str, Any]) -> list[str]:
    """The suite's own sentences about its results."""
    describe = getattr(load_suite(name), "describe", None)
    sentences: list[str] = describe(results) if describe else []
    return sentences
