"""What is reported is what scoring says."""

import numpy as np
import pytest

from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts, total_score
from hf_zh_dict.evaluation.suites import compute_bits


def test_reported_numbers_are_the_ratios_of_the_score(tiny_model, tokenizer, texts):
    prepared = prepare_texts(tokenizer, texts)
    nll = score_texts(tiny_model, prepared, batch_size=8, context_length=32)
    total = total_score(prepared, nll)
    assert compute_bits(prepared, nll) == {
        name: pytest.approx(getattr(total, name))
        for name in ("bits_per_char", "bits_per_byte", "loss", "perplexity")
    }


def test_they_are_plain_numbers(tokenizer):
    prepared = prepare_texts(tokenizer, ["橋"])
    results = compute_bits(prepared, np.array([3.0]))
    assert {type(value) for value in results.values()} == {float}
