"""Models of one corpus are compared document by document; of two corpora they are not."""

import copy
import json

import pytest
import torch

from hf_zh_dict.commands.compare import format_difference, tabulate
from hf_zh_dict.evaluation.comparison import Contender, compare
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.suites import bits
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import save_model
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.judging import run_comparison, split_step
from hf_zh_dict.settings import save_config


def ignore(_line):
    pass


@pytest.fixture
def run_folder(make_run, tiny_config, tiny_model, tokenizer, tokenizer_folder):
    """A run with a corpus and a model, at step 4 of its metrics."""
    paths = RunPaths(make_run())
    save_config(tiny_config, paths.config)
    save_model(tiny_model, tokenizer, tokenizer_folder, paths.model)
    rows = [
        {"step": 4, "validation_bits_per_char": 5.0, "seconds": 1800.0},
        {"step": 8, "validation_bits_per_char": 6.0, "seconds": 3600.0},
    ]
    paths.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return paths


@pytest.fixture
def changed(tiny_model):
    model = copy.deepcopy(tiny_model)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def test_the_difference_is_that_of_the_documents(run_folder, tiny_model, changed, tokenizer):
    folder = run_folder.root / "files"
    contenders = [
        Contender(name, Subject(name, model, tokenizer, run_folder, folder=folder))
        for name, model in (("one", tiny_model), ("other", changed))
    ]
    first, second = compare(contenders)["models"]
    difference = second["test"]["difference"]
    own = second["test"]["bits_per_char"]
    assert difference["value"] == pytest.approx(
        own["value"] - first["test"]["bits_per_char"]["value"]
    )
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert {first["test"]["difference"][name] for name in ("value", "low", "high")} == {0}


def test_what_an_evaluation_kept_is_used(run_folder, tiny_model, changed, tokenizer):
    subject = Subject(
        "one", tiny_model, tokenizer, run_folder, folder=run_folder.root / "evaluation"
    )
    results = bits.run(subject)
    report = {
        "weights": subject.weights_fingerprint, "corpus": subject.corpus_fingerprint,
        "suites": {"bits": results},
    }  # fmt: skip
    run_folder.evaluation.write_text(json.dumps(report), encoding="utf-8")
    said = []
    for model, lines in ((tiny_model, []), (changed, ["compare: one is scored"])):
        asked = Subject("one", model, tokenizer, run_folder, folder=subject.folder, say=said.append)
        found = Contender("one", asked).read_documents()
        assert said == lines
        if not lines:
            kept = found["test"]["bits"].sum() / found["test"]["num_chars"].sum()
            assert kept == pytest.approx(results["test"]["bits_per_char"]["value"])


def test_other_corpora_are_refused(run_folder, make_run, tiny_model, tokenizer):
    other = RunPaths(make_run("other", fingerprint="another"))
    contenders = [
        Contender(name, Subject(name, tiny_model, tokenizer, paths, folder=paths.root))
        for name, paths in (("one", run_folder), ("two", other))
    ]
    with pytest.raises(InputError, match="one and two have different corpora"):
        compare(contenders)


def test_a_run_and_a_model_of_no_run_give_a_table_and_a_picture(
    run_folder, changed, tokenizer, tokenizer_folder, tmp_path
):
    save_model(changed, tokenizer, tokenizer_folder, tmp_path / "model")
    names = [str(run_folder.root), str(tmp_path / "model")]
    comparison, files = run_comparison(names, ignore, corpus=None, output=tmp_path / "found")
    assert json.loads(files[0].read_text(encoding="utf-8")) == comparison
    assert files[1].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    run, model = comparison["models"]
    assert (run["step"], run["hours"]) == (4, 0.5)
    assert "step" not in model
    assert tabulate(comparison).row_count == 2


def test_a_checkpoint_that_is_not_there_is_told(run_folder):
    name = str(run_folder.root)
    with pytest.raises(InputError, match=r"no checkpoint of step 7; there are –"):
        run_comparison([name, f"{name}@7"], ignore, corpus=None, output=run_folder.root)


def test_names_and_steps():
    assert split_step("runs/student@500") == ("runs/student", 500)
    assert split_step("runs/a@b") == ("runs/a@b", None)


def test_a_difference_that_is_none_has_no_star():
    assert (
        format_difference({"value": -0.1, "low": -0.2, "high": 0.1}) == "-0.100 (-0.200 … +0.100)"
    )
    assert format_difference({"value": 0.1, "low": 0.05, "high": 0.2}).endswith("*")
