"""Trained, pushed, loaded again by name without us: the same logits and the same rows."""

import json
import os
import re

import pytest
from test_dataset_card import COLUMNS, LOAD_WITHOUT_US
from test_publish_model import LOAD

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.paths import SPLITS, RunPaths


@pytest.fixture
def pushed(at_hub, trained_run):
    """The run of the real commands, its model and corpus on the Hub; returns the run's paths."""
    for command, repo_id in (("push", "owner/model"), ("push-corpus", "owner/words")):
        done = at_hub("-m", "hf_zh_dict", command, trained_run, "--repo-id", repo_id)
        assert done.returncode == 0, done.stderr[-2000:]
    return RunPaths(trained_run)


def read_json(done):
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_what_comes_back_is_what_was_trained(pushed, at_hub):
    local = read_json(at_hub("-c", LOAD, pushed.model, "{}"))
    assert read_json(at_hub("-c", LOAD, "owner/model", "{}")) == local
    rows = read_json(at_hub("-c", LOAD_WITHOUT_US, "owner/words", "plain"))
    assert rows == {split: list(read_rows(pushed.split(split), COLUMNS)) for split in SPLITS}


@pytest.mark.slow
def test_quickstart_comes_back_as_it_was_trained(at_hub, tmp_path):
    """Its preset, whole but for the number of steps."""
    run = tmp_path / "quickstart"
    few = [f"--train.{name}_steps=4" for name in ("max", "eval", "save")]
    done = at_hub(
        "-m", "hf_zh_dict", "train", "--preset", "quickstart", *few, "--train.report-to",
        "--output-dir", run,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    done = at_hub("-m", "hf_zh_dict", "push", run, "--repo-id", "owner/quickstart")
    assert done.returncode == 0, done.stderr[-2000:]
    local = read_json(at_hub("-c", LOAD, RunPaths(run).model, "{}"))
    assert read_json(at_hub("-c", LOAD, "owner/quickstart", "{}")) == local


@pytest.mark.parametrize(
    ("kind", "repo_id"), [("models", "owner/model"), ("datasets", "owner/words")]
)
def test_what_the_card_says_to_load_with_works(pushed, hub, at_hub, kind, repo_id):
    card = hub.repo(repo_id, kind).branches["main"].files["README.md"].data.decode()
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
    done = at_hub("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


def test_a_pushed_corpus_and_model_are_where_another_run_begins(pushed, at_hub, tmp_path):
    """From the Hub again: the same corpus, tokenizer and weights by their names."""
    done = at_hub(
        "-m", "hf_zh_dict", "train", "--config", pushed.config, "--output-dir", tmp_path / "again",
        "--corpus.source", "hub", "--corpus.repo-id", "owner/words", "--corpus.config-name", "plain",
        "--tokenizer.pretrained", "owner/model", "--model.pretrained", "owner/model",
        "--train.max-steps", "1", "--hub.push", "true", "--hub.repo-id", "owner/next",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    again = RunPaths(tmp_path / "again")
    for split in SPLITS:
        assert list(read_rows(again.split(split), COLUMNS)) == list(
            read_rows(pushed.split(split), COLUMNS)
        )
    assert "repo_id: owner/words" in again.config.read_text(encoding="utf-8")
    assert read_json(at_hub("-c", LOAD, "owner/next", "{}"))["text"].startswith("霧燈")


@pytest.mark.slow
@pytest.mark.transformers4
@pytest.mark.skipif(
    "HF_ZH_DICT_TRANSFORMERS4" not in os.environ, reason="HF_ZH_DICT_TRANSFORMERS4 is not set"
)
def test_transformers_4_loads_the_same_by_name(pushed, at_hub):
    new = read_json(at_hub("-c", LOAD, "owner/model", "{}"))
    python = os.environ["HF_ZH_DICT_TRANSFORMERS4"]
    old = read_json(at_hub("-c", LOAD, "owner/model", "{}", python=python, HF_HOME="old"))
    assert old["ids"] == new["ids"]
    assert old["text"] == new["text"]
    assert old["parameters"] == new["parameters"]
    for one, other in zip(old["logits"], new["logits"], strict=True):
        assert one == pytest.approx(other, abs=1e-4)
