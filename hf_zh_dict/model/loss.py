"""Token ids and labels in, the summed loss of a causal language model out, without its logits.

The logits of a batch (tokens × vocabulary) are by far its largest tensor, and on small models
most of the time goes into moving them. So rows are taken in chunks: logits, softmax and both
gradients of one chunk are made while it is in cache, and only the gradients stay.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hf_zh_dict.tokens.blocks import IGNORED

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

CHUNK_BYTES = 16 << 20  # of logits that exist at once
Exponentiate = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]


def exponentiate(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """exp(logits − maximum of the row), in their precision; the maxima and the sums in float32.

    logits [rows, vocabulary], maxima and sums [rows, 1].
    """
    exact = logits.float()
    maxima = exact.amax(dim=1, keepdim=True)
    exponentials = (exact - maxima).exp_()
    return exponentials.to(logits.dtype), maxima, exponentials.sum(dim=1, keepdim=True)


class SummedCrossEntropy(torch.autograd.Function):
    """Σ −log softmax(hidden · weightᵀ)[label] over labels that are not IGNORED.

    hidden [rows, width], weight [vocabulary, width], labels [rows]. The gradients,
    (softmax − one-hot) · weight and its transpose · hidden, are made in the forward pass. Rows of
    exponentials are divided by their sums behind the products, where they are narrow. Under
    autocast the matrix products are done in its precision, everything else in float32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor,
        exponentiate: Exponentiate = exponentiate,
    ) -> torch.Tensor:  # fmt: skip
        device = hidden.device.type
        mixed = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if mixed else hidden.dtype
        rows = rows_of_a_chunk(len(hidden), weight.shape[0] * dtype.itemsize)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        hidden_gradient = torch.empty_like(hidden)
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)
        with torch.autocast(device, enabled=False):
            matrix = weight.to(dtype)
            for start in range(0, len(hidden), rows):
                part, target = hidden[start : start + rows].to(dtype), labels[start : start + rows]
                counted = (target != IGNORED).unsqueeze(1)
                index = target.clamp(min=0).unsqueeze(1)
                logits = part @ matrix.T
                exponentials, maxima, sums = exponentiate(logits)
                picked = logits.gather(1, index) - maxima
                total += ((sums.log() - picked) * counted).sum()
                height = sums
                if dtype == torch.float16:  # which does not hold the sums of a large vocabulary
                    exponentials = (exponentials / sums).to(dtype)
                    height = torch.ones_like(sums)
                row = torch.arange(len(part), device=hidden.device)
                at_label = picked.exp() * height / sums - height
                exponentials[row, index[:, 0]] = at_label[:, 0].to(dtype)
                factor = counted / height
                torch.mul(exponentials @ matrix, factor, out=hidden_gradient[start : start + rows])
                scaled = (part * factor).to(dtype)
                if dtype == torch.float32:  # the sum is made in place
                    weight_gradient.addmm_(exponentials.T, scaled)
                else:
                    weight_gradient += exponentials.T @ scaled
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden_gradient, weight_gradient = ctx.saved_tensors
        scale = upstream[0]
        return hidden_gradient * scale, (weight_gradient * scale).to(ctx.weight_dtype), None, None


def rows_of_a_chunk(rows: int, row_bytes: int) -> int:
    """As many as `CHUNK_BYTES` hold of rows so long, of halves of all, so that chunks are alike."""
    while rows > 1 and rows * row_bytes > CHUNK_BYTES:
        rows = -(-rows // 2)
    return rows


class LanguageModelLoss(nn.Module):
    """A Llama with its loss: what is wrapped for several processes."""

    def __init__(self, model: "LlamaForCausalLM") -> None:
        super().__init__()
        self.model = model
        self.exponentiate: Exponentiate = exponentiate

    def forward(
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Summed negative log-likelihood in nats; ids, labels and positions are [rows, block_size].

        Where `position_ids` restart, a document begins that sees none before it. transformers does
        so only without an attention mask and without a cache; with either it silently does not.
        """
        hidden = self.model.model(
            input_ids=input_ids, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        loss: torch.Tensor = SummedCrossEntropy.apply(  # type: ignore[no-untyped-call]
            hidden.flatten(0, 1), self.model.lm_head.weight, labels.flatten(), self.exponentiate
        )
        return loss
