"""A checkpoint brings everything back; a damaged one is named and the one before it is used."""

import dataclasses
import json
import os

import pytest
import torch
from accelerate import Accelerator
from machine import compiler
from safetensors.torch import load_file

from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import build_model, save_model
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.training import checkpoint
from hf_zh_dict.training.checkpoint import (
    MANIFEST,
    Kept,
    TrainingState,
    best_weights,
    find_damage,
    find_whole_checkpoint,
    list_checkpoints,
    load_checkpoint,
    read_state,
    save_checkpoint,
)
from hf_zh_dict.training.compiling import compile_parts, leave_plain
from hf_zh_dict.training.ema import begin_average
from hf_zh_dict.training.optim import make_optimizers

FILES = ["manifest.json", "model.safetensors", "optimizer.pt", "state.json"]
MADE_WITH = {"settings": {"train": {"seed": 0}}, "blocks": "fingerprint"}


@pytest.fixture
def parts(tiny_config, tokenizer):
    """Build an accelerator, a model and its optimizers after one update."""

    def build(config=tiny_config):
        accelerator = Accelerator(cpu=True)
        model = build_model(config, tokenizer)
        optimizers = make_optimizers(model, config.train)
        ids = torch.arange(8).unsqueeze(0)
        model(input_ids=ids, labels=ids).loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return accelerator, model, optimizers

    return build


@pytest.fixture
def save(parts, tmp_path):
    """Save a checkpoint of some step; returns the run folder's paths."""
    paths = RunPaths(tmp_path)
    built = parts()

    def save(step, *, newest=3, every_steps=0, **state):
        kept = Kept(newest, every_steps)
        save_checkpoint(
            paths, *built, TrainingState(step=step, **state), made_with=MADE_WITH, kept=kept
        )
        return paths

    save.parts = built
    return save


