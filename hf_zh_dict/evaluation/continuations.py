"""A beginning and what may follow it in, how likely each of it is out; or what a model adds to it.

The beginning is run once and its keys and values serve all that may follow.
"""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from hf_zh_dict.evaluation.scoring import make_logits, run_body, state_losses
from hf_zh_dict.tokens.tokenizer import encode_texts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def score_endings(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    beginning: str,
    endings: Sequence[str],
    *,
    batch_size: int,
) -> npt.NDArray[np.float64]:
    """−log P(ending | beginning) in nats, [endings], up to what they all share.

    Beginning and ending are encoded together, as running text is; the tokens that all of them
    begin with are left out. What does not fit into the context is cut off.
    """
    limit = model.config.max_position_embeddings
    encoded = encode_texts(tokenizer, [beginning + ending for ending in endings])
    lines = [[tokenizer.bos_token_id, *ids][:limit] for ids in encoded]
    shared = count_shared(lines)
    return score_continuations(
        model, lines[0][:shared], [line[shared:] for line in lines], batch_size=batch_size
    )


def count_shared(lines: Sequence[list[int]]) -> int:
    """How many tokens all lines begin with; each keeps one of its own."""
    first, last = min(lines), max(lines)
    most = min(map(len, lines)) - 1
    return next((i for i in range(most) if first[i] != last[i]), most)


def score_continuations(
    model: "PreTrainedModel",
    prefix: Sequence[int],
    continuations: Sequence[Sequence[int]],
    *,
    batch_size: int,
) -> npt.NDArray[np.float64]:
    """−log P(continuation | prefix) in nats, [continuations]; none of them, nor prefix, is empty."""
    nll = np.zeros(len(continuations))
    order = sorted(range(len(continuations)), key=lambda index: len(continuations[index]))
    with torch.no_grad():
        states, cache = run_body(model, as_tensor(model, [prefix]), keep=True)
        for first in range(0, len(order), batch_size):
            chosen = order[first : first + batch_size]
            rows = [continuations[index] for index in chosen]
            lengths = torch.tensor([len(row) for row in rows], device=model.device)
            width = int(lengths.max())
            padded = as_tensor(model, [[*row, *[0] * (width - len(row))] for row in rows])
            known = states[:, -1:].expand(len(rows), -1, -1)
            if width > 1:
                again = copy.deepcopy(cache)
                again.batch_repeat_interleave(len(rows))
                rest, _ = run_body(model, padded[:, :-1], cache=again)
                known = torch.cat([known, rest], dim=1)
            counted = torch.arange(width, device=model.device) < lengths[:, None]
            losses = torch.zeros(len(rows), width, dtype=torch.float64)
            losses[counted.cpu()] = (
                state_losses(model, known[counted], padded[counted]).double().cpu()
            )
            nll[chosen] = losses.sum(dim=1).numpy()
    return nll


def continue_greedily(
    model: "PreTrainedModel",
    prefix: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    allowed_first: Sequence[int],
    is_done: Callable[[list[int]], bool],
) -> list[list[int]]:
    """The likeliest next token, again and again, for prefixes of one length; the new tokens.

    The first is one of `allowed_first`. A row that `is_done` with what it has is not read further.
    """
    ids = as_tensor(model, prefix)
    written: list[list[int]] = [[] for _row in prefix]
    room = min(max_new_tokens, model.config.max_position_embeddings - ids.shape[1])
    cache = None
    with torch.no_grad():
        for step in range(room):
            states, cache = run_body(model, ids, cache=cache, keep=True)
            logits = make_logits(model, states[:, -1])
            if step == 0:
                masked = torch.full_like(logits, -torch.inf)
                masked[:, list(allowed_first)] = logits[:, list(allowed_first)]
                logits = masked
            ids = logits.argmax(dim=1, keepdim=True)
            for row, token in zip(written, ids[:, 0].tolist(), strict=True):
                if not is_done(row):
                    row.append(token)
            if all(map(is_done, written)):
                break
    return written


def as_tensor(model: "PreTrainedModel", rows: Sequence[Sequence[int]]) -> torch.Tensor:
    return torch.tensor([list(row) for row in rows], device=model.device)
