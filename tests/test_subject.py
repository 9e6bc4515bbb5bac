"""A subject reads a corpus, knows itself again by its weights, and goes back to its checkpoints."""

import dataclasses
import shutil

import torch
from safetensors.torch import save_file

from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.paths import RunPaths


def make_subject(model, tokenizer, root):
    return Subject("甲", model, tokenizer, RunPaths(root), root / "evaluation")


def test_rows_are_those_of_the_corpus(tiny_model, tokenizer, make_run):
    subject = make_subject(tiny_model, tokenizer, make_run())
    rows = subject.read_rows("test", ["text", "headword"])
    assert len(rows) > 20
    assert all(row["text"].startswith(row["headword"]) for row in rows)
    assert subject.context_length == 32


def test_a_corpus_without_its_stage_is_known_by_its_files(tiny_model, tokenizer, make_run):
    run = make_run()
    staged = make_subject(tiny_model, tokenizer, run)
    assert staged.corpus_fingerprint == "0123abcd"
    (run / "corpus" / "stage.json").unlink()
    bare = make_subject(tiny_model, tokenizer, run).corpus_fingerprint
    elsewhere = dataclasses.replace(staged, paths=RunPaths(run / "none", run / "corpus"))
    assert elsewhere.corpus_fingerprint == bare != "0123abcd"
    shutil.copyfile(run / "corpus/test.parquet", run / "corpus/validation.parquet")
    assert make_subject(tiny_model, tokenizer, run).corpus_fingerprint != bare


def test_weights_make_the_fingerprint(tiny_model, tokenizer, tmp_path):
    before = make_subject(tiny_model, tokenizer, tmp_path).weights_fingerprint
    assert make_subject(tiny_model, tokenizer, tmp_path).weights_fingerprint == before
    with torch.no_grad():
        tiny_model.model.norm.weight[0] += 1
    assert make_subject(tiny_model, tokenizer, tmp_path).weights_fingerprint != before


def test_a_checkpoint_has_its_own_weights(tiny_model, tokenizer, tmp_path):
    subject = make_subject(tiny_model, tokenizer, tmp_path)
    weights = {name: tensor + 1 for name, tensor in tiny_model.named_parameters()}
    subject.paths.checkpoint(3).mkdir(parents=True)
    save_file(weights, subject.paths.checkpoint(3) / "model.safetensors")
    then = subject.at_checkpoint(3)
    for name, tensor in then.model.named_parameters():
        torch.testing.assert_close(tensor, weights[name])
    assert then.weights_fingerprint != subject.weights_fingerprint
    assert then.name == "甲@3"
