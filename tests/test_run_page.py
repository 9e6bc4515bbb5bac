"""The page tells everything that a run folder holds, says what it lacks, and needs nothing else."""

import dataclasses
import json

import pytest
from test_corpus_page import read

from hf_zh_dict.cli import main
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.run_facts import RunFacts, read_run_facts
from hf_zh_dict.sharing.run_page import (
    characters_per_token,
    choose_samples,
    draw_run_page,
    list_changed,
    write_run_page,
)

SECTIONS = ["data", "tokenizer", "model", "training", "evaluation", "samples", "settings",
            "environment"]  # fmt: skip
BAD = '<script>alert("水")</script>'
NAN = float("nan")


def measure(value, **more):
    return {"value": value, "count": 12, **more}


EVALUATION = {
    "model": "/home/someone/run/model",
    "versions": {"torch": "2.13.0"},
    "suites": {
        "bits": {"test": {
            "bits_per_char": measure(4.321, low=4.2, high=4.5), "character_5gram": measure(5.149),
        }},
        "samples": {"headword": {"parses": measure(0.875)}, "samples": {"headword": ["茶壺　泡茶的器具。"]}},
        "riddles": {"test": {"solved": measure(0.25, chance=0.125), "tries": measure(7.5)}},
    },
}  # fmt: skip
FACTS = RunFacts(
    name="student",
    corpus={
        "source": "embedded", "recipe": "plain", "seed": 0, "fingerprint": "0123456789abcdef0123",
        "inputs": [{"name": "mini.csv", "dictionary": "mini"}],
        "splits": {name: {"documents": 834, "groups": 654, "characters": 15000}
                   for name in ("train", "validation", "test")},
        "strata": {"dictionary": {"mini": {"train": 834, "validation": 20, "test": 20}}},
    },
    survey={"leakage": {"groups": {"share": 0.005}, "random": {"share": 0.0316}}},
    tokenizer={"vocab_size": 8192, "pretrained": ""},
    tokenizer_report={"tokenizer": {"fields": {"definition": 1.625}, "round_trip": 1.0},
                      "sentencepiece": {"fields": {"definition": 1.375}}},
    blocks={"block_size": 256, "documents": 834, "tokens": 11668, "targets": 10834, "blocks": 43,
            "padding": 0.016},
    baselines={"character_5gram": 5.149, "character_bigram": 6.162},
    settings={"corpus": {"files": ["a.xlsx"]}, "train": {"max_steps": 4, "learning_rate": 0.01}},
    shape={"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 6,
           "num_key_value_heads": 3, "vocab_size": 8192},
    parameters=4229568,
    metrics=[
        {"step": 0, "validation_bits_per_char": 9.04, "validation_loss": 9.058,
         "validation_perplexity": 8591.11, "tokens": 0, "seconds": 0.0},
        {"step": 2, "loss": 7.5, "learning_rate": 0.01, "tokens_per_second": 9453.9,
         "memory_gigabytes": 2.58, "seconds": 60.0},
        {"step": 3, "skipped": "loss", "documents": [3]},
        {"step": 4, "validation_bits_per_char": 5.0133, "validation_loss": 5.02,
         "validation_perplexity": 151.9, "tokens": 2618841, "seconds": 304.2},
    ],
    samples=[{"step": step, "prompt": "柔　", "text": f"柔　第{step}次。\x02", "parses": True}
             for step in range(5)],
    environment=[
        {"step": step, "started": "2026-01-02T03:04:05+00:00", "device": "cuda", "gpu": "Card 9",
         "gpu_memory_gigabytes": 24.0, "processor": "Chip", "cores": 8, "threads": 4, "processes": 2,
         "memory_gigabytes": 64.0, "precision": "bf16", "system": "Linux",
         "versions": {"torch": "2.13.0"}}
        for step in (0, 2)
    ],
    checkpoints=[2, 4],
    evaluation=EVALUATION,
)  # fmt: skip
COMMANDS = {  # what is taken away → the command that adds it
    "corpus": "hf-zh-dict corpus --output-dir RUN",
    "survey": "hf-zh-dict corpus --report",
    "tokenizer": "hf-zh-dict tokenizer --output-dir RUN",
    "tokenizer_report": "hf-zh-dict tokenizer --report",
    "blocks": "hf-zh-dict blocks",
    "shape": "hf-zh-dict train --output-dir RUN --config",
    "metrics": "hf-zh-dict train --output-dir RUN --config",
    "baselines": "hf-zh-dict evaluate RUN --suite bits",
    "evaluation": "hf-zh-dict evaluate RUN",
    "samples": "--train.num-samples 2",
    "environment": "hf-zh-dict train --output-dir RUN --resume",
}


