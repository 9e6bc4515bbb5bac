"""Long entries are chosen by rule, cut where the protocol says, and too few of them is said."""

import json

import pytest

from hf_zh_dict.evaluation.judging import KEY, PAGE, SHEET
from hf_zh_dict.evaluation.suites import continuation
from hf_zh_dict.messages import InputError


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(continuation, "WANTED", 2)
    monkeypatch.setattr(continuation, "WANTED_OF_REVISED", 3)
    monkeypatch.setattr(continuation, "CUTS", (220, 240))


def test_entries_are_long_of_each_dictionary_and_always_the_same(subject):
    entries, found = continuation.choose_entries(subject)
    assert continuation.choose_entries(subject)[0] == entries
    assert all(len(entry.ids) > 400 for entry in entries)
    assert set(found) == {"train", "held-out"}
    for names in found.values():
        assert set(names) == {"revised", "concised", "mini", "idioms"}
        for name, counts in names.items():
            assert counts["wanted"] == (3 if name == "revised" else 2)
            assert counts["taken"] == min(counts["wanted"], counts["long"])
    assert found["train"]["revised"]["taken"] == 3
    texts = [subject.tokenizer.decode(entry.ids) for entry in entries]
    train = {row["text"] for row in subject.read_rows("train", ["text"])}
    for entry, text in zip(entries, texts, strict=True):
        assert (text in train) == (entry.side == "train")


def test_results_hold_every_cut_and_way(subject):
    results = continuation.run(subject)
    json.dumps(results, allow_nan=False)
    for place in results["train"].values():
        assert set(place) == {"220 greedy", "240 greedy", "220 sampled", "240 sampled"}
        for measures in place.values():
            assert measures["exact_continuation"]["value"] == 0
            assert 0 <= measures["edit_similarity"]["value"] < 0.5
            assert set(measures) >= {
                "character_bleu",
                "chrf",
                "rouge_l",
                "distinct_2",
                "repetition",
            }
    for name in (SHEET, PAGE, KEY):
        assert (subject.folder / name).is_file()
    assert continuation.run(subject) == results


def test_the_true_continuation_has_as_many_tokens_as_there_is_room(subject):
    entries, _found = continuation.choose_entries(subject)
    item = continuation.make_item(subject, entries[0], 240, "greedy", entries[0].ids[240:255])
    assert item.truth == item.written
    whole = subject.tokenizer.decode(entries[0].ids)
    assert whole.startswith(item.prompt.rstrip("\ufffd"))


def test_too_few_long_entries_is_said():
    counts = {"wanted": 10, "long": 1, "taken": 1}
    full = {"wanted": 20, "long": 400, "taken": 20}
    results = {"entries": {"train": {"mini": counts, "revised": full}}}
    (sentence,) = continuation.describe(results)
    assert "國語小字典" in sentence
    assert "10 entries of more than 400 tokens were wanted, there are 1" in sentence


def test_no_long_entry_and_a_short_context_are_told(subject, monkeypatch):
    monkeypatch.setattr(continuation, "LONGER_THAN", 10**6)
    with pytest.raises(InputError, match="no entry is longer"):
        continuation.run(subject)
    subject.model.config.max_position_embeddings = 200
    with pytest.raises(InputError, match="context of 200 tokens is too short"):
        continuation.run(subject)
