"""A model that has its training entries by heart is told from one that has not."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import save_file

from hf_zh_dict.evaluation.suites import memory
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.loss import LanguageModelLoss


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(memory, "ENTRIES", 3)
    monkeypatch.setattr(memory, "PREFIXES", (8, 16))
    monkeypatch.setattr(memory, "BY_CHECKPOINT", 16)
    monkeypatch.setattr(memory, "CONTINUED", 8)


def learn(subject, entries):
    """Train until the entries are known by heart."""
    ids = torch.tensor([ids[:25] for ids, _group in entries])
    loss = LanguageModelLoss(subject.model.train())
    optimizer = torch.optim.Adam(subject.model.parameters(), lr=0.02)
    for _step in range(150):
        optimizer.zero_grad()
        loss(ids[:, :-1], ids[:, 1:].contiguous()).backward()
        optimizer.step()
    subject.model.eval()


def test_what_is_known_by_heart_is_found(subject):
    before = {name: tensor.clone() for name, tensor in subject.model.named_parameters()}
    folder = subject.paths.checkpoint(7)
    folder.mkdir(parents=True)
    save_file(before, folder / "model.safetensors")
    (folder / "state.json").write_text(json.dumps({"state": {"epoch": 2}}))
    learn(subject, memory.choose_entries(subject, ["train"]))

    results = memory.run(dataclasses.replace(subject, checkpoints=(7,)))
    json.dumps(results, allow_nan=False)
    assert set(results["train"]) == {"8", "16", "16, step 7, epoch 2"}
    assert results["train"]["16"]["exact_continuation"]["value"] == 1
    assert results["train"]["16, step 7, epoch 2"]["exact_continuation"]["value"] == 0
    assert results["held-out"]["16"]["exact_continuation"]["value"] == 0
    copies = [results[side]["16"]["longest_copy"]["value"] for side in ("train", "held-out")]
    assert copies[0] > copies[1]


def test_entries_are_long_enough_and_of_their_split(subject):
    for splits in (["train"], ["validation", "test"]):
        entries = memory.choose_entries(subject, splits)
        assert len(entries) == 3
        assert memory.choose_entries(subject, splits) == entries
        texts = {row["text"] for split in splits for row in subject.read_rows(split, ["text"])}
        for ids, _group in entries:
            assert len(ids) > 16 + 8
            assert subject.tokenizer.decode(ids[1:]) in texts


def test_a_short_context_and_short_entries_are_told(subject, monkeypatch):
    monkeypatch.setattr(memory, "PREFIXES", (16, 10**6))
    with pytest.raises(InputError, match="no entry of train has 1000008 tokens"):
        memory.run(subject)
    subject.model.config.max_position_embeddings = 20
    with pytest.raises(InputError, match="context of 20 tokens is too short"):
        memory.run(subject)
