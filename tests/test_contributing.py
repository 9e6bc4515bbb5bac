"""CONTRIBUTING's recipes work: each is followed to the letter in a copy of the package, and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECTION = re.compile(r"^## .*? A (\w+)$(.*?)(?=^## |\Z)", re.M | re.S)
RECIPE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.M | re.S)
RECIPES = {
    title: RECIPE.findall(text)
    for title, text in SECTION.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
}
SMALL = [
    "--tokenizer.vocab-size=300", "--blocks.block-size=64", "--model.hidden-size=16",
    "--model.num-hidden-layers=1", "--model.num-attention-heads=2", "--train.max-steps=2",
    "--train.num-samples=1", "--train.max-eval-documents=4", "--train.use-cpu=true",
]  # fmt: skip


def apply(diff, text):
    """The text with the diff's lines added and removed; the lines around them must be there."""
    lines, place = text.split("\n"), 0
    for line in diff.splitlines():
        kind, content = line[0], line[1:]
        if kind == "+":
            lines.insert(place, content)
            place += 1
        else:
            place = lines.index(content, place)
            if kind == "-":
                del lines[place]
            else:
                place += 1
    return "\n".join(lines)


@pytest.fixture
def follow(tmp_path):
    """Follows a recipe in a copy of the package; returns what runs a command with that copy."""

    def follow(title):
        copy = tmp_path / "copy"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "hf_zh_dict", copy / "hf_zh_dict", ignore=ignored)
        for kind, name, content in RECIPES[title]:
            file = copy / name
            assert file.exists() == (kind == "diff"), file
            text = apply(content, file.read_text(encoding="utf-8")) if kind == "diff" else content
            file.write_text(text, encoding="utf-8", newline="\n")
        environment = {**os.environ, "PYTHONPATH": str(copy)}

        def run(*words):
            done = subprocess.run(
                [sys.executable, "-m", "hf_zh_dict", *map(str, words)], cwd=tmp_path,
                env=environment, capture_output=True, text=True, encoding="utf-8", timeout=200,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-3000:]
            return done.stdout

        return run

    return follow


@pytest.mark.parametrize("title", ["preset", "dictionary", "source", "suite"])
def test_a_recipe_is_short_and_in_the_style_of_the_house(title, tmp_path):
    assert sum(len(content.splitlines()) for _kind, _name, content in RECIPES[title]) < 60
    for kind, name, content in RECIPES[title]:
        if kind == "python":
            (tmp_path / Path(name).name).write_text(content, encoding="utf-8")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run(
            [*ruff, str(tmp_path)], capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout


def test_a_preset_is_added(follow):
    run = follow("preset")
    assert "pocket: 最小的模型" in run("presets")
    assert "parameters" in run("plan", "--preset", "pocket", "--steps", "1")


def test_a_dictionary_is_added(follow, tmp_path):
    run = follow("dictionary")
    rows = [["用語", "怎麼讀", "意思", "也可以說"]]
    rows += [[f"詞{chr(0x4E00 + n)}", "ㄘˊ　ㄧ", f"1.第{n}個意思。", ""] for n in range(200)]
    table = "\n".join(",".join(row) for row in rows)
    (tmp_path / "campus.csv").write_text(table, encoding="utf-8")
    out = run("corpus", "--corpus.source", "spreadsheets", "--corpus.files", "campus.csv")
    assert "dropped: 0" in out
    assert "100.00% of them read back by the parser" in out


def test_a_source_is_added(follow, tmp_path):
    run = follow("source")
    lines = [json.dumps({"text": f"詞{chr(0x4E00 + n)}　第{n}個意思。"}) for n in range(200)]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines), encoding="utf-8")
    out = run("corpus", "--corpus.source", "jsonl", "--corpus.files", "mine.jsonl")
    assert "train 160 documents" in out


def test_a_suite_is_added(follow, tmp_path):
    run = follow("suite")
    run("train", "--output-dir", "run", *SMALL)
    out = run("evaluate", "run", "--suite", "length")
    assert "written" in out
    report = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))
    measure = report["suites"]["length"]["dictionary"]["characters"]
    assert measure["low"] < measure["value"] < measure["high"]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "characters" in page
    assert "length" in page
