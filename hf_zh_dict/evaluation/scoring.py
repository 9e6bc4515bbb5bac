"""Documents and a model in, the information the model needs to tell them out.

Each document is scored alone: bos, its text, eos; a longer one in consecutive windows of the
context length. Bits are counted over text and eos, characters are code points, bytes UTF-8: the
numbers do not depend on tokenizer, packing, batch size or number of processes.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from hf_zh_dict.progress import track
from hf_zh_dict.tokens.blocks import IGNORED
from hf_zh_dict.tokens.tokenizer import encode_texts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LOGIT_ROWS = 2048  # rows of logits that exist at once


@dataclass(frozen=True)
class ScoredText:
    """A document ready to be scored: ids with bos and eos, and its size."""

    ids: tuple[int, ...]
    num_chars: int
    num_bytes: int


@dataclass(frozen=True)
class Score:
    """Sums over documents; all ratios come from these."""

    nll: float = 0.0  # nats
    num_tokens: int = 0  # targets: text and eos
    num_chars: int = 0
    num_bytes: int = 0

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.nll, float(self.num_tokens), float(self.num_chars), float(self.num_bytes)

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood of a token, in nats."""
        return self.nll / self.num_tokens

    @property
    def perplexity(self) -> float:
        """exp(loss): comparable between models of one tokenizer only."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_char(self) -> float:
        """nll / (ln 2 · characters)."""
        return self.nll / math.log(2) / self.num_chars

    @property
    def bits_per_byte(self) -> float:
        """nll / (ln 2 · UTF-8 bytes)."""
        return self.nll / math.log(2) / self.num_bytes


def prepare_texts(tokenizer: "PreTrainedTokenizerFast", texts: Sequence[str]) -> list[ScoredText]:
    """Encode documents for scoring."""
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    return [
        ScoredText((bos, *ids, eos), len(text), len(text.encode("utf-8")))
        for text, ids in zip(texts, encode_texts(tokenizer, list(texts)), strict=True)
    ]


Window = tuple[int, tuple[int, ...], tuple[int, ...]]  # document, inputs, targets


def cut_windows(texts: Sequence[ScoredText], context_length: int) -> Iterator[Window]:
    """(document, inputs, targets) windows: every token but bos is a target exactly once."""
    for index, text in enumerate(texts):
        for start in range(0, len(text.ids) - 1, context_length):
            end = min(start + context_length, len(text.ids) - 1)
            yield index, text.ids[start:end], text.ids[start + 1 : end + 1]


def score_texts(
    model: "PreTrainedModel",
    texts: Sequence[ScoredText],
    *,
    batch_size: int,
    context_length: int,
    description: str = "",
) -> npt.NDArray[np.float64]:
    """Negative log-likelihood of each document in nats, [documents].

    Progress is shown under `description`, when there is one.
    """
    windows = sorted(cut_windows(texts, context_length), key=lambda window: len(window[1]))
    nll = np.zeros(len(texts))
    starts: Iterable[int] = range(0, len(windows), batch_size)
    if description:
        starts = track(starts, description, total=-(-len(windows) // batch_size))
    was_training = model.training
    model.eval()
    try:
        for first in starts:
            for document, loss in score_windows(model, windows[first : first + batch_size]):
                nll[document] += loss
    finally:
        model.train(was_training)
    return nll


def score_windows(
    model: "PreTrainedModel", windows: Sequence[Window]
) -> Iterator[tuple[int, float]]:
    """(document, negative log-likelihood in nats) of some windows, scored at once."""
    width = max(len(ids) for _document, ids, _targets in windows)
    inputs = torch.zeros(len(windows), width, dtype=torch.long)
    labels = torch.full((len(windows), width), IGNORED)
    for row, (_document, ids, targets) in enumerate(windows):
        inputs[row, : len(ids)] = torch.tensor(ids)
        labels[row, : len(ids)] = torch.tensor(targets)
    with torch.no_grad():
        losses = token_losses(model, inputs.to(model.device), labels.to(model.device))
    sums = losses.cpu().double().sum(dim=1).tolist()
    yield from zip((document for document, _ids, _targets in windows), sums, strict=True)


def token_losses(
    model: "PreTrainedModel", inputs: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Negative log-likelihood of each target, [rows, width], 0 where the label is IGNORED.

    Padding stands behind a row's tokens, where a causal model does not look: no mask is needed.
    A Llama's logits are made in parts; other models may do more to them than their last matrix.
    """
    if model.config.model_type == "llama":
        body, head = cast(Any, model.base_model), cast(Any, model.get_output_embeddings())
        states = body.forward(input_ids=inputs, use_cache=False).last_hidden_state
    else:
        states, head = model(input_ids=inputs, use_cache=False).logits, torch.nn.Identity()
    rows, targets = states.flatten(0, 1), labels.flatten()
    parts = [
        functional.cross_entropy(
            head(rows[i : i + LOGIT_ROWS]).float(),
            targets[i : i + LOGIT_ROWS],
            ignore_index=IGNORED,
            reduction="none",
        )
        for i in range(0, len(rows), LOGIT_ROWS)
    ]
    return torch.cat(parts).view_as(labels)


def total_score(texts: Sequence[ScoredText], nll: npt.NDArray[np.float64]) -> Score:
    """The sums over scored documents."""
    return Score(
        nll=float(nll.sum()),
        num_tokens=sum(len(text.ids) - 1 for text in texts),
        num_chars=sum(text.num_chars for text in texts),
        num_bytes=sum(text.num_bytes for text in texts),
    )


def spread(count: int, limit: int) -> list[int]:
    """Indices of at most `limit` of `count` items, evenly chosen (0: all)."""
    if not limit or limit >= count:
        return list(range(count))
    return [index * count // limit for index in range(limit)]
