"""A run folder is read as it stands: whole, half trained, resumed, or empty."""

import json

import pytest
from safetensors.numpy import save_file

from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.run_facts import RunFacts, count_stored, read_run_facts

ROWS = [
    {"step": 0, "validation_bits_per_char": 9.0, "validation_loss": 8.0, "tokens": 0, "seconds": 0.0},
    {"step": 1, "loss": 6.0, "seconds": 30.0},
    {"step": 2, "validation_bits_per_char": 5.5, "validation_loss": 5.0, "tokens": 700, "seconds": 90.0},
    {"step": 3, "skipped": "loss", "documents": [1]},
    {"step": 4, "validation_bits_per_char": float("nan"), "validation_loss": float("nan"),
     "tokens": 1400, "seconds": 180.0},
]  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A run folder of which everything is there but corpus and blocks."""
    import numpy as np

    paths = RunPaths(tmp_path / "student")
    for folder in (paths.model, paths.tokenizer, paths.checkpoint(2), paths.checkpoint(4)):
        folder.mkdir(parents=True)
    save_file({"embed": np.zeros((300, 16)), "norm": np.zeros(16)}, paths.model / "model.safetensors")  # fmt: skip
    (paths.model / "config.json").write_text('{"hidden_size": 16}', encoding="utf-8")
    (paths.tokenizer / "stage.json").write_text('{"vocab_size": 300}', encoding="utf-8")
    paths.metrics.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    starts = [{"step": 0, "device": "cpu"}, {"step": 2, "device": "cpu"}, {"step": 2, "device": "cuda"}]  # fmt: skip
    paths.environment.write_text("".join(json.dumps(r) + "\n" for r in starts), encoding="utf-8")
    paths.config.write_text(
        "corpus: {files: [/home/someone/a.xlsx]}\ntrain: {max_steps: 8}\n", encoding="utf-8"
    )
    return paths


def test_everything_that_is_there_is_read(run):
    facts = read_run_facts(run)
    assert (facts.name, facts.parameters) == ("student", 4816)
    assert facts.shape == {"hidden_size": 16}
    assert facts.tokenizer == {"vocab_size": 300}
    assert facts.checkpoints == [2, 4]
    assert [row["device"] for row in facts.environment] == ["cpu", "cuda"]
    assert (facts.corpus, facts.survey, facts.blocks, facts.evaluation) == ({}, {}, {}, {})
    assert (facts.step, facts.max_steps, facts.seconds, facts.tokens) == (4, 8, 180.0, 1400)
    assert facts.best["step"] == 2
    assert [row["step"] for row in facts.evaluations] == [0, 2, 4]
    assert [row["step"] for row in facts.training] == [1]
    assert [row["step"] for row in facts.skipped] == [3]


def test_files_are_named_without_where_they_lay(run):
    assert read_run_facts(run).settings["corpus"]["files"] == ["a.xlsx"]


def test_a_run_is_finished_at_its_last_step_or_stopped_early():
    settings = {"train": {"max_steps": 8}}
    early = [*ROWS, {"step": 6, "validation_bits_per_char": 6.0, "stopped_early": True}]
    last = [*ROWS, {"step": 8, "validation_bits_per_char": 5.0}]
    assert not RunFacts("a", settings=settings, metrics=ROWS).finished
    assert not RunFacts("a", settings=settings, metrics=[*ROWS, {"step": 8, "loss": 1.0}]).finished
    stopped = RunFacts("a", settings=settings, metrics=early)
    assert (stopped.finished, stopped.stopped_early) == (True, True)
    whole = RunFacts("a", settings=settings, metrics=last)
    assert (whole.finished, whole.stopped_early) == (True, False)
    assert not RunFacts("a", metrics=ROWS).finished


def test_what_is_no_run_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="nothing: is no run folder; train one"):
        read_run_facts(RunPaths(tmp_path / "nothing"))
    RunPaths(tmp_path).config.write_text("a: [", encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.yaml: while parsing"):
        read_run_facts(RunPaths(tmp_path))


def test_weights_that_are_not_there_or_none_have_no_parameters(tmp_path):
    assert count_stored(tmp_path / "model.safetensors") is None
    (tmp_path / "broken.safetensors").write_bytes(b"not safetensors")
    assert count_stored(tmp_path / "broken.safetensors") is None


def test_a_folder_with_metrics_alone_is_a_run(tmp_path):
    RunPaths(tmp_path).metrics.write_text('{"step": 1, "loss": 2.0}\n{"st', encoding="utf-8")
    facts = read_run_facts(RunPaths(tmp_path))
    assert (facts.step, facts.best, facts.tokens, facts.seconds) == (1, {}, None, None)
