"""What the model knows of words it has not seen: definitions, headwords, readings, usage.

Deterministic: the questions are chosen evenly from the held-out entries, nothing is drawn.
"""

from typing import Any

from hf_zh_dict.evaluation.definitions import rank_definitions
from hf_zh_dict.evaluation.entries import choose, find_definitions, read_entries, read_headwords
from hf_zh_dict.evaluation.readings import examine_readings
from hf_zh_dict.evaluation.reverse import rank_headwords
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.usage import examine_usage

LONGEST = 60  # characters of a definition that is asked for
DEFINITIONS = 200  # whose place among others is asked
REVERSED = 60  # definitions whose headword is asked for, among all
READINGS = 1000
SENTENCES = 300  # of each kind


def run(subject: Subject) -> dict[str, Any]:
    """Questions about test entries; validation entries are among the wrong answers."""
    tested, others = read_entries(subject.paths, "test"), read_entries(subject.paths, "validation")
    asked = find_definitions(tested, LONGEST)
    known = asked + find_definitions(others, LONGEST)
    results: dict[str, Any] = {
        "definition": rank_definitions(subject, choose(asked, DEFINITIONS), known) if asked else {},
        "reverse": rank_headwords(subject, choose(asked, REVERSED), read_headwords(subject.paths))
        if asked
        else {},
        "reading": examine_readings(subject, choose(tested, READINGS)),
        "usage": examine_usage(subject, tested + others, SENTENCES),
    }
    return results
