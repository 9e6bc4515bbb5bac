"""Training waits as long for an improvement as the settings say; small ones add up."""

import pytest

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.training.checkpoint import TrainingState
from hf_zh_dict.training.patience import count_patience, explain_early_stop, out_of_patience

CONFIG = TrainConfig(max_steps=100, early_stopping_patience=2)


@pytest.mark.parametrize(
    ("threshold", "scores", "stale"),
    [
        (0.0, [5.0, 4.0, 3.0], 0),
        (0.0, [5.0, 5.0, 5.5], 2),
        (0.5, [5.0, 4.8, 4.6], 2),
        (0.5, [5.0, 4.8, 4.5], 0),  # together they are enough
        (0.5, [5.0, float("nan"), 4.0], 0),
    ],
)
def test_what_counts_is_the_way_from_the_last_score_that_was_enough(threshold, scores, stale):
    state = TrainingState()
    for score in scores:
        count_patience(state, score, threshold=threshold)
    assert state.stale_evaluations == stale


@pytest.mark.parametrize(
    ("stale", "step", "over"), [(1, 50, False), (2, 50, True), (3, 50, True), (3, 100, False)]
)
def test_patience_ends_with_the_settings_but_not_behind_the_last_step(stale, step, over):
    state = TrainingState(step=step, stale_evaluations=stale)
    assert out_of_patience(state, CONFIG) == over


def test_by_default_five_evaluations_are_waited_for():
    config = TrainConfig(max_steps=100)
    assert not out_of_patience(TrainingState(stale_evaluations=4), config)
    assert out_of_patience(TrainingState(stale_evaluations=5), config)


def test_patience_zero_never_ends():
    config = TrainConfig(max_steps=100, early_stopping_patience=0)
    assert not out_of_patience(TrainingState(stale_evaluations=99), config)


def test_the_sentence_names_both_steps():
    told = explain_early_stop(TrainingState(step=70, best_step=50, stale_evaluations=2))
    assert "70" in told
    assert "50" in told
