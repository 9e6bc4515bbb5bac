"""The report keeps what is still true of the same weights and corpus, and nothing else."""

import dataclasses
import json

import pytest
import torch

from hf_zh_dict.evaluation import results, suites
from hf_zh_dict.evaluation.results import add_judgement, run_suites
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths


class Fixed:
    """A suite that finds one number, or cannot be run."""

    def __init__(self, value):
        self.value = value

    def run(self, subject):
        if self.value is None:
            raise InputError("nothing to measure")
        return {"test": {"number": {"value": self.value, "count": 1}}}


@pytest.fixture
def subject(tiny_model, tokenizer, make_run):
    run = make_run()
    return Subject("甲", tiny_model, tokenizer, RunPaths(run), run / "evaluation")


@pytest.fixture
def known(monkeypatch):
    """Suites one, two and none."""
    fixed = {"one": Fixed(1.0), "two": Fixed(2.0), "none": Fixed(None)}
    monkeypatch.setattr(results, "load_suite", fixed.__getitem__)
    return fixed


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_suite_leaves_the_others_results(subject, known, tmp_path):
    output = tmp_path / "evaluation.json"
    run_suites(subject, ["one"], output, all_must_run=True)
    known["one"].value = 5.0
    report = run_suites(subject, ["two"], output, all_must_run=True)
    assert report == read(output)
    assert [report["suites"][n]["test"]["number"]["value"] for n in ("one", "two")] == [1.0, 2.0]
    assert report["model"] == "甲"
    assert report["corpus"] == "0123abcd"
    assert set(report["versions"]) > {"torch", "python", "hf-zh-dict"}


def test_other_weights_begin_a_new_report(subject, known, tmp_path):
    output = tmp_path / "evaluation.json"
    run_suites(subject, ["one"], output, all_must_run=True)
    with torch.no_grad():
        subject.model.model.norm.weight[0] += 1
    changed = dataclasses.replace(subject)
    assert set(run_suites(changed, ["two"], output, all_must_run=True)["suites"]) == {"two"}


def test_a_report_of_an_older_form_is_replaced(subject, known, tmp_path):
    output = tmp_path / "evaluation.json"
    output.write_text('{"model": "甲", "splits": {}}', encoding="utf-8")
    assert set(run_suites(subject, ["one"], output, all_must_run=True)["suites"]) == {"one"}


def test_a_suite_that_cannot_be_run_is_told(subject, known, tmp_path):
    said = []
    talking = dataclasses.replace(subject, say=said.append)
    report = run_suites(talking, ["none", "one"], tmp_path / "e.json", all_must_run=False)
    assert set(report["suites"]) == {"one"}
    assert any("none is left out: nothing to measure" in line for line in said)
    with pytest.raises(InputError, match="nothing to measure"):
        run_suites(talking, ["none"], tmp_path / "e.json", all_must_run=True)


def test_a_judgement_needs_continuations(tmp_path):
    with pytest.raises(InputError, match="no continuations to judge"):
        add_judgement(tmp_path / "evaluation.json", tmp_path / "judged.csv")


def test_every_suite_is_registered_under_a_module_of_its_name():
    for name, module in suites.SUITES.items():
        assert module == f"hf_zh_dict.evaluation.suites.{name}"
