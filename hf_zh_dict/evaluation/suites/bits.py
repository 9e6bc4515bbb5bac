"""How much information the model needs to tell validation and test, beside simple models."""

from typing import Any

import numpy as np

from hf_zh_dict.evaluation.baselines import measure_baselines
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _


def run(subject: Subject) -> dict[str, Any]:
    """Bits per character and per byte, loss and perplexity of each held-out split."""
    return {split: score_split(subject, split) for split in ("validation", "test")}


def score_split(subject: Subject, split: str) -> dict[str, Any]:
    """One split's measures; the simple models' numbers have no interval."""
    rows = subject.read_rows(split, ["text", "group"])
    groups = [row["group"] for row in rows]
    texts = prepare_texts(subject.tokenizer, [row["text"] for row in rows])
    nll = score_texts(
        subject.model, texts,
        batch_size=subject.batch_size, context_length=subject.context_length,
        description=_("bits: {split}").format(split=split),
    )  # fmt: skip
    chars = [text.num_chars for text in texts]
    bits = nll / np.log(2)
    measures: dict[str, Any] = {
        "bits_per_char": measure_ratio(bits, groups, denominators=chars, seed=subject.seed),
        "bits_per_byte": measure_ratio(
            bits, groups, denominators=[text.num_bytes for text in texts], seed=subject.seed
        ),
    }
    baselines = measure_baselines(subject.paths, split, subject.say, with_xz=True)
    for name, value in baselines.items():
        measures[name] = {"value": value, "count": len(texts)}
    return measures
