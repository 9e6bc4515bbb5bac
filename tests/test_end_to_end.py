"""The road as a user walks it: launched commands, several processes, and what others load."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows

ROOT = Path(__file__).parent.parent
TINY = [
    "--tokenizer.vocab-size", "400", "--blocks.block-size", "64", "--model.hidden-size", "32",
    "--model.num-hidden-layers", "2", "--model.num-attention-heads", "2", "--model.dropout", "0",
    "--train.max-steps", "6", "--train.eval-steps", "3", "--train.save-steps", "3",
    "--train.logging-steps", "1", "--train.num-samples", "1",
]  # fmt: skip

# Runs where the package cannot be imported: what is saved must not need it.
WITHOUT_US = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hf_zh_dict":
            raise ImportError("hf_zh_dict is not here")
sys.meta_path.insert(0, Refuse())
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder = sys.argv[1]
tokenizer = AutoTokenizer.from_pretrained(folder)
batch = tokenizer("\\u6c34\\u3000<s> \\u7532  \\u4e59", return_tensors="pt")
assert sorted(batch) == ["attention_mask", "input_ids"], sorted(batch)
ids = batch["input_ids"][0].tolist()
assert ids[0] == tokenizer.bos_token_id and tokenizer.eos_token_id not in ids
assert ids.count(tokenizer.bos_token_id) == 1
assert tokenizer.decode(ids[1:]) == "\\u6c34\\u3000<s> \\u7532  \\u4e59"
model = AutoModelForCausalLM.from_pretrained(folder)
with torch.no_grad():
    print(model(**batch).logits.double().sum().item(), *ids)
    out = model.generate(**batch, max_new_tokens=8, do_sample=False)
assert out.shape[1] > len(ids)
"""


# `train.py`, but on the last process the loss of step 1 and the gradient of step 3 are not finite.
BLOWN_UP = """
import os, sys
from hf_zh_dict.cli import main
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.training.update import Updater
last = os.environ["RANK"] == str(int(os.environ["WORLD_SIZE"]) - 1)
now, update, clip, forward = -1, Updater.update, Updater.clip_gradients, LanguageModelLoss.forward
def numbered(self, micro_batches, targets, step, **options):
    global now
    now = step
    return update(self, micro_batches, targets, step, **options)
def clipped(self):
    if last and now == 3:
        self.model.model.norm.weight.grad[0] = float("nan")
    return clip(self)
def computed(self, *batch):
    return forward(self, *batch) * (float("inf") if last and now == 1 else 1.0)
Updater.update, Updater.clip_gradients, LanguageModelLoss.forward = numbered, clipped, computed
sys.exit(main(["train", *sys.argv[1:]]))
"""


def launch(arguments, **environment):
    """Run a command in the repository's root; returns its output."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "HF_ZH_DICT_LANG": "en", "ACCELERATE_USE_CPU": "1", **environment},
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run launched as the README has it."""
    folder = tmp_path_factory.mktemp("end") / "run"
    accelerate = ["-m", "accelerate.commands.accelerate_cli", "launch"]
    config = ["--config_file", "accelerate_config.yaml"]
    out = launch([*accelerate, *config, "train.py", "--output-dir", str(folder), *TINY])
    return RunPaths(folder), out


def test_the_run_says_what_it_reached(run):
    _paths, out = run
    assert "corpus: built" in out
    assert "bits per character at step 0" in out
    assert "character bigram" in out
    assert "validation headwords parse as entries" in out


def test_transformers_alone_loads_the_model(run):
    paths, _out = run
    assert launch(["-c", WITHOUT_US, str(paths.model)])


