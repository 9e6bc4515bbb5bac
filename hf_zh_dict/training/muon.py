"""Gradients of matrices in, updates of equal strength in all directions out.

torch's Muon multiplies in bfloat16. CPUs without instructions for it take about 25 times as long as in
float32 (half of a training step at 192 × 6), so the precision is chosen here by the device.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch

from hf_zh_dict.training.device import multiplies_bfloat16

A, B, C = 3.4445, -4.7750, 2.0315  # Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/
STEPS = 5
SMALLEST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """Momentum (Nesterov's), made orthogonal by Newton–Schulz; decoupled weight decay.

    An update U of a matrix [rows, columns] is scaled by 0.2 · √max(rows, columns), so that its root
    mean square is that of AdamW's (Liu et al. 2025, "Muon is scalable for LLM training", section
    2.2). Its state is that of `torch.optim.Muon`: `momentum_buffer`.
    """

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[min(parameter.shape), max(parameter.shape)].append(parameter)
            for parameters in alike.values():
                self.update(parameters, group)

    def update(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        """Parameters of one shape, or of its transpose, together: so every core has work."""
        directions = []
        for parameter in parameters:
            gradient, state = parameter.grad, self.state[parameter]
            assert gradient is not None
            if not state:
                state["momentum_buffer"] = torch.zeros_like(gradient)
            buffer = state["momentum_buffer"]
            buffer.lerp_(gradient, 1 - group["momentum"])
            directions.append(wide(gradient.lerp(buffer, group["momentum"])))
        updates = orthogonalize(torch.stack(directions))
        for parameter, update in zip(map(wide, parameters), updates, strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(parameter.shape[1]))


def wide(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix, or its transpose when it has more rows than columns."""
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def orthogonalize(matrices: torch.Tensor) -> torch.Tensor:
    """Wide matrices [count, rows, columns] with all singular values brought near 1 (0.7 to 1.2)."""
    device = matrices.device
    x = matrices.bfloat16() if multiplies_bfloat16(device) else matrices.float()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=SMALLEST_NORM)
    for _step in range(STEPS):  # of Newton–Schulz
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x.to(matrices.dtype)
