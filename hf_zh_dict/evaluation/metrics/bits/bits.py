"""Documents' negative log-likelihoods and sizes in, bits per character and its kin out.

Loaded by path, `evaluate.load(".../metrics/bits")`; it needs nothing but `evaluate`.
"""

import math

import datasets
import evaluate

DESCRIPTION = """
How much information a language model needs to tell texts, from each text's summed negative
log-likelihood (nats, over its tokens and the end-of-text token):
bits_per_char = Σ nll / (ln 2 · Σ characters), bits_per_byte likewise over UTF-8 bytes (both
comparable between tokenizers), loss = Σ nll / Σ tokens, perplexity = exp(loss) (comparable for
one tokenizer only).
"""
CITATION = """
@article{shannon1951, author = {Shannon, Claude E.}, title = {Prediction and Entropy of Printed
English}, journal = {Bell System Technical Journal}, volume = {30}, year = {1951}}
"""
INPUTS = """
Args:
    nll: summed negative log-likelihood of each text, in nats.
    num_tokens, num_chars, num_bytes: target tokens, code points and UTF-8 bytes of each text.
"""


class Bits(evaluate.Metric):  # type: ignore[misc]
    """Information in texts under a model."""

    def _info(self) -> evaluate.MetricInfo:
        features = {"nll": datasets.Value("float64")}
        for name in ("num_tokens", "num_chars", "num_bytes"):
            features[name] = datasets.Value("int64")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features(features),
        )

    def _compute(
        self, nll: list[float], num_tokens: list[int], num_chars: list[int], num_bytes: list[int]
    ) -> dict[str, float]:
        total = math.fsum(nll)
        loss = total / sum(num_tokens)
        return {
            "bits_per_char": total / math.log(2) / sum(num_chars),
            "bits_per_byte": total / math.log(2) / sum(num_bytes),
            "loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),
        }
