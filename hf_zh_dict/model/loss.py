"""Token ids and labels in, the summed loss of a causal language model out, without its logits.

The logits of a batch (tokens × vocabulary) are by far its largest tensor, and on small models
most of the time goes into moving them. So rows are taken in chunks: logits, softmax and both
gradients of one chunk are made while it is in cache, and only the gradients stay.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hf_zh_dict.tokens.blocks import IGNORED

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

CHUNK_BYTES = 16 << 20  # of logits that exist at once


class SummedCrossEntropy(torch.autograd.Function):
    """Σ −log softmax(hidden · weightᵀ)[label] over labels that are not IGNORED.

    hidden [rows, width], weight [vocabulary, width], labels [rows]. The gradients,
    (softmax − one-hot) · weight and its transpose · hidden, are made in the forward pass. Under
    autocast the matrix products are done in its precision, everything else in float32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        device = hidden.device.type
        mixed = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if mixed else hidden.dtype
        rows = max(1, CHUNK_BYTES // (weight.shape[0] * 4))
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        hidden_gradient = torch.empty_like(hidden)
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)
        with torch.autocast(device, enabled=False):
            matrix = weight.to(dtype)
            for start in range(0, len(hidden), rows):
                part, target = hidden[start : start + rows].to(dtype), labels[start : start + rows]
                counted = target != IGNORED
                index = target.clamp(min=0).unsqueeze(1)
                logits = (part @ matrix.T).float()
                maximum = logits.amax(dim=1, keepdim=True)
                picked = logits.gather(1, index) - maximum
                exponentials = logits.sub_(maximum).exp_()
                sums = exponentials.sum(dim=1, keepdim=True)
                total += ((sums.log() - picked).squeeze(1) * counted).sum()
                gradient = exponentials.mul_(counted.unsqueeze(1) / sums)
                gradient.scatter_add_(1, index, -counted.unsqueeze(1).to(gradient.dtype))
                gradient = gradient.to(dtype)
                hidden_gradient[start : start + rows] = gradient @ matrix
                weight_gradient += gradient.T @ part
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        hidden_gradient, weight_gradient = ctx.saved_tensors
        scale = upstream[0]
        return hidden_gradient * scale, (weight_gradient * scale).to(ctx.weight_dtype), None


class LanguageModelLoss(nn.Module):
    """A Llama with its loss: what is wrapped for several processes, and compiled."""

    def __init__(self, model: "LlamaForCausalLM", *, compile_body: bool = False) -> None:
        super().__init__()
        self.model = model
        self.leave_plain()
        if compile_body:
            self.body = partial(torch.compile(model.model), use_cache=False)

    def leave_plain(self) -> None:
        """Run the body as it is, not compiled."""
        # behind `partial` it is no second submodule, so each parameter has one name
        self.body = partial(self.model.model, use_cache=False)

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
        hidden = self.body(input_ids=input_ids, position_ids=position_ids).last_hidden_state
        loss: torch.Tensor = SummedCrossEntropy.apply(  # type: ignore[no-untyped-call]
            hidden.flatten(0, 1), self.model.lm_head.weight, labels.flatten()
        )
        return loss