def damage(file, kind):
    data = bytearray(file.read_bytes())
    if kind == "deleted":
        file.unlink()
    elif kind == "truncated":
        file.write_bytes(data[: len(data) // 2])
    elif kind == "emptied":
        file.write_bytes(b"")
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes(data)


def test_everything_comes_back(save, parts):
    state = {"epoch": 1, "cursor": 5, "loss_sum": 0.1, "tokens": 30}
    paths = save(7, **state)
    _accelerator, model, optimizers = save.parts
    accelerator, other, others = parts()
    for parameter in other.parameters():
        parameter.data.zero_()
    loaded = load_checkpoint(paths, 7, accelerator, other, others)
    assert loaded == TrainingState(step=7, **state)
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    before, after = optimizers[0].state_dict(), others[0].state_dict()
    assert before["state"].keys() == after["state"].keys() != set()
    for index, moments in before["state"].items():
        for name in ("step", "exp_avg", "exp_avg_sq"):
            assert torch.equal(after["state"][index][name], moments[name])
    assert read_state(paths, 7)["blocks"] == "fingerprint"


def test_it_holds_these_files_and_a_manifest_of_them(save):
    paths = save(7)
    assert sorted(path.name for path in paths.checkpoint(7).iterdir()) == FILES
    manifest = json.loads((paths.checkpoint(7) / MANIFEST).read_text(encoding="utf-8"))
    assert sorted(manifest["files"]) == FILES[1:]
    assert [path.name for path in paths.checkpoints.iterdir()] == ["step-000007"]


@pytest.mark.parametrize("kind", ["flipped", "truncated", "emptied", "deleted"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_newest_one_is_named_and_the_one_before_is_used(save, name, kind):
    save(5)
    paths = save(7)
    damage(paths.checkpoint(7) / name, kind)
    step, (named,) = find_whole_checkpoint(paths)
    assert step == 5
    assert "step-000007" in named
    assert name in named


def test_every_bit_of_the_manifest_counts(save):
    paths = save(7)
    file = paths.checkpoint(7) / MANIFEST
    whole = file.read_bytes()
    said = json.loads(whole)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(changed)
        try:  # between its words it may have another space
            unchanged = json.loads(changed) == said
        except ValueError:
            unchanged = False
        assert unchanged or find_damage(paths.checkpoint(7)), changed


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": {}}', '{"files": []}', '{"files": {"model.safetensors": 3}}'])  # fmt: skip
def test_a_manifest_of_another_form_is_damage(save, text):
    paths = save(7)
    (paths.checkpoint(7) / MANIFEST).write_text(text)
    assert MANIFEST in find_damage(paths.checkpoint(7))


def test_every_bit_counts(save):
    paths = save(7)
    file = paths.checkpoint(7) / "model.safetensors"
    whole = file.read_bytes()
    assert find_damage(paths.checkpoint(7)) == ""
    for place in (0, 9, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 128
        file.write_bytes(changed)
        assert "model.safetensors" in find_damage(paths.checkpoint(7))
    file.write_bytes(whole)
    assert find_damage(paths.checkpoint(7)) == ""


def test_several_damaged_ones_are_passed_over_and_all_of_them_refused(save):
    for step in (3, 5):
        paths = save(step)
    (paths.checkpoints / "step-000009.partial").mkdir()
    paths.checkpoint(8).mkdir()
    damage(paths.checkpoint(5) / "optimizer.pt", "truncated")
    step, named = find_whole_checkpoint(paths)
    assert step == 3
    assert ["step-000008" in named[0], "step-000005" in named[1], len(named)] == [True, True, 2]
    damage(paths.checkpoint(3) / "state.json", "deleted")
    with pytest.raises(InputError, match=r"no whole checkpoint is left: add --overwrite"):
        find_whole_checkpoint(paths)


def test_without_checkpoints_there_is_nothing_to_name(tmp_path):
    assert find_whole_checkpoint(RunPaths(tmp_path)) == (None, [])


def test_a_checkpoint_that_was_not_finished_is_not_listed_and_goes_with_the_next(save):
    paths = save(5)
    for name in ("step-000006.partial", "step-000004.old"):
        (paths.checkpoints / name).mkdir()
    assert list_checkpoints(paths) == [5]
    save(7)
    assert sorted(path.name for path in paths.checkpoints.iterdir()) == [
        "step-000005", "step-000007",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        ({"newest": 1}, [2, 8]),
        ({"newest": 2}, [2, 7, 8]),
        ({"newest": 2, "every_steps": 3}, [2, 3, 6, 7, 8]),
        ({"newest": 9}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_the_newest_the_best_and_every_so_many_are_kept(
    save, tiny_model, tokenizer, tokenizer_folder, tmp_path, kept, left
):
    save_model(tiny_model, tokenizer, tokenizer_folder, tmp_path / "model")
    for step in range(1, 9):
        paths = save(step, best_step=min(step, 2), **kept)
    assert list_checkpoints(paths) == left


def test_damaged_ones_behind_the_state_do_not_push_out_whole_ones(save):
    for step in (4, 8):
        paths = save(step, newest=1)
    save(4, newest=1)  # resumed from 4, as 8 is damaged
    assert list_checkpoints(paths) == [4]


def test_the_best_weights_are_kept_once(save, tokenizer, tokenizer_folder):
    _accelerator, model, _optimizers = save.parts
    paths = save(1)
    assert best_weights(paths, 1) is None
    save_model(model, tokenizer, tokenizer_folder, paths.model)
    best = load_file(paths.model / "model.safetensors")
    save(2, best_step=2)
    assert best_weights(paths, 2) == paths.checkpoint(2) / "model.safetensors"
    assert not (paths.checkpoint(2) / "best.safetensors").exists()
    with torch.no_grad():
        model.model.norm.weight.add_(1)
    save(3, best_step=2)
    assert best_weights(paths, 3) == paths.checkpoint(3) / "best.safetensors"
    kept = load_file(best_weights(paths, 3))
    assert kept.keys() == best.keys()
    assert all(torch.equal(kept[name], best[name]) for name in best)


def test_optimizers_go_on_with_todays_settings_and_the_moments_of_the_checkpoint(
    save, parts, tiny_config
):
    paths = save(7)
    _accelerator, _model, (before,) = save.parts
    now = {"weight_decay": 0.3, "adam_beta2": 0.9, "embedding_learning_rate": 0.01}
    train = dataclasses.replace(tiny_config.train, **now)
    accelerator, model, (after,) = parts(dataclasses.replace(tiny_config, train=train))
    groups = after.state_dict()["param_groups"]
    load_checkpoint(paths, 7, accelerator, model, [after])
    assert after.state_dict()["param_groups"] == groups
    assert groups[0]["weight_decay"] == 0.3
    for place, moments in before.state_dict()["state"].items():
        for key, value in moments.items():
            assert torch.equal(after.state_dict()["state"][place][key], value)


def test_moments_in_another_order_are_refused_by_name(parts, tiny_config, reshape, tmp_path):
    """As AdamW's were before embeddings and output head had a group of their own."""
    config = reshape(tiny_config, tie_word_embeddings=False)
    accelerator, model, (optimizer,) = parts(config)
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    earlier = torch.optim.AdamW(matrices)
    for parameter in matrices:
        parameter.grad = torch.ones_like(parameter)
    earlier.step()
    paths, state = RunPaths(tmp_path), TrainingState(step=1)
    save_checkpoint(paths, accelerator, model, [earlier], state, made_with=MADE_WITH, kept=Kept(1))
    with pytest.raises(InputError, match=r"optimizer\.pt: .* order.*--overwrite"):
        load_checkpoint(paths, 1, accelerator, model, [optimizer])


@compiler
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
@pytest.mark.parametrize("tied", [True, False])
def test_keys_are_plain_and_tied_weights_survive(
    tiny_config, reshape, parts, tokenizer, tmp_path, tied
):
    config = reshape(tiny_config, tie_word_embeddings=tied)
    accelerator, model, optimizers = parts(config)
    loss = LanguageModelLoss(model)
    compile_parts(loss, accelerator)
    paths, state = RunPaths(tmp_path), TrainingState(step=1)
    save_checkpoint(paths, accelerator, model, optimizers, state, made_with=MADE_WITH, kept=Kept(1))
    saved = load_file(paths.checkpoint(1) / "model.safetensors")
    assert not [name for name in saved if "_orig_mod" in name]
    assert ("lm_head.weight" in saved) == (not tied)
    leave_plain(loss)
    other = build_model(config, tokenizer)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    load_checkpoint(paths, 1, accelerator, other, make_optimizers(other, config.train))
    ids = torch.arange(6).unsqueeze(0)
    torch.testing.assert_close(
        other.eval()(input_ids=ids).logits, model.eval()(input_ids=ids).logits, rtol=0, atol=0
    )
    shared = other.lm_head.weight.data_ptr() == other.model.embed_tokens.weight.data_ptr()
    assert shared == tied


@pytest.mark.parametrize(
    ("number", "said"), [(28, "make room on the disk"), (30, "mend that"), (5, "mend that")]
)
@pytest.mark.parametrize("at", range(5))
def test_what_cannot_be_written_is_one_sentence_and_leaves_the_last_one_whole(
    save, monkeypatch, number, said, at
):
    paths = save(5)
    write, count = checkpoint.write_synced, iter(range(9))

    def full(path, data):
        if next(count) == at:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(number, os.strerror(number), str(path))
        write(path, data)

    if at == 4:  # the last thing: renaming

        def refuse(_new, folder):
            raise OSError(number, os.strerror(number), str(folder))

        monkeypatch.setattr(checkpoint, "replace_folder", refuse)
    else:
        monkeypatch.setattr(checkpoint, "write_synced", full)
    with pytest.raises(InputError) as refused:
        save(7)
    message = str(refused.value)
    assert "\n" not in message
    for part in ("step-000007", os.strerror(number), "the one of step 5 is whole", said):
        assert part in message
    assert find_whole_checkpoint(paths) == (5, [])
    assert [path.name for path in paths.checkpoints.iterdir()] == ["step-000005"]


def test_a_first_one_that_cannot_be_written_says_that_there_is_none(save, tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(InputError, match="there is none before it"):
        save(5)


def test_the_average_comes_back_and_begins_with_the_weights_where_there_is_none(
    parts, save, tmp_path
):
    accelerator, model, optimizers = parts()
    average = begin_average(model)
    average.model.norm.weight.fill_(0.25)
    paths, state = RunPaths(tmp_path / "averaged"), TrainingState(step=1)
    save_checkpoint(
        paths,
        accelerator,
        model,
        optimizers,
        state,
        made_with=MADE_WITH,
        kept=Kept(1),
        average=average,
    )
    other = begin_average(model)
    load_checkpoint(paths, 1, accelerator, model, optimizers, average=other)
    assert (other.model.norm.weight == 0.25).all()
    load_checkpoint(save(7), 7, accelerator, model, optimizers, average=other)
    for mean, weight in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(mean, weight)
