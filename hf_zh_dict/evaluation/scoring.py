"""Documents and a model in, the information the model needs to tell them out.

Each document is scored alone: bos, its text, eos; a longer one in consecutive windows of the
context length. Bits are counted over text and eos, characters are code points, bytes UTF-8: the
numbers do not depend on tokenizer, packing, batch size or number of processes.
"""

import inspect
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


Window = tuple[int, int, tuple[int, ...], tuple[int, ...]]  # document, place, inputs, targets


def cut_windows(texts: Sequence[ScoredText], context_length: int) -> Iterator[Window]:
    """(document, place, inputs, targets): every token but bos is a target exactly once."""
    for index, text in enumerate(texts):
        for start in range(0, len(text.ids) - 1, context_length):
            end = min(start + context_length, len(text.ids) - 1)
            yield index, start, text.ids[start:end], text.ids[start + 1 : end + 1]


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
    tokens = score_tokens(
        model, texts,
        batch_size=batch_size, context_length=context_length, description=description,
    )  # fmt: skip
    return np.array([nll.sum() for nll in tokens])


def score_tokens(
    model: "PreTrainedModel",
    texts: Sequence[ScoredText],
    *,
    batch_size: int,
    context_length: int,
    description: str = "",
) -> list[npt.NDArray[np.float64]]:
    """Negative log-likelihood of each target of each document, in nats: its tokens, then eos."""
    windows = sorted(cut_windows(texts, context_length), key=lambda window: len(window[2]))
    nll = [np.zeros(len(text.ids) - 1) for text in texts]
    starts: Iterable[int] = range(0, len(windows), batch_size)
    if description:
        starts = track(starts, description, total=-(-len(windows) // batch_size))
    was_training = model.training
    model.eval()
    try:
        for first in starts:
            batch = windows[first : first + batch_size]
            for window, losses in zip(batch, score_windows(model, batch), strict=True):
                document, place, _inputs, targets = window
                nll[document][place : place + len(targets)] = losses[: len(targets)]
    finally:
        model.train(was_training)
    return nll


def score_windows(model: "PreTrainedModel", windows: Sequence[Window]) -> npt.NDArray[np.float64]:
    """Negative log-likelihood of the targets of some windows, in nats, [windows, longest]."""
    width = max(len(ids) for _document, _place, ids, _targets in windows)
    inputs = torch.zeros(len(windows), width, dtype=torch.long)
    labels = torch.full((len(windows), width), IGNORED)
    for row, (_document, _place, ids, targets) in enumerate(windows):
        inputs[row, : len(ids)] = torch.tensor(ids)
        labels[row, : len(ids)] = torch.tensor(targets)
    with torch.no_grad():
        losses = token_losses(model, inputs.to(model.device), labels.to(model.device))
    return losses.double().cpu().numpy()


def token_losses(
    model: "PreTrainedModel", inputs: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Negative log-likelihood of each target, [rows, width], 0 where the label is IGNORED.

    Padding stands behind a row's tokens, where a causal model does not look: no mask is needed.
    """
    states, _cache = run_body(model, inputs)
    return state_losses(model, states.flatten(0, 1), labels.flatten()).view_as(labels)


def run_body(
    model: "PreTrainedModel", inputs: torch.Tensor, *, cache: Any = None, keep: bool = False
) -> tuple[torch.Tensor, Any]:
    """What `state_losses` turns into losses, [rows, width, …], and the cache when it is to be kept.

    A Llama's logits are made there, in parts; other models may do more to them than their last
    matrix, so theirs are made here.
    """
    is_llama = model.config.model_type == "llama"
    called = cast(Any, model.base_model if is_llama else model).forward
    # newer releases of transformers 5 know the cache by a shorter name, and warn of the old one
    known = inspect.signature(called).parameters
    name = "cache" if "cache" in known else "past_key_values"
    options = {name: cache} if cache is not None else {}
    output = called(input_ids=inputs, use_cache=keep or cache is not None, **options)
    states = output.last_hidden_state if is_llama else output.logits
    return states, getattr(output, name) if keep else None


def state_losses(
    model: "PreTrainedModel", states: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Negative log-likelihood of each target from what `run_body` gave, [rows]."""
    parts = [
        functional.cross_entropy(
            make_logits(model, states[i : i + LOGIT_ROWS]),
            targets[i : i + LOGIT_ROWS],
            ignore_index=IGNORED,
            reduction="none",
        )
        for i in range(0, len(states), LOGIT_ROWS)
    ]
    return torch.cat(parts)


def make_logits(model: "PreTrainedModel", states: torch.Tensor) -> torch.Tensor:
    """The logits, [rows, vocabulary], in float32, of what `run_body` gave."""
    is_llama = model.config.model_type == "llama"
    logits = cast(Any, model.get_output_embeddings())(states) if is_llama else states
    return cast(torch.Tensor, logits.float())


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
