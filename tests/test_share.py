"""A step keeps its blocks, however many processes and micro-batches share them."""

import pytest

from hf_zh_dict.messages import InputError
from hf_zh_dict.training.share import Share, divide_alike


@pytest.mark.parametrize(
    ("batch", "processes", "accumulation"), [(2, 2, 6), (24, 1, 1), (1, 8, 3), (3, 4, 2)]
)
def test_processes_and_batches_are_made_up_for_by_accumulation(batch, processes, accumulation):
    before, now = Share(4, 2, world_size=3), Share(batch, 5, world_size=processes)
    assert divide_alike(now, before) == Share(batch, accumulation, world_size=processes)


@pytest.mark.parametrize(
    ("batch", "processes", "advice"),
    [(5, 1, "one of 1, 2, 3, 4, 6, 8, 12, 24."), (5, 2, "one of 1, 2, 3, 4, 6, 12."),
     (1, 7, "use another number of processes.")],
)  # fmt: skip
def test_what_does_not_divide_is_refused_with_advice(batch, processes, advice):
    with pytest.raises(InputError) as refused:
        divide_alike(Share(batch, 1, world_size=processes), Share(4, 2, world_size=3))
    assert str(refused.value).endswith(advice)