@pytest.mark.transformers4
@pytest.mark.skipif(
    "HF_ZH_DICT_TRANSFORMERS4" not in os.environ, reason="HF_ZH_DICT_TRANSFORMERS4 is not set"
)
def test_transformers_4_loads_the_same_model(run):
    paths, _out = run
    old = subprocess.run(
        [os.environ["HF_ZH_DICT_TRANSFORMERS4"], "-c", WITHOUT_US, str(paths.model)],
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert old.returncode == 0, old.stderr[-3000:]
    old_sum, *old_ids = old.stdout.split()
    new_sum, *new_ids = launch(["-c", WITHOUT_US, str(paths.model)]).split()
    assert old_ids == new_ids
    assert float(old_sum) == pytest.approx(float(new_sum), abs=1e-2)


def test_the_corpus_loads_as_a_dataset(run, tmp_path):
    from datasets import load_dataset

    paths, _out = run
    corpus = load_dataset("parquet", data_files={
        split: str(paths.split(split)) for split in ("train", "validation", "test")
    }, cache_dir=str(tmp_path))  # fmt: skip
    assert corpus["train"].column_names == [
        "text", "headword", "dictionary", "entry_id", "group", "view", "spans",
    ]  # fmt: skip
    row = corpus["test"][0]
    fields = {span["field"]: row["text"][span["start"] : span["end"]] for span in row["spans"]}
    assert fields["headword"] == row["headword"]


def run_on_one_and_two(folder, script, settings):
    """The same global batch of 8 blocks, shared by two processes (gloo) or taken by one."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    for processes, batch in {"1": "8", "2": "4"}.items():
        options = ["--train.per-device-batch-size", batch, "--output-dir", str(folder / processes)]
        launch([*torchrun, processes, str(script), *TINY, *options, *settings], OMP_NUM_THREADS="1")
    return RunPaths(folder / "1"), RunPaths(folder / "2")


def test_two_processes_learn_what_one_learns(tmp_path):
    one, two = run_on_one_and_two(tmp_path, "train.py", [])
    for key in ("loss", "validation_loss"):
        curves = [[r[key] for r in read_rows(p.metrics) if key in r] for p in (one, two)]
        assert len(curves[0]) == len(curves[1]) > 2
        assert curves[0] == pytest.approx(curves[1], rel=1e-5)
    state = [
        json.loads((p.checkpoint(6) / "state.json").read_text(encoding="utf-8"))["state"]
        for p in (one, two)
    ]
    assert state[0]["tokens"] == state[1]["tokens"]
    weights = [load_file(p.checkpoint(6) / "model.safetensors") for p in (one, two)]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=1e-3, atol=1e-4)

    options = [
        "--output-dir",
        str(two.root),
        "--train.max-steps",
        "7",
        "--train.logging-steps",
        "1",
    ]
    out = launch(["train.py", "--resume", *options])  # what two began, one goes on with
    assert "keeps its 8 blocks: 1 process(es) × 4 blocks × 2 micro-batch(es)" in out
    options[1] = str(one.root)
    assert "keeps its" not in launch(["train.py", "--resume", *options])
    last = [[r["loss"] for r in read_rows(p.metrics) if "loss" in r][-1] for p in (one, two)]
    assert last[0] == pytest.approx(last[1], rel=1e-5)


def test_what_blows_up_on_one_process_is_skipped_on_all(tmp_path):
    script = tmp_path / "blown_up.py"
    script.write_text(BLOWN_UP, encoding="utf-8")
    settings = ["--train.ema-decay", "0.7", "--train.optimizer", "muon"]
    one, two = run_on_one_and_two(tmp_path, script, settings)
    skipped = [[row for row in read_rows(p.metrics) if "skipped" in row] for p in (one, two)]
    for rows in skipped:
        assert [(row["step"], row["skipped"]) for row in rows] == [(2, "loss"), (4, "gradient")]
    (alone, whole), (half, both) = skipped
    assert set(half["documents"]) < set(alone["documents"])  # the other process's are not concerned
    assert whole["documents"] == both["documents"]
    losses = [[row["loss"] for row in read_rows(p.metrics) if "loss" in row] for p in (one, two)]
    assert len(losses[0]) == 4
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for file in ("model.safetensors", "ema.safetensors"):
        weights = [load_file(p.checkpoint(6) / file) for p in (one, two)]
        for name, tensor in weights[0].items():
            torch.testing.assert_close(weights[1][name], tensor, rtol=1e-3, atol=1e-3)
