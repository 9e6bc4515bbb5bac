"""What a model card may tell is what the run folder holds, and nothing of this machine."""

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import append_row
from hf_zh_dict.sharing.model_facts import (
    evaluation_bytes,
    read_model_facts,
    read_samples,
    read_training,
)


def test_nothing_that_is_attached_names_a_path_of_this_machine(make_model_run):
    paths = make_model_run()
    facts = read_model_facts(paths)
    assert facts.settings["corpus"]["files"] == ["a.xlsx"]
    assert "hub" not in facts.settings
    assert str(paths.root).encode() not in evaluation_bytes(facts)


def test_a_tokenizer_of_this_machine_is_named_without_its_path(make_model_run, tmp_path):
    paths = make_model_run()
    text = paths.config.read_text(encoding="utf-8")
    paths.config.write_text(
        f"{text}tokenizer:\n  pretrained: {tmp_path}\nmodel:\n  pretrained: owner/name\n",
        encoding="utf-8",
    )
    settings = read_model_facts(paths).settings
    assert settings["tokenizer"]["pretrained"] == tmp_path.name
    assert settings["model"]["pretrained"] == "owner/name"


def test_training_is_told_from_its_evaluations(make_model_run):
    assert read_training(make_model_run().metrics) == {
        "step": 4, "tokens": 1400, "seconds": 180.0, "stopped_early": False, "best_step": 2,
        "first_bits_per_char": 9.0, "best_bits_per_char": 5.5,
    }  # fmt: skip


def test_a_validation_that_is_no_number_is_never_the_best(make_model_run):
    metrics = make_model_run().metrics
    append_row(metrics, {"step": 6, "validation_bits_per_char": float("nan"), "tokens": 2100})
    training = read_training(metrics)
    assert (training["step"], training["best_step"], training["best_bits_per_char"]) == (6, 2, 5.5)


def test_what_is_not_there_is_empty(tmp_path):
    paths = RunPaths(tmp_path)
    assert read_training(paths.metrics) == {}
    assert read_samples(paths.samples) == []
