"""The weights of each update in, their exponential moving average out.

w̄ ← d·w̄ + (1 − d)·w behind each update, from the first weights on. It lags the weights by about
1/(1 − d) updates and evens out the noise of single batches.

(torch's AveragedModel would begin with the weights behind the first update, and keep its count on
the device; here the loop's step is the count, and resumes with it.)
"""

from copy import deepcopy
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.config import TrainConfig

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


def ema_decay_at(step: int, config: TrainConfig) -> float:
    """d of update `step` (from 0): min(ema_decay, (1 + step) / (10 + step)).

    With this warm-up (of TensorFlow's ExponentialMovingAverage) the average forgets the random
    weights that it begins with. A pure function of the step, as the learning rate is.
    """
    return min(config.ema_decay, (1 + step) / (10 + step))


def begin_average(model: "LlamaForCausalLM") -> "LlamaForCausalLM":
    """A second model with the same weights, in float32, which does not train."""
    average: LlamaForCausalLM = deepcopy(model).float().requires_grad_(False)
    return average


@torch.no_grad()
def update_average(average: "LlamaForCausalLM", model: "LlamaForCausalLM", decay: float) -> None:
    """Move the average towards the weights; the same on every process, as those are."""
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(weight.float(), 1 - decay)
