"""Long entries cut off, and the model's continuations held against the true ones.

The protocol of the original project, which picked by hand and judged by eye: training entries
longer than 400 tokens, ten a dictionary (twenty of the revised one), cut at 50, 100 and 200
tokens. Here the choice is a pure function of the entries' ids and the seed, held-out entries are
continued too, and judges get a sheet on which they cannot tell the model from the dictionary.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.evaluation.judging import Item, write_sheets
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.modules import load_metric
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.generate import continue_prompts
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.tokens.tokenizer import encode_texts

LONGER_THAN = 400  # tokens
CUTS = (50, 100, 200)  # tokens of a prompt
WANTED, WANTED_OF_REVISED = 10, 20
SIDES = {"train": ("train",), "held-out": ("validation", "test")}
WITH_EACH = ("exact_continuation", "longest_common_substring", "edit_similarity", "rouge_l")
OF_ALL = ("character_bleu", "chrf")


@dataclass(frozen=True)
class LongEntry:
    """An entry of more than `LONGER_THAN` tokens."""

    side: str
    dictionary: str
    group: str
    ids: list[int]  # without bos and eos


def run(subject: Subject) -> dict[str, Any]:
    """Measures by side, dictionary, prompt length and way of choosing tokens; writes the sheets.

    Raises:
        InputError: there is no long entry at all, or the model sees too little at once.
    """
    cuts = [cut for cut in CUTS if cut + 1 < subject.context_length]
    if not cuts:
        raise InputError(
            _("continuation: the model's context of {count} tokens is too short.").format(
                count=subject.context_length
            )
        )
    entries, found = choose_entries(subject)
    if not entries:
        raise InputError(
            _("continuation: no entry is longer than {count} tokens.").format(count=LONGER_THAN)
        )
    results: dict[str, Any] = {"entries": found}
    items: list[Item] = []
    for way, temperature in (("greedy", 0.0), ("sampled", Sampling().temperature)):
        for cut in cuts:
            sampling = Sampling(
                max_new_tokens=subject.context_length, temperature=temperature, seed=subject.seed
            )
            written = continue_prompts(
                subject.model, subject.tokenizer,
                [[subject.tokenizer.bos_token_id, *entry.ids[:cut]] for entry in entries],
                sampling,
                description=_("continuation: {way}, {cut} tokens").format(way=way, cut=cut),
            )  # fmt: skip
            made = [
                make_item(subject, entry, cut, way, new)
                for entry, new in zip(entries, written, strict=True)
            ]
            add_measures(results, made, seed=subject.seed)
            items += made if way == "sampled" else []
    results["sheet"] = write_sheets(subject.folder, items, seed=subject.seed).name
    return results


def choose_entries(subject: Subject) -> tuple[list[LongEntry], dict[str, Any]]:
    """The entries to continue, and how many were wanted, found and taken of each dictionary."""
    rows = {
        side: [row for split in splits for row in read_long_rows(subject, split)]
        for side, splits in SIDES.items()
    }
    there = {row["dictionary"] for long in rows.values() for row in long}
    names = [*TITLES, *sorted(there - set(TITLES))] if there & set(TITLES) else sorted(there)
    entries: list[LongEntry] = []
    found: dict[str, Any] = {side: {} for side in SIDES}
    for side in SIDES:
        for name in names:
            own = sorted(
                (row for row in rows[side] if row["dictionary"] == name),
                key=lambda row: hashlib.sha256(f"{subject.seed} {row['text']}".encode()).digest(),
            )
            wanted = WANTED_OF_REVISED if name == "revised" else WANTED
            taken = own[:wanted]
            entries += [LongEntry(side, name, row["group"], row["ids"]) for row in taken]
            found[side][name] = {"wanted": wanted, "long": len(own), "taken": len(taken)}
    return entries, found


def read_long_rows(subject: Subject, split: str) -> list[dict[str, Any]]:
    """A split's entries of more than `LONGER_THAN` tokens, with their ids."""
    rows = [
        row
        for row in subject.read_rows(split, ["text", "dictionary", "group"])
        if len(row["text"].encode("utf-8")) > LONGER_THAN  # a token is at least a byte
    ]
    encoded = encode_texts(subject.tokenizer, [row["text"] for row in rows])
    return [
        {**row, "ids": ids}
        for row, ids in zip(rows, encoded, strict=True)
        if len(ids) > LONGER_THAN
    ]


def make_item(
    subject: Subject, entry: LongEntry, cut: int, way: str, written: Sequence[int]
) -> Item:
    """The prompt, what the model wrote, and as many tokens of what stands there."""
    decode = subject.tokenizer.decode
    room = subject.context_length - 1 - cut
    return Item(
        side=entry.side, dictionary=entry.dictionary, group=entry.group, cut=cut, way=way,
        prompt=str(decode(entry.ids[:cut])),
        written=str(decode(list(written), skip_special_tokens=True)),
        truth=str(decode(entry.ids[cut : cut + room])),
    )  # fmt: skip


def add_measures(results: dict[str, Any], items: Sequence[Item], *, seed: int) -> None:
    """Measures of items of one prompt length and way, for each side and dictionary."""
    for side in SIDES:
        for name in dict.fromkeys(item.dictionary for item in items if item.side == side):
            chosen = [item for item in items if (item.side, item.dictionary) == (side, name)]
            texts = {
                "predictions": [item.written for item in chosen],
                "references": [item.truth for item in chosen],
            }
            groups = [item.group for item in chosen]
            measures: dict[str, Any] = {}
            for metric in WITH_EACH:
                each = load_metric(metric).compute(**texts, each=True)["each"]
                measures[metric] = measure_ratio(each, groups, seed=seed)
            repeated = load_metric("repetition").compute(
                predictions=texts["predictions"], each=True
            )
            measures["repetition"] = measure_ratio(repeated["each"], groups, seed=seed)
            for metric in OF_ALL:
                value = load_metric(metric).compute(**texts)[metric]
                measures[metric] = {"value": value, "count": len(chosen)}
            distinct = load_metric("distinct_n").compute(predictions=texts["predictions"])
            measures["distinct_2"] = {"value": distinct["distinct_2"], "count": len(chosen)}
            place = results.setdefault(side, {}).setdefault(name, {})
            place[f"{items[0].cut} {items[0].way}"] = measures


def describe(results: dict[str, Any]) -> list[str]:
    """Where there were too few long entries, and where the sheet for judges is."""
    sentences = []
    for side, names in results["entries"].items():
        for name, counts in names.items():
            if counts["taken"] < counts["wanted"]:
                sentences.append(
                    _("{side}, {dictionary}: {wanted} entries of more than {tokens} tokens were wanted, there are {long}").format(
                        side=side, dictionary=TITLES.get(name, name), tokens=LONGER_THAN, **counts
                    )
                )  # fmt: skip
    return sentences
