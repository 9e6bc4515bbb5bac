"""Validation scores in, whether training goes on waiting for a better one out.

Small improvements add up: what counts is the way from the last score that was enough below the one
before it.
"""

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.messages import _
from hf_zh_dict.training.checkpoint import TrainingState


def count_patience(state: TrainingState, bits_per_char: float, *, threshold: float) -> None:
    """Take an evaluation into account."""
    gain = state.stale_bits_per_char - bits_per_char
    if gain > 0 and gain >= threshold:
        state.stale_bits_per_char, state.stale_evaluations = bits_per_char, 0
    else:
        state.stale_evaluations += 1


def out_of_patience(state: TrainingState, config: TrainConfig) -> bool:
    """Whether validation has not improved for as many evaluations as the settings wait."""
    impatient = 0 < config.early_stopping_patience <= state.stale_evaluations
    return impatient and state.step < config.max_steps


def explain_early_stop(state: TrainingState) -> str:
    """Why training ends before its last step, and how it would go on."""
    return _(
        "training: stopped early at step {step}, {count} evaluations without improvement; the "
        "best weights, of step {best}, are kept; to go on, --resume with a higher "
        "train.early_stopping_patience"
    ).format(step=state.step, count=state.stale_evaluations, best=state.best_step)
