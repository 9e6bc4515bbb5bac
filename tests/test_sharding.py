"""Shards (FSDP 2) learn what one process learns, and leave the same checkpoints.

Two CPU processes; Accelerate offers shards on GPUs only, so `sharded_on_cpu.py` declares them.
"""

import shutil

import pytest
import torch
from safetensors.torch import load_file
from test_end_to_end import TINY, launch

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows
from hf_zh_dict.training.sharding import copy_parameters, whole

SHARDED = [
    "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
    "tests/sharded_on_cpu.py",
]  # fmt: skip
OPTIONS = [*TINY, "--train.report-to", "--train.max-eval-documents", "5"]


def test_shards_go_on_from_a_plain_checkpoint_and_learn_what_one_process_learns(tmp_path):
    """With muon, for it has both optimizers."""
    plain, sharded = RunPaths(tmp_path / "plain"), RunPaths(tmp_path / "sharded")
    chosen = [*OPTIONS, "--train.optimizer", "muon"]
    whole_batch = [*chosen, "--train.per-device-batch-size", "8"]
    launch(["train.py", "--output-dir", str(plain.root), *whole_batch], OMP_NUM_THREADS="1")
    shutil.copytree(plain.root, sharded.root)
    shutil.rmtree(sharded.checkpoint(6))

    shares = ["--train.per-device-batch-size", "2", "--train.gradient-accumulation-steps", "2"]
    options = ["--resume", "--output-dir", str(sharded.root), *chosen, *shares]
    launch([*SHARDED, *options, "--train.gradient-checkpointing", "true"], OMP_NUM_THREADS="1")
    for key in ("loss", "validation_loss"):
        curves = [
            [row[key] for row in read_rows(run.metrics) if key in row] for run in (plain, sharded)
        ]
        assert len(curves[0]) > 2
        assert curves[0] == pytest.approx(curves[1], rel=1e-5)
    weights = [load_file(run.checkpoint(6) / "model.safetensors") for run in (plain, sharded)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=1e-3, atol=2e-4)
    kept = [
        torch.load(run.checkpoint(6) / "optimizer.pt", weights_only=True)["optimizers"]
        for run in (plain, sharded)
    ]
    for one, other in zip(*kept, strict=True):
        assert one["state"].keys() == other["state"].keys()
        for place, moments in one["state"].items():
            for key, value in moments.items():
                torch.testing.assert_close(other["state"][place][key], value, rtol=1e-2, atol=1e-4)


def test_16_bit_products_on_shards_keep_the_loss_in_float32_and_isolate_documents(tmp_path):
    run = RunPaths(tmp_path / "run")
    asked = ["--train.mixed-precision", "bf16", "--train.isolate-documents", "true"]
    launch(
        [*SHARDED, "--output-dir", str(run.root), *OPTIONS, *asked, "--train.max-steps", "2"],
        OMP_NUM_THREADS="1",
    )
    losses = [row["loss"] for row in read_rows(run.metrics) if "loss" in row]
    assert 5 < losses[1] < losses[0] < 6.5
    rounded = [float(torch.tensor(loss).bfloat16()) for loss in losses]
    assert losses != rounded


def test_what_is_whole_is_left_alone(tiny_model):
    tree = {"a": [torch.ones(2), 3], "b": (None, {"c": tiny_model.lm_head.weight})}
    same = whole(tree)
    assert same["a"][0] is tree["a"][0]
    assert same["b"][1]["c"] is tiny_model.lm_head.weight
    copy_parameters(tiny_model, tiny_model)
