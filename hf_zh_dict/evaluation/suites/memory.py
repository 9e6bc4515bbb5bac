"""Does the model know its training text by heart? What it continues word for word, train against
held-out, at several prompt lengths, and by checkpoint.

Held-out entries are the control: what is continued there to the letter is formula, not memory.
Carlini et al. (2023), “Quantifying Memorization Across Neural Language Models”, greedy decoding.
"""

import json
from collections.abc import Sequence
from typing import Any

from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.modules import load_metric
from hf_zh_dict.evaluation.scoring import spread
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.generate import continue_prompts
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.tokens.tokenizer import encode_texts

PREFIXES = (16, 32, 64)  # tokens of a prompt
CONTINUED = 32  # tokens behind it
BY_CHECKPOINT = 32  # the prompt length that checkpoints are compared at
ENTRIES = 256  # of each side
CHECKPOINTS = 6  # at most, evenly chosen

Entry = tuple[list[int], str]  # ids with bos in front, group


def run(subject: Subject) -> dict[str, Any]:
    """Exact continuations and the longest copied stretch, in characters, of train and held-out.

    Raises:
        InputError: a side has no entry that is long enough, or the model sees too little at once.
    """
    prefixes = [p for p in PREFIXES if 1 + p + CONTINUED <= subject.context_length]
    if BY_CHECKPOINT not in prefixes:
        raise InputError(
            _("memory: the model's context of {count} tokens is too short.").format(
                count=subject.context_length
            )
        )
    sides = {
        "train": choose_entries(subject, ["train"]),
        "held-out": choose_entries(subject, ["validation", "test"]),
    }
    results: dict[str, Any] = {side: {} for side in sides}
    for side, entries in sides.items():
        for prefix in prefixes:
            results[side][str(prefix)] = measure_memory(subject, entries, prefix, side)
    for index in spread(len(subject.checkpoints), CHECKPOINTS):
        step = subject.checkpoints[index]
        epoch = read_epoch(subject, step)
        then = subject.at_checkpoint(step)
        for side, entries in sides.items():
            measures = measure_memory(then, entries, BY_CHECKPOINT, side)
            results[side][f"{BY_CHECKPOINT}, step {step}, epoch {epoch}"] = measures
    return results


def read_epoch(subject: Subject, step: int) -> int:
    """The epoch that a checkpoint was written in, from 0."""
    text = (subject.paths.checkpoint(step) / "state.json").read_text(encoding="utf-8")
    return int(json.loads(text)["state"]["epoch"])


def choose_entries(subject: Subject, splits: Sequence[str]) -> list[Entry]:
    """Entries of at least the longest prompt and its continuation, evenly chosen."""
    rows = [row for split in splits for row in subject.read_rows(split, ["text", "group"])]
    least = max(PREFIXES) + CONTINUED
    # a token is at least a byte; so many entries are tried that enough are long
    long = [row for row in rows if len(row["text"].encode("utf-8")) >= least]
    order = [long[index] for index in spread(len(long), min(len(long), 16 * ENTRIES))]
    encoded = encode_texts(subject.tokenizer, [row["text"] for row in order])
    entries = [
        ([subject.tokenizer.bos_token_id, *ids], row["group"])
        for ids, row in zip(encoded, order, strict=True)
        if len(ids) >= least
    ]
    if not entries:
        raise InputError(
            _("memory: no entry of {split} has {count} tokens.").format(
                split=" + ".join(splits), count=least
            )
        )
    return [entries[index] for index in spread(len(entries), ENTRIES)]


def measure_memory(
    subject: Subject, entries: Sequence[Entry], prefix: int, side: str
) -> dict[str, Any]:
    """Continue each entry's first `prefix` tokens greedily, and compare."""
    written = continue_prompts(
        subject.model, subject.tokenizer,
        [ids[: 1 + prefix] for ids, _group in entries],
        Sampling(max_new_tokens=CONTINUED, temperature=0),
        description=_("memory: {side}, prompts of {prefix} tokens").format(side=side, prefix=prefix),
    )  # fmt: skip
    decode = subject.tokenizer.decode
    predictions = [str(decode(new)) for new in written]
    references = [str(decode(ids[1 + prefix : 1 + prefix + CONTINUED])) for ids, _group in entries]
    groups = [group for _ids, group in entries]
    measures = {}
    for metric, name in (
        ("exact_continuation", "exact_continuation"),
        ("longest_common_substring", "longest_copy"),
    ):
        each = load_metric(metric).compute(
            predictions=predictions, references=references, each=True
        )["each"]
        measures[name] = measure_ratio(each, groups, seed=subject.seed)
    return measures
