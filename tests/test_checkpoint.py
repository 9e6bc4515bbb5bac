"""A checkpoint brings everything back; a damaged one is refused by its name."""

import pytest
import torch
from accelerate import Accelerator

from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.training.checkpoint import (
    TrainingState,
    list_checkpoints,
    load_checkpoint,
    read_state,
    save_checkpoint,
)
from hf_zh_dict.training.ema import begin_average
from hf_zh_dict.training.optim import make_optimizers


@pytest.fixture
def parts(tiny_config, tokenizer):
    """Build an accelerator, a model and its optimizers after one update."""

    def build():
        accelerator = Accelerator(cpu=True)
        model = build_model(tiny_config, tokenizer)
        optimizers = make_optimizers(model, tiny_config.train)
        ids = torch.arange(8).unsqueeze(0)
        model(input_ids=ids, labels=ids).loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return accelerator, model, optimizers

    return build


@pytest.fixture
def saved(parts, tmp_path):
    """A run folder with one checkpoint, and what it holds."""
    paths = RunPaths(tmp_path)
    accelerator, model, optimizers = parts()
    state = TrainingState(step=7, epoch=1, cursor=5, loss_sum=0.1, best_bits_per_char=4.5)
    made_with = {"settings": {"train": {"seed": 0}}, "blocks": "fingerprint"}
    save_checkpoint(paths, accelerator, model, optimizers, state, made_with=made_with, keep=3)
    return paths, model, optimizers, state, torch.rand(3)


def test_everything_comes_back(saved, parts):
    paths, model, optimizers, state, drawn = saved
    accelerator, other, others = parts()
    for parameter in other.parameters():
        parameter.data.zero_()
    assert load_checkpoint(paths, 7, accelerator, other, others) == state
    assert torch.equal(torch.rand(3), drawn)
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    before, after = optimizers[0].state_dict(), others[0].state_dict()
    for index, moments in before["state"].items():
        assert torch.equal(after["state"][index]["exp_avg"], moments["exp_avg"])
    assert read_state(paths, 7)["blocks"] == "fingerprint"


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "random-0.pt"])
def test_a_damaged_file_is_refused_with_the_folder_and_the_way_out(saved, parts, name):
    paths = saved[0]
    file = paths.checkpoint(7) / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match="step-000007: the checkpoint cannot be read"):
        load_checkpoint(paths, 7, *parts())


def test_a_checkpoint_that_was_not_finished_does_not_count(saved):
    paths = saved[0]
    (paths.checkpoints / "step-000009.partial").mkdir()
    paths.checkpoint(8).mkdir()
    assert list_checkpoints(paths) == [7]


def test_the_average_comes_back_and_begins_with_the_weights_where_there_is_none(
    parts, saved, tmp_path
):
    accelerator, model, optimizers = parts()
    average = begin_average(model)
    average.model.norm.weight.fill_(0.25)
    paths, state = RunPaths(tmp_path / "averaged"), TrainingState(step=1)
    save_checkpoint(
        paths, accelerator, model, optimizers, state, made_with={}, keep=1, average=average
    )
    other = begin_average(model)
    load_checkpoint(paths, 1, accelerator, model, optimizers, average=other)
    assert (other.model.norm.weight == 0.25).all()
    load_checkpoint(saved[0], 7, accelerator, model, optimizers, average=other)
    for mean, weight in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(mean, weight)
