<<<<<<< HEAD
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
=======
"""Measures are found however deep they stand, and go to the Hub with interval and chance."""

from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from hf_zh_dict.sharing.results import Result, eval_results, find_bits, list_results

BITS = {"value": 4.99, "low": 4.9, "high": 5.1, "count": 1802}
EVALUATION = {
    "model": "somewhere",
    "suites": {
        "bits": {
            "validation": {"bits_per_char": {"value": 5.01}},
            "test": {"bits_per_char": BITS, "baselines": {"xz": {"value": 5.6}}, "note": "text"},
        },
        "dictionary": {"ranking": {"accuracy": {"value": 0.4, "chance": 0.1, "count": 500}}},
        "empty": {},
    },
}


def test_measures_are_found_wherever_they_stand():
    assert list_results(EVALUATION) == [
        Result(("bits", "validation", "bits_per_char"), 5.01),
        Result(("bits", "test", "bits_per_char"), 4.99, 4.9, 5.1, None, 1802),
        Result(("bits", "test", "baselines", "xz"), 5.6),
        Result(("dictionary", "ranking", "accuracy"), 0.4, None, None, 0.1, 500),
    ]
    assert list_results({}) == []


def test_bare_numbers_of_an_evaluation_of_bits_are_measures_too():
    splits = {"test": {"bits_per_char": 5.0, "documents": 30, "baselines": {"xz": 6.0}}}
    assert list_results({"splits": splits}) == [
        Result(("bits", "test", "bits_per_char"), 5.0, count=30),
        Result(("bits", "test", "baselines", "xz"), 6.0, count=30),
    ]


def test_the_models_bits_are_those_of_the_test_split():
    results = list_results(EVALUATION)
    assert find_bits(results) == results[1]
    assert find_bits(results[:1]) == results[0]
    assert find_bits([]) is None


def test_the_model_index_keeps_values_intervals_and_chance():
    results = eval_results(
        list_results(EVALUATION), dataset_type="a/b", dataset_name="字典", dataset_config="plain"
    )
    data = ModelCardData(model_name="m", eval_results=results)
    name, back = model_index_to_eval_results(data.to_dict()["model-index"])
    assert name == "m"
    by_name = {(result.metric_name, result.dataset_split): result for result in back}
    assert len(by_name) == 4
    bits = by_name["bits · bits_per_char", "test"]
    assert (bits.metric_type, bits.metric_value) == ("bits_per_char", 4.99)
    assert bits.metric_args == {"low": 4.9, "high": 5.1, "count": 1802}
    accuracy = by_name["dictionary · ranking · accuracy", None]
    assert accuracy.metric_args == {"chance": 0.1, "count": 500}
>>>>>>> 57216d5 (push: a run's model on the Hub, with a card made from its run folder; hub.push in training)
