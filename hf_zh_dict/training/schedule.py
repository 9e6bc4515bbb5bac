"""A step in, its learning rate out.

    cosine            linear            constant          constant_with_  warmup_stable_
                                                          warmup          decay
      ╭──╮              ╱╲            ──────────────        ╭───────        ╭──────╮
     ╱    ╲            ╱  ╲                                ╱               ╱        ╲
    ╱      ╰─         ╱    ╲                              ╱               ╱          ╲

All but `constant` rise over `warmup_steps` to `learning_rate`. cosine and linear then fall to
`min_learning_rate` at `max_steps`; warmup_stable_decay stays at the top and falls in a straight
line over the last `decay_steps` (Hu et al. 2024, "MiniCPM"), so that a run may be prolonged from a
checkpoint before the fall. The names are those of transformers' `lr_scheduler_type`.
"""

import math

from hf_zh_dict.config import TrainConfig


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """The learning rate of update `step` (from 0).

    A pure function of the step, so that resuming, or more processes, cannot shift it.
    """
    if config.lr_scheduler_type == "constant":
        return config.learning_rate
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / (config.warmup_steps + 1)
    height = height_at(step, config)
    rate = config.min_learning_rate + height * (config.learning_rate - config.min_learning_rate)
    return min(rate, config.learning_rate)


def height_at(step: int, config: TrainConfig) -> float:
    """Behind the warm-up: 1 at `learning_rate`, 0 at `min_learning_rate`."""
    if config.lr_scheduler_type == "constant_with_warmup":
        return 1.0
    start = config.warmup_steps
    if config.lr_scheduler_type == "warmup_stable_decay":
        start = max(start, config.max_steps - config.num_decay_steps)
    fallen = (step - start) / max(1, config.max_steps - start)
    fallen = min(1.0, max(0.0, fallen))
    if config.lr_scheduler_type == "cosine":
        return 0.5 * (1 + math.cos(math.pi * fallen))
    return 1 - fallen
