"""What a user types is understood, and what is wrong is refused in one sentence."""

import csv
import dataclasses
import re
import subprocess
import sys
import time

import pytest

from hf_zh_dict.cli import COMMANDS, main
from hf_zh_dict.corpus.sources import EMBEDDED_FOLDER

QUICK = [
    "--tokenizer.vocab-size", "400", "--blocks.block-size", "64", "--model.hidden-size", "32",
    "--model.num-hidden-layers", "1", "--model.num-attention-heads", "2",
    "--train.max-steps", "2", "--train.eval-steps", "2", "--train.save-steps", "1",
    "--train.max-eval-documents", "4", "--train.num-samples", "1", "--train.use-cpu", "true",
    "--train.cpu-threads", "1", "--train.report-to",
]  # fmt: skip


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Run a command that must fail; returns its one sentence."""
    monkeypatch.setenv("HF_ZH_DICT_LANG", "en")

    def run(*argv):
        code = main([str(word) for word in argv])
        captured = capsys.readouterr()
        lines = captured.err.strip().splitlines()
        assert code == 2
        assert lines
        assert lines[-1].startswith("error: ")
        assert "Traceback" not in captured.err
        return lines[-1]

    return run


@pytest.fixture
def sheet(tmp_path):
    """Write a table as .csv; returns its path."""

    def write(name, rows):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write


def corpus(source, path, tmp_path):
    return ["corpus", "--corpus.source", source, "--corpus.files", path,
            "--output-dir", tmp_path / "run"]  # fmt: skip


def test_a_missing_file_is_named(refused, tmp_path):
    text = refused(*corpus("spreadsheets", tmp_path / "nowhere.xlsx", tmp_path))
    assert "nowhere.xlsx: there is no such file" in text


def test_a_renamed_column_is_named(refused, sheet, tmp_path):
    with (EMBEDDED_FOLDER / "mini.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[0][rows[0].index("解釋")] = "說明"
    text = refused(*corpus("spreadsheets", sheet("mini.csv", rows), tmp_path))
    assert "mini.csv" in text
    assert "解釋" in text
    assert "說明" in text


def test_a_spreadsheet_of_something_else_is_refused(refused, sheet, tmp_path):
    path = sheet("prices.csv", [["item", "price"], ["茶", "30"]])
    text = refused(*corpus("spreadsheets", path, tmp_path))
    assert "prices.csv" in text
    assert "four dictionaries" in text


def test_a_file_that_is_no_spreadsheet_is_refused(refused, tmp_path):
    path = tmp_path / "broken.xlsx"
    path.write_bytes(b"not a zip archive")
    text = refused(*corpus("spreadsheets", path, tmp_path))
    assert "broken.xlsx" in text


def test_a_name_that_the_locale_has_no_characters_for_is_told(refused, monkeypatch):
    def write(_arguments):
        "小辭典.gguf".encode("ascii")

    presets = dataclasses.replace(COMMANDS["presets"], run=write)
    monkeypatch.setitem(COMMANDS, "presets", presets)
    with pytest.raises(UnicodeEncodeError):
        main(["presets"])
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    assert "小辭典.gguf: this locale cannot name such a file" in refused("presets")


def test_an_empty_text_file_is_refused(refused, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("\n\n", encoding="utf-8")
    text = refused(*corpus("text", path, tmp_path))
    assert "empty.txt: holds no text" in text


def test_bad_utf8_is_named_with_its_line(refused, tmp_path):
    path = tmp_path / "big5.txt"
    path.write_bytes("第一行\n".encode() + "漢字\n".encode("big5"))
    text = refused(*corpus("text", path, tmp_path))
    assert "big5.txt: line 2 is not UTF-8" in text


def test_an_unknown_option_is_answered_with_the_nearest(refused):
    text = refused("train", "--train.learning_rat", "1e-3")
    assert "--train.learning-rate" in text


def test_an_unknown_key_in_a_file_is_answered_with_the_nearest(refused, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("train:\n  learning_rat: 1e-3\n", encoding="utf-8")
    text = refused("train", "--config", path)
    assert "my.yaml" in text
    assert "train.learning_rate" in text


def test_a_vocabulary_larger_than_the_data_gives_is_refused_with_the_number(refused, tmp_path):
    path = tmp_path / "small.txt"
    path.write_text("".join(f"詞{n}：第{n}個\n" for n in range(200)), encoding="utf-8")
    text = refused(
        "tokenizer", "--corpus.source", "text", "--corpus.files", path,
        "--output-dir", tmp_path / "run", "--tokenizer.vocab_size", "5000",
    )  # fmt: skip
    assert "tokenizer.vocab_size" in text
    assert "5000" in text


def test_a_block_longer_than_the_context_is_refused(refused):
    text = refused("train", "--blocks.block_size", "512", "--model.max_position_embeddings", "256")
    assert "blocks.block_size" in text
    assert "256" in text


def test_heads_that_do_not_divide_the_width_are_refused(refused):
    text = refused("train", "--model.hidden_size", "100", "--model.num_attention_heads", "3")
    assert "model.num_attention_heads" in text


def test_a_precision_that_the_device_cannot_do_is_refused(tmp_path):
    """In a subprocess: Accelerate keeps the first precision of a process."""
    command = [sys.executable, "-m", "hf_zh_dict", "train", "--output-dir", str(tmp_path), *QUICK]
    done = subprocess.run(
        [*command, "--train.mixed-precision", "fp16"],
        capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().endswith("fp16 needs a GPU; use bf16 or no on the CPU.")


def test_an_unreachable_hub_is_one_sentence_with_the_way_out(tmp_path):
    """In a subprocess: huggingface_hub reads its endpoint when it is imported."""
    command = [sys.executable, "-m", "hf_zh_dict", "corpus", "--preset", "hub"]
    done = subprocess.run(
        [*command, "--output-dir", str(tmp_path / "run")],
        env={"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "PATH": "",
             "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("error: the dataset repository")
    assert "--corpus.source spreadsheets" in done.stderr


def test_a_folder_with_checkpoints_is_resumed_or_overwritten_only_when_asked(
    refused, capsys, tmp_path
):
    run = str(tmp_path / "run")
    assert main(["train", "--output-dir", run, *QUICK]) == 0
    assert "--resume" in refused("train", "--output-dir", run, *QUICK)
    assert main(["train", "--output-dir", run, *QUICK, "--overwrite"]) == 0
    capsys.readouterr()

    wider = [*QUICK, "--model.hidden-size", "64"]
    text = refused("train", "--output-dir", run, *wider, "--resume")
    assert "model.hidden_size" in text
    assert "64" in text
    assert "32" in text
    other = ["--corpus.seed", "1", *QUICK]
    assert "corpus.seed" in refused("train", "--output-dir", run, *other, "--resume")
    assert "--resume" in refused("train", "--preset", "student", "--output-dir", run)

    assert main(["train", "--output-dir", run, "--resume", "--train.max-steps", "3"]) == 0
    assert "from step 2" in capsys.readouterr().out


def test_stages_are_reused_and_rebuilt_when_a_setting_before_them_changes(capsys, tmp_path):
    run = ["--output-dir", str(tmp_path / "run")]
    assert main(["blocks", *run, *QUICK]) == 0
    assert "corpus: built" in capsys.readouterr().out
    assert main(["blocks", *run, *QUICK]) == 0
    out = capsys.readouterr().out
    assert all(f"{stage}: reused" in out for stage in ("corpus", "tokenizer", "blocks"))
    assert main(["blocks", *run, *QUICK, "--tokenizer.vocab-size", "410"]) == 0
    out = capsys.readouterr().out
    assert "corpus: reused" in out
    assert "tokenizer: built" in out
    assert "blocks: built" in out


def test_a_corpus_is_reported_and_measured_once(capsys, tmp_path):
    run = tmp_path / "run"
    command = ["corpus", "--report", "--output-dir", str(run)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "survey: measured" in out
    assert re.search(r"leakage: \d+\.\d\d% by groups, \d+\.\d\d% at random", out)
    assert "of definitions: " in out
    assert "longest stretch that train holds too: " in out
    assert f"page: {run / 'corpus.html'}" in out
    page = (run / "corpus.html").read_bytes()
    (run / "corpus.html").unlink()
    assert main(command) == 0
    assert "survey: reused" in capsys.readouterr().out
    assert (run / "corpus.html").read_bytes() == page
    assert main([*command, "--corpus.seed", "1"]) == 0
    assert "survey: measured" in capsys.readouterr().out
    assert {path.name for path in run.iterdir()} == {"corpus", "survey", "corpus.html"}


def test_evaluate_and_generate_want_a_run(refused, tmp_path):
    assert "no run" in refused("evaluate", tmp_path)
    assert "no run" in refused("generate", tmp_path, "--prompt", "文")
    assert "--prompt" in refused("generate", tmp_path)


def test_evaluate_and_generate_read_a_run(capsys, tmp_path):
    run = str(tmp_path / "run")
    assert main(["train", "--output-dir", run, *QUICK]) == 0
    capsys.readouterr()
    assert main(["evaluate", run, "--suite", "bits"]) == 0
    out = capsys.readouterr().out
    assert "validation" in out
    assert "test" in out
    assert "character_5gram" in out

    prompts = tmp_path / "prompts.txt"
    prompts.write_text("水\n火\n", encoding="utf-8")
    sheet = tmp_path / "sheet.csv"
    options = ["--max-new-tokens", "5", "--temperature", "0"]
    assert main(["generate", run, "--prompts", str(prompts), "--output", str(sheet), *options]) == 0
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["prompt", "水\u3000", "火\u3000"]
    assert rows[1][1].startswith("水\u3000")
    capsys.readouterr()
    assert main(["generate", run, "--prompt", "水", *options]) == 0
    assert capsys.readouterr().out.strip() == rows[1][1].strip()


def test_presets_are_listed_with_their_exact_parameter_counts(capsys):
    assert main(["presets"]) == 0
    out = capsys.readouterr().out
    for name in ("quickstart", "student", "llama2c-15m", "llama2c-110m", "hub-synthesize"):
        assert name in out
    assert "9,807,264" in out
    assert "~31 min" in out  # hub on a T4


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; from hf_zh_dict.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "--train.learning-rate" in done.stdout
    assert time.monotonic() - began < 5
