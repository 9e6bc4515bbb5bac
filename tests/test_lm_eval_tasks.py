"""Tasks carry their questions; lm-eval, where it is installed, runs them."""

import json
import os
import subprocess

import pytest
import yaml

from hf_zh_dict.evaluation.lm_eval_tasks import write_tasks
from hf_zh_dict.model.llama import build_model, save_model
from hf_zh_dict.paths import RunPaths


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def tasks(make_run, tmp_path):
    folder = tmp_path / "tasks"
    return folder, write_tasks(RunPaths(make_run()), folder)


def test_tasks_name_their_questions(tasks):
    folder, names = tasks
    assert names == ["zh_dict_bits", "zh_dict_definition"]
    for name in names:
        task = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
        assert task["task"] == name
        assert task["dataset_kwargs"]["data_files"]["test"] == str(folder / f"{name}.jsonl")


def test_the_right_definition_stands_where_it_is_said_to(tasks):
    folder, _names = tasks
    questions = read_lines(folder / "zh_dict_definition.jsonl")
    texts = [row["text"] for row in read_lines(folder / "zh_dict_bits.jsonl")]
    assert len({question["answer"] for question in questions}) > 3
    for question in questions:
        assert len(set(question["choices"])) == len(question["choices"]) == 10
        right = question["choices"][question["answer"]]
        headword = question["beginning"].split("　")[0]
        assert any(t.startswith(headword + "　") and right.strip("　") in t for t in texts)


def test_lm_eval_runs_them(tasks, tiny_config, reshape, tokenizer, tokenizer_folder, tmp_path):
    program = os.environ.get("HF_ZH_DICT_LM_EVAL")
    if not program:
        pytest.skip("HF_ZH_DICT_LM_EVAL names no lm_eval")
    folder, names = tasks
    model = build_model(reshape(tiny_config, max_position_embeddings=512), tokenizer)
    save_model(model, tokenizer, tokenizer_folder, tmp_path / "model")
    subprocess.run(
        [program, "--model", "hf", "--device", "cpu", "--limit", "4", "--output_path", "found",
         "--model_args", f"pretrained={tmp_path / 'model'},add_bos_token=True",
         "--include_path", str(folder), "--tasks", ",".join(names)],
        check=True, cwd=tmp_path, timeout=280,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    (found,) = (tmp_path / "found").rglob("results_*.json")
    results = json.loads(found.read_text(encoding="utf-8"))["results"]
    assert results["zh_dict_bits"]["bits_per_byte,none"] > 1
    assert 0 <= results["zh_dict_definition"]["acc_norm,none"] <= 1