@pytest.fixture(scope="module")
def page():
    return draw_run_page(FACTS)


def look(page):
    """The page's tags and text; it is well-formed."""
    return read(page.replace("<br>", ""))


def without(**changed):
    return dataclasses.replace(FACTS, **changed)


def test_every_section_is_there_and_can_be_reached(page):
    tags = look(page).tags
    assert [item["id"] for tag, item in tags if tag == "h2"] == SECTIONS
    assert [item["href"] for tag, item in tags if tag == "a"] == [f"#{name}" for name in SECTIONS]


def test_the_page_needs_nothing_from_outside(page):
    for tag, attributes in look(page).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed"}
        assert not {"src", "srcset", "data", "xlink:href", "style"} & set(attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in page


def test_the_page_says_what_the_run_holds(page):
    text = look(page).text
    for fact in (
        "一個 4,229,568 個參數的小型 Llama，在「hf_zh_dict 內建辭典」上從頭訓練，練了 4 步。",
        "每字位元數，測試 bits per character, test4.321",
        "個 token 練過 tokens seen2,618,841", "訓練時間 time5 分 4 秒", "0123456789abcdef",
        "個字元一個 token characters per token1.500", "填充 padding1.6\xa0%", "192 × 6",
        "6，key-value 3", "0.50\xa0% 也在訓練集裡；隨機切分會有 3.16\xa0%",
        "驗證最好的一次在第 4 步：每字 5.013 位元", "開始 2 次，接續於第 2 步", "跳過 1 步", "第 3 步",
        "字元 5-gram 5.149", "檢查點 checkpoints：2、4", "8,591.1", "剖析得出",
        "茶壺　泡茶的器具。", "第 4 步，剖析得出柔　第4次。\ufffd", "0.250機會 0.125", "7.500",
        "train.learning_rate0.01", "corpus:\n  files:\n  - a.xlsx\n",
        "每秒 9,454 token", "memory used2.6 GB", "cuda：Card 9（24.0 GB），2 個行程", "Chip；8 核", "2026-01-02T03:04:05+00:00（第 2 步）",
        "評量時的版本 versions at evaluation：torch 2.13.0",
    ):  # fmt: skip
        assert fact in text
    assert "missing" not in page.split("</style>")[1]
    assert "someone" not in page


def test_a_suite_that_is_not_known_appears_by_itself(page):
    assert '<span lang="en">riddles</span>' in page
    assert page.count('class="chance"') == 1
    assert page.count('class="range"') == 1


@pytest.mark.parametrize("taken", COMMANDS)
def test_what_is_missing_is_said_with_the_command_that_adds_it(taken):
    empty = type(getattr(FACTS, taken))()
    page = draw_run_page(without(**{taken: empty}))
    missing = [line for line in page.splitlines() if line.startswith('<p class="note missing">')]
    assert any(COMMANDS[taken] in line for line in missing)
    for nothing in ("None", "Undefined", "nan"):
        assert nothing not in look(page).text


def test_a_run_of_which_nothing_is_known_has_a_page():
    text = look(draw_run_page(RunFacts("empty"))).text
    assert "還沒有訓練過" in text
    assert "這個資料夾裡沒有 config.yaml" in text
    assert text.count("未記錄") == 4 + 3  # figures; time, speed, memory


def test_a_run_in_training_is_said_to_be_unfinished(page):
    going = draw_run_page(without(metrics=FACTS.metrics[:2]))
    assert "到了第 2 步，還沒練完" in going
    assert "hf-zh-dict train --output-dir RUN --resume" in going
    assert "還沒練完" not in page


def test_a_run_that_stopped_early_says_so():
    last = FACTS.metrics[-1] | {"step": 3, "stopped_early": True}
    page = draw_run_page(without(metrics=[*FACTS.metrics[:-1], last]))
    assert "驗證不再進步，提早停在第 3 步" in page
    assert "還沒練完" not in page


def test_rows_that_are_no_numbers_are_told_and_not_drawn():
    blown = {"step": 6, "validation_bits_per_char": NAN, "validation_loss": NAN, "seconds": 400.0}
    page = draw_run_page(without(metrics=[*FACTS.metrics, blown]))
    assert "不是有限的數" in page
    assert "nan" not in page
    only = draw_run_page(without(metrics=[blown]))
    assert "還沒有一次驗證得到數字" in only


def test_all_text_is_escaped():
    evaluation = {"suites": {BAD: {BAD: {BAD: measure(0.5, chance=0.1)}, "samples": {BAD: [BAD]}}}}
    facts = without(
        name=BAD,
        corpus=FACTS.corpus | {"source": "hub", "repo_id": BAD, "fingerprint": BAD},
        tokenizer={"pretrained": BAD},
        settings={"corpus": {"repo_id": BAD}},
        samples=[{"step": 0, "prompt": BAD, "text": BAD}],
        environment=[{"step": 0, "device": BAD, "versions": {BAD: BAD}}],
        evaluation=evaluation,
    )
    checker = look(draw_run_page(facts))
    assert "script" not in {tag for tag, _attributes in checker.tags}
    assert checker.text.count(BAD) >= 12


def test_the_ministrys_dictionaries_are_named():
    corpus = FACTS.corpus | {"source": "spreadsheets"}
    page = draw_run_page(without(corpus=corpus))
    assert "《國語小字典》（版本編號：未記錄）" in page
    assert "CC BY-ND 3.0 TW" in page


def test_samples_are_of_steps_from_the_first_to_the_last():
    rows = [{"step": step, "prompt": name, "text": "水" * 200}
            for step in range(0, 110, 10) for name in "甲乙"]  # fmt: skip
    one, other = choose_samples(rows)
    assert (one["prompt"], other["prompt"]) == ("甲", "乙")
    assert [item["step"] for item in one["texts"]] == [0, 20, 40, 60, 80, 100]
    assert one["texts"][0]["text"] == "水" * 160 + "……"
    assert choose_samples([]) == []


def test_only_settings_that_differ_are_listed():
    settings = {"corpus": {"files": ["a.xlsx", "b.xlsx"], "seed": 0}, "model": {"dropout": 0.25}}
    assert list_changed(settings) == [
        ("corpus.files", "a.xlsx b.xlsx", "–"), ("model.dropout", "0.25", "0"),
    ]  # fmt: skip
    assert list_changed({}) == []


def test_characters_are_counted_without_the_signs_around_documents():
    assert characters_per_token(FACTS) == 1.5
    assert characters_per_token(without(blocks={})) is None


def test_the_command_draws_the_page_from_the_folder_alone(tmp_path, capsys):
    paths = RunPaths(tmp_path / "run")
    paths.root.mkdir()
    rows = "".join(json.dumps(row) + "\n" for row in FACTS.metrics)
    paths.metrics.write_text(rows, encoding="utf-8")
    assert main(["report", str(paths.root)]) == 0
    assert f"page: {paths.report}" in capsys.readouterr().out
    page = paths.report.read_text(encoding="utf-8")
    assert "<title>run</title>" in page
    assert page == draw_run_page(read_run_facts(paths))
    assert write_run_page(paths) == paths.report
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "is no run folder" in capsys.readouterr().err
