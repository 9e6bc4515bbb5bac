"""`export` writes the files of another program, tells what is inexact, and refuses what it cannot."""

import json
import shutil

import pytest
from machine import chinese_file_names

from hf_zh_dict.cli import main
from hf_zh_dict.model.llama import save_model


@pytest.fixture
def run(tiny_model, tokenizer, tokenizer_folder, tmp_path):
    """A run folder with nothing but its model."""
    save_model(tiny_model, tokenizer, tokenizer_folder, tmp_path / "run" / "model")
    return tmp_path / "run"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_llama2c_into_the_run(run, capsys):
    assert main(["export", str(run), "--format", "llama2c"]) == 0
    assert names(run / "llama2c") == ["model.bin", "tokenizer.bin"]
    out = capsys.readouterr().out
    assert "--prompt TEXT" in out


@chinese_file_names
def test_gguf_of_a_model_folder_into_another_folder(run, capsys, tmp_path):
    command = ["export", str(run / "model"), "--format", "gguf", "--name", "小辭典"]
    assert main([*command, "--output-dir", str(tmp_path / "out")]) == 0
    assert names(tmp_path / "out") == ["Modelfile", "小辭典-f16.gguf"]
    assert "ollama create 小辭典" in capsys.readouterr().out
    assert main([*command, "--output-dir", str(tmp_path / "out"), "--dtype", "q8_0"]) == 0
    assert "matrices stay f16" in capsys.readouterr().out
    assert "小辭典-q8_0.gguf" in (tmp_path / "out" / "Modelfile").read_text(encoding="utf-8")


def test_prompts_are_written_with_their_ids(run, capsys, tokenizer):
    prompts = ["橋", "12"]
    assert main(["export", str(run), "--format", "llama2c", "--prompt", *prompts]) == 0
    rows = json.loads((run / "llama2c" / "prompts.json").read_text(encoding="utf-8"))
    assert [row["prompt"] for row in rows] == prompts
    assert rows[0]["run_c_reads_the_same"] is True
    assert len(rows[0]["ids"]) == len(tokenizer("橋")["input_ids"])
    told = "run.c reads other tokens than this model learnt" in capsys.readouterr().out
    assert told == (not all(row["run_c_reads_the_same"] for row in rows))


def test_a_version_for_each_program(run):
    sizes = {}
    for version in ("0", "1", "2"):
        assert main(["export", str(run), "--format", "llama2c", "--version", version]) == 0
        sizes[version] = (run / "llama2c" / "model.bin").stat().st_size
    assert sizes["2"] < sizes["1"] / 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["gguf", "--version", "1"], "--version: not with --format gguf"),
        (["gguf", "--run-c", "run"], "--run-c: not with --format gguf"),
        (["llama2c", "--dtype", "f16"], "--dtype: not with --format llama2c"),
        (["llama2c", "--version", "2", "--run-c", "run"], "run.c reads version 0 only"),
        (["llama2c", "--run-c", "nowhere"], "--run-c: nowhere cannot be run"),
        (["onnx"], "onnx"),
    ],
)
def test_options_that_do_not_fit_are_refused(run, capsys, options, sentence):
    assert main(["export", str(run), "--format", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_a_model_is_refused(run, capsys):
    shutil.rmtree(run / "model")
    assert main(["export", str(run), "--format", "gguf"]) == 2
    assert "no run with a model" in capsys.readouterr().err
