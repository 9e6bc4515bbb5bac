"""A step in, its learning rate out; a model in, its AdamW out."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hf_zh_dict.config import TrainConfig

if TYPE_CHECKING:
    from accelerate import Accelerator


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """The learning rate of update `step` (from 0): linear warm-up, then half a cosine.

    A pure function of the step, so that resuming, or more processes, cannot shift it.
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / (config.warmup_steps + 1)
    span = max(1, config.max_steps - config.warmup_steps)
    progress = min(1.0, (step - config.warmup_steps) / span)
    wave = 0.5 * (1 + math.cos(math.pi * progress))
    rate = config.min_learning_rate + wave * (config.learning_rate - config.min_learning_rate)
    return min(rate, config.learning_rate)


def make_optimizers(model: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the hidden matrices and AdamW for the rest.

    Weight decay falls on matrices (embeddings among them), none on norms. Muon's updates are scaled
    to AdamW's size (Liu et al. 2025, "Muon is scalable for LLM training"), so that
    `learning_rate` means the same for both.
    """
    parameters = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    hidden = [p for n, p in parameters if config.optimizer == "muon" and is_hidden_matrix(n, p)]
    others = [p for _n, p in parameters if all(p is not q for q in hidden)]
    groups = [
        {"params": [p for p in others if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in others if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            groups,
            lr=config.learning_rate,
            betas=(config.adam_beta1, config.adam_beta2),
            fused=True,
        )
    ]
    if hidden:
        optimizers.append(
            torch.optim.Muon(
                hidden,
                lr=config.learning_rate,
                weight_decay=config.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return optimizers


def is_hidden_matrix(name: str, parameter: nn.Parameter) -> bool:
    """A matrix of a layer: no norm, no embedding, no output head."""
    return parameter.ndim == 2 and ".layers." in name


def step_optimizers(
    accelerator: "Accelerator", optimizers: list[Any], gradient_norm: torch.Tensor
) -> bool:
    """Step all optimizers, or, when fp16's scaled gradients overflowed, none; returns which.

    `gradient_norm` is that of all gradients, unscaled. Accelerate's own optimizers each unscale,
    judge and move the scale for themselves: of two, the second would divide its gradients by the
    scale again, and could step where the first had not.
    """
    scaler = accelerator.scaler
    if scaler is None:
        for optimizer in optimizers:
            optimizer.step()
        return True
    finite = bool(torch.isfinite(gradient_norm))
    if finite:
        for optimizer in optimizers:
            optimizer.optimizer.step()
    scaler.update()  # once: lower after an overflow, higher after many steps without one
    return finite


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
