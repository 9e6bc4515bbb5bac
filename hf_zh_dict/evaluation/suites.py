"""Scores in, what is reported out, through `evaluate` modules."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hf_zh_dict.evaluation.scoring import ScoredText

METRICS_FOLDER = Path(__file__).parent / "metrics"


def compute_bits(texts: Sequence[ScoredText], nll: npt.NDArray[np.float64]) -> dict[str, float]:
    """Bits per character and per byte, loss and perplexity over scored texts."""
    import evaluate

    metric = evaluate.load(str(METRICS_FOLDER / "bits"))
    results: dict[str, float] = metric.compute(
        nll=nll.tolist(),
        num_tokens=[len(text.ids) - 1 for text in texts],
        num_chars=[text.num_chars for text in texts],
        num_bytes=[text.num_bytes for text in texts],
    )
    return results
