"""Documents and what their tokens or characters cost in, what each field costs out.

A token that covers several characters shares its cost among them evenly, so one that straddles
two fields is divided between them by its characters. What stands in no field (separators, labels,
the end sign) is `between`, so that the fields add up to the whole.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.dictionaries.render import ENTRY_LABELS
from hf_zh_dict.evaluation.scoring import ScoredText, score_tokens
from hf_zh_dict.evaluation.subject import Subject

Floats = npt.NDArray[np.float64]

BETWEEN, IDIOM, OTHER = "between", "idiom_section", "other"
FIELDS = ("headword", "bopomofo", "pinyin", "definition", "example", "quotation")
FIELD_GROUPS = (*FIELDS, IDIOM, OTHER, BETWEEN)


def group_field(field: str) -> str:
    """A field's group: itself when it is one of FIELDS, a section of an idiom, or another."""
    if field in FIELDS:
        return field
    shared = ("alias", "variants", "synonyms", "antonyms")  # other dictionaries have these too
    return IDIOM if field in ENTRY_LABELS and field not in shared else OTHER


def label_characters(row: dict[str, Any]) -> npt.NDArray[np.int64]:
    """The number (in FIELD_GROUPS) of each character's group, and of the end sign's, [chars + 1]."""
    labels = np.full(len(row["text"]) + 1, FIELD_GROUPS.index(BETWEEN))
    for span in row["spans"]:
        labels[span["start"] : span["end"]] = FIELD_GROUPS.index(group_field(span["field"]))
    return labels


def cost_characters(
    subject: Subject, texts: Sequence[str], description: str
) -> tuple[list[Floats], list[int]]:
    """What each character and the end of each text costs the model, in bits; and its targets."""
    tokenizer = subject.tokenizer
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True
    encoded = backend.encode_batch(list(texts), add_special_tokens=False)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    prepared = [
        ScoredText((bos, *item.ids, eos), len(text), len(text.encode("utf-8")))
        for text, item in zip(texts, encoded, strict=True)
    ]
    nll = score_tokens(
        subject.model, prepared,
        batch_size=subject.batch_size, context_length=subject.context_length,
        description=description,
    )  # fmt: skip
    costs = [
        spread_tokens(tokens / np.log(2), item.offsets, len(text))
        for tokens, item, text in zip(nll, encoded, texts, strict=True)
    ]
    return costs, [len(tokens) for tokens in nll]


def spread_tokens(
    costs: Floats, offsets: Sequence[tuple[int, int]], num_chars: int
) -> npt.NDArray[np.float64]:
    """What each character and the end costs, [chars + 1], from what each token and eos costs.

    offsets: the characters that each token covers, from first to one past the last. Several
    tokens may cover one character (its bytes); a token that covers none counts where it stands.
    """
    spread = np.zeros(num_chars + 1)
    for cost, (start, end) in zip(costs[:-1].tolist(), offsets, strict=True):
        spread[start : max(end, start + 1)] += cost / max(end - start, 1)
    spread[-1] += costs[-1]
    return spread


def sum_fields(labels: npt.NDArray[np.int64], costs: Floats) -> Floats:
    """The sum of the costs of each group of fields, [FIELD_GROUPS]."""
    return np.bincount(labels, weights=costs, minlength=len(FIELD_GROUPS)).astype(np.float64)


def count_fields(labels: npt.NDArray[np.int64]) -> Floats:
    """How many characters each group of fields has; the end sign is none, [FIELD_GROUPS]."""
    return np.bincount(labels[:-1], minlength=len(FIELD_GROUPS)).astype(np.float64)
