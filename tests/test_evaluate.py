"""`evaluate` takes runs and bare models, shows measures as tables, and says what is wrong."""

import io
import json

import pytest
from rich.console import Console

from hf_zh_dict.cli import main
from hf_zh_dict.commands.evaluate import tabulate
from hf_zh_dict.evaluation.judging import KEY, Item, write_sheets
from hf_zh_dict.evaluation.suites import bits
from hf_zh_dict.model.llama import build_model, save_model

NUMBER = {"value": 0.5, "low": 0.25, "high": 0.75, "chance": 0.1, "count": 4}


@pytest.fixture
def model_folder(tiny_config, tokenizer, tokenizer_folder, tmp_path):
    folder = tmp_path / "model"
    save_model(build_model(tiny_config, tokenizer), tokenizer, tokenizer_folder, folder)
    return folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(bits, "measure_baselines", lambda *_arguments, **_options: {"xz": 6.0})
    monkeypatch.setattr(bits, "read_ngrams", lambda _folder: {})


def test_nested_measures_become_rows_and_columns():
    results = {
        "test": {"mini": {"one": NUMBER, "two": NUMBER}, "revised": {"one": NUMBER}},
        "entries": {"mini": {"wanted": 3}},
    }
    (table,) = tabulate("suite", results)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table)
    lines = console.export_text().splitlines()
    assert lines[0].split() == ["suite", "one", "two"]
    assert lines[1].split()[:2] == ["test", "mini"]
    assert lines[2].count("0.500") == 1


def test_a_bare_model_is_judged_by_a_corpus(capsys, model_folder, make_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus = make_run()
    assert main(["evaluate", str(model_folder), "--corpus", str(corpus), "--suite", "bits"]) == 0
    report = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert report["model"] == str(model_folder)
    assert report["suites"]["bits"]["test"]["bits_per_char"]["value"] > 5
    assert "bits_per_char" in capsys.readouterr().out
    named = ["--corpus", str(corpus / "corpus"), "--output", "own.json", "--suite", "bits"]
    assert main(["evaluate", str(model_folder), *named]) == 0
    assert (
        json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))["suites"]
        == report["suites"]
    )
    assert not (corpus / "evaluation.json").exists()


def test_what_is_wrong_is_told(capsys, model_folder, make_run, tmp_path):
    def refused(*argv):
        assert main(["evaluate", *map(str, argv)]) == 2
        return capsys.readouterr().err

    assert "name the corpus" in refused(model_folder)
    assert "no corpus with train" in refused(model_folder, "--corpus", tmp_path)
    wrong = refused(model_folder, "--corpus", make_run(), "--suite", "bits", "samplez")
    assert "no suite “samplez”; the suites are bits, " in wrong


def test_a_judged_sheet_is_read_into_the_report(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    items = [Item("train", "mini", f"{n}", 50, "sampled", f"{n}", "甲", "乙") for n in range(4)]
    write_sheets(tmp_path / "evaluation", items, seed=0)
    report = {"settings": {"seed": 0}, "suites": {"continuation": {"sheet": "…"}}}
    (tmp_path / "evaluation.json").write_text(json.dumps(report), encoding="utf-8")
    key = (tmp_path / "evaluation" / KEY).read_text(encoding="utf-8-sig").splitlines()[1:]
    answers = "".join(",".join(line.split(",")[:2]) + "\n" for line in key)
    (tmp_path / "judged.csv").write_text("item,better\n" + answers, encoding="utf-8")
    assert main(["evaluate", "--judged", "judged.csv", "--output", "evaluation.json"]) == 0
    assert "1.000" in capsys.readouterr().out
    report = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    judged = report["suites"]["continuation"]["judged"]
    assert judged["train"]["mini"]["preferred"] == judged["train"]["all"]["preferred"]
    assert judged["train"]["all"]["preferred"]["value"] == 1
