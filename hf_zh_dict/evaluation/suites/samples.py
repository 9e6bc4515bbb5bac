"""What the model writes by itself and to headwords it has not seen, beside the dictionary's own.

The same measures are taken of as many held-out entries: what a dictionary reaches is the mark,
not 1.
"""

from collections.abc import Sequence
from typing import Any

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.modules import load_metric
from hf_zh_dict.evaluation.nearest import nearest_overlap
from hf_zh_dict.evaluation.scoring import spread
from hf_zh_dict.evaluation.simplified import simplified_characters
from hf_zh_dict.evaluation.structure import check_structure
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _
from hf_zh_dict.model.generate import continue_prompts, heal_prompt
from hf_zh_dict.model.sampling import Sampling

SAMPLES = 128  # of each kind
MAX_NEW_TOKENS = 200
SHOWN = 5  # samples that the results keep


def run(subject: Subject) -> dict[str, Any]:
    """Measures of `unconditional` and `headword` samples, and of the `dictionary`'s own entries."""
    rows = choose_rows(subject)
    truths, groups = [row["text"] for row in rows], [row["group"] for row in rows]
    numbers = [str(number) for number in range(SAMPLES)]
    texts = {"unconditional": write_samples(subject, [""] * SAMPLES)}
    if rows:
        texts["headword"] = write_samples(
            subject, [begin_entry(row["headword"], row["text"]) for row in rows]
        )
        texts["dictionary"] = truths
    overlaps = iter(
        nearest_overlap(
            [text for written in texts.values() for text in written],
            read_texts(subject.paths.split("train")),
        )
    )
    results: dict[str, Any] = {}
    for kind, written in texts.items():
        results[kind] = measure_texts(
            written,
            numbers if kind == "unconditional" else groups,
            [next(overlaps) for _text in written],
            seed=subject.seed,
        )
    if rows:
        results["headword"] |= measure_readings(texts["headword"], truths, groups, subject.seed)
    results["samples"] = {
        kind: written[:SHOWN] for kind, written in texts.items() if kind != "dictionary"
    }
    return results


def choose_rows(subject: Subject) -> list[dict[str, Any]]:
    """Held-out entries, evenly chosen, that begin with their headword."""
    columns = ["text", "headword", "group", "view"]
    rows = [
        row
        for split in ("validation", "test")
        for row in subject.read_rows(split, columns)
        if row["view"] in ("plain", "line")
        and row["headword"]
        and row["text"].startswith(row["headword"])
    ]
    return [rows[index] for index in spread(len(rows), SAMPLES)]


def begin_entry(headword: str, text: str) -> str:
    """The headword as its document begins, with the separator where there is one."""
    beginning = headword + SEPARATOR
    return beginning if text.startswith(beginning) else headword


def write_samples(subject: Subject, prompts: Sequence[str]) -> list[str]:
    """The prompts, each with what the model writes behind it."""
    tokenizer = subject.tokenizer
    vocabulary = tokenizer.get_vocab()
    healed = [heal_prompt(p, tokenizer(p)["input_ids"], vocabulary) for p in prompts]
    healed = [(ids or [tokenizer.bos_token_id], first) for ids, first in healed]
    written = continue_prompts(
        subject.model, tokenizer, [ids for ids, _first in healed],
        Sampling(max_new_tokens=MAX_NEW_TOKENS, seed=subject.seed),
        beginnings=[first for _ids, first in healed],
        description=_("samples: texts"),
    )  # fmt: skip
    return [
        str(tokenizer.decode([*ids, *new], skip_special_tokens=True))
        for (ids, _first), new in zip(healed, written, strict=True)
    ]


def measure_texts(
    texts: list[str], groups: list[str], overlaps: list[float], *, seed: int
) -> dict[str, Any]:
    """Build, 注音, marks, Simplified characters, repetition, variety and novelty of some texts."""
    structure = load_metric("entry_structure").compute(predictions=texts, each=True)
    bopomofo = load_metric("bopomofo_validity").compute(predictions=texts, each=True)
    repeated = load_metric("repetition").compute(predictions=texts, each=True)
    properties = [check_structure(text) for text in texts]
    shares: dict[str, list[float]] = {
        "entry_structure": structure["each"],
        **{name: [float(found[name]) for found in properties] for name in properties[0]},
        "bopomofo_validity": bopomofo["each"],
        "simplified": [float(bool(simplified_characters(text))) for text in texts],
        "repetition": repeated["each"],
        "novelty": [1 - overlap for overlap in overlaps],
    }
    measures: dict[str, Any] = {
        name: measure_ratio(values, groups, seed=seed) for name, values in shares.items()
    }
    add_known(measures, "pinyin_agreement", bopomofo["each_agreement"], groups, seed)
    for name, value in load_metric("distinct_n").compute(predictions=texts).items():
        measures[name] = {"value": value, "count": len(texts)}
    return measures


def measure_readings(
    texts: list[str], truths: list[str], groups: list[str], seed: int
) -> dict[str, Any]:
    """How often the 注音 that the model gives a headword is right."""
    compared = load_metric("bopomofo_accuracy").compute(
        predictions=texts, references=truths, each=True
    )
    measures: dict[str, Any] = {}
    add_known(measures, "reading_accuracy", compared["each"], groups, seed)
    add_known(measures, "syllable_accuracy", compared["each_syllable"], groups, seed)
    return measures


def add_known(
    measures: dict[str, Any],
    name: str,
    values: Sequence[float | None],
    groups: Sequence[str],
    seed: int,
) -> None:
    """Add the mean of the values that are known, if any is."""
    known = [(float(v), g) for v, g in zip(values, groups, strict=True) if v is not None]
    if known:
        measures[name] = measure_ratio([v for v, _g in known], [g for _v, g in known], seed=seed)
