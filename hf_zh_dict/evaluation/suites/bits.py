"""How much information the model needs to tell validation and test, beside simple models.

By dictionary and by field too. What each document took is kept in a file, for comparisons.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.evaluation.baselines import measure_baselines, read_ngrams
from hf_zh_dict.evaluation.fields import (
    FIELD_GROUPS,
    cost_characters,
    count_fields,
    label_characters,
    sum_fields,
)
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _

SPLITS = ("validation", "test")
MODEL = "bits_per_char"
DOCUMENTS_FILE = "bits-{split}.npz"  # bits, characters, tokens and group of each document

Floats = npt.NDArray[np.float64]


def run(subject: Subject) -> dict[str, Any]:
    """Bits per character and per byte and the loss of each held-out split, whole and in parts."""
    return {split: score_split(subject, split) for split in SPLITS}


def score_split(subject: Subject, split: str) -> dict[str, Any]:
    """One split's measures. xz cannot be divided among documents, so it has no interval."""
    rows = subject.read_rows(split, ["text", "dictionary", "group", "spans"])
    groups = [row["group"] for row in rows]
    labels = [label_characters(row) for row in rows]
    costs, num_tokens = cost_characters(
        subject, [row["text"] for row in rows], _("bits: {split}").format(split=split)
    )
    baselines = measure_baselines(subject.paths, split, subject.say, with_xz=True)
    tables = {MODEL: by_field(labels, np.concatenate(costs))}
    for name, bits in read_ngrams(subject.paths.baselines / split).items():
        tables[name] = by_field(labels, bits)
    chars = np.stack([count_fields(each) for each in labels])
    bits = tables[MODEL].sum(axis=1)
    subject.folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        subject.folder / DOCUMENTS_FILE.format(split=split),
        **documents_of(costs, num_tokens, groups),  # type: ignore[arg-type]
    )

    def measure(chosen: npt.NDArray[np.bool_], fields: slice) -> dict[str, Any]:
        names = [group for group, is_chosen in zip(groups, chosen, strict=True) if is_chosen]
        size = chars[chosen, fields].sum(axis=1)
        measures = {
            name: measure_ratio(
                table[chosen, fields].sum(axis=1), names, denominators=size, seed=subject.seed
            )
            for name, table in tables.items()
        }
        return {**measures, "characters": int(size.sum())}

    everything = slice(None)
    all_rows = np.ones(len(rows), dtype=bool)
    measures = measure(all_rows, everything)
    measures["xz"] = {"value": baselines["xz"], "count": len(rows)}
    sizes = {
        "bits_per_byte": (bits, [len(row["text"].encode("utf-8")) for row in rows]),
        "loss": (bits * np.log(2), num_tokens),
    }
    for name, (upper, lower) in sizes.items():
        measures[name] = measure_ratio(upper, groups, denominators=lower, seed=subject.seed)
    dictionaries = np.array([row["dictionary"] for row in rows])
    measures["dictionary"] = {
        name: measure(dictionaries == name, everything) for name in np.unique(dictionaries).tolist()
    }
    measures["field"] = {
        name: measure(chars[:, place] > 0, slice(place, place + 1))
        for place, name in enumerate(FIELD_GROUPS)
        if chars[:, place].any()
    }
    return measures


def documents_of(
    costs: list[Floats], num_tokens: list[int], groups: list[str]
) -> dict[str, npt.NDArray[Any]]:
    """Bits, characters, tokens and group of each document."""
    return {
        "bits": np.array([cost.sum() for cost in costs]),
        "num_chars": np.array([len(cost) - 1 for cost in costs], dtype=np.float64),
        "num_tokens": np.array(num_tokens, dtype=np.float64),
        "groups": np.array(groups),
    }


def score_documents(subject: Subject, split: str) -> dict[str, npt.NDArray[Any]]:
    """What `run` keeps of a split's documents, and nothing else."""
    rows = subject.read_rows(split, ["text", "group"])
    costs, num_tokens = cost_characters(
        subject, [row["text"] for row in rows], _("bits: {split}").format(split=split)
    )
    return documents_of(costs, num_tokens, [row["group"] for row in rows])


def by_field(labels: list[npt.NDArray[np.int64]], bits: Floats) -> Floats:
    """Bits of each document's fields, [documents, FIELD_GROUPS], from those of all characters."""
    ends = np.cumsum([len(each) for each in labels])[:-1]
    parts = np.split(bits, ends)
    return np.stack([sum_fields(*pair) for pair in zip(labels, parts, strict=True)])


def read_documents(folder: Path) -> Iterator[tuple[str, dict[str, npt.NDArray[Any]]]]:
    """What `run` kept of each split's documents."""
    for split in SPLITS:
        with np.load(folder / DOCUMENTS_FILE.format(split=split), allow_pickle=False) as arrays:
            yield split, dict(arrays)
