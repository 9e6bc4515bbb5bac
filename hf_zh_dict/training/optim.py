"""A model in, its optimizers out: AdamW, or Muon and AdamW."""

from typing import Any

import torch
from torch import nn

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.training.muon import Muon


def make_optimizers(model: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the hidden matrices and AdamW for the rest.

    Weight decay falls on matrices (embeddings among them), none on norms. Muon's updates are scaled
    to AdamW's size, so that `learning_rate` means the same for both. Embeddings and output head have
    a rate of their own with `embedding_learning_rate`.
    """
    parameters = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    hidden = [p for n, p in parameters if config.optimizer == "muon" and is_hidden_matrix(n, p)]
    others = [(n, p) for n, p in parameters if all(p is not q for q in hidden)]
    rate = config.embedding_learning_rate
    groups: list[dict[str, Any]] = [
        {
            "params": [p for n, p in others if is_embedding(n)],
            "weight_decay": config.weight_decay,
            "lr_scale": rate / config.learning_rate if rate else 1.0,
        },
        {
            "params": [p for n, p in others if p.ndim >= 2 and not is_embedding(n)],
            "weight_decay": config.weight_decay,
        },
        {"params": [p for _n, p in others if p.ndim < 2], "weight_decay": 0.0},
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
        optimizers.append(Muon(hidden, lr=config.learning_rate, weight_decay=config.weight_decay))
    return optimizers


def is_hidden_matrix(name: str, parameter: nn.Parameter) -> bool:
    """A matrix of a layer: no norm, no embedding, no output head."""
    return parameter.ndim == 2 and ".layers." in name


def is_embedding(name: str) -> bool:
    """A row for each vocabulary entry: embeddings or output head, which may be one matrix."""
    return name.endswith(("embed_tokens.weight", "lm_head.weight"))


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group.get("lr_scale", 1.0)
