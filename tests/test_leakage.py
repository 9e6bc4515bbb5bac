"""Leakage is what comparing strings by hand gives, by field, beside a random split."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus import leakage
from hf_zh_dict.corpus.build import batch_of, corpus_features
from hf_zh_dict.corpus.leakage import (
    BETWEEN,
    PIECE,
    batches,
    fields_of_pieces,
    find_shared,
    hash_batch,
    hash_pieces,
    longest_shared,
    measure_leakage,
)
from hf_zh_dict.dictionaries.entry import Document, Span

texts = st.lists(st.text("山水風\U00020000", max_size=30), max_size=6)
some_texts = st.lists(st.text("山水風", max_size=30), min_size=1, max_size=6)
lengths = st.integers(1, 15)


def pieces_of(text, length):
    return [text[i : i + length] for i in range(len(text) - length + 1)]


def points_of(text):
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


@given(st.text("山水風\U00020000", max_size=60), lengths)
def test_hashes_tell_pieces_apart_as_strings_do(text, length):
    pieces = pieces_of(text, length)
    hashes = hash_pieces(points_of(text), length).tolist()
    assert len(hashes) == len(pieces)
    assert len(set(hashes)) == len(set(pieces)) == len(set(zip(hashes, pieces, strict=True)))


@given(texts, lengths)
def test_a_batch_has_the_pieces_inside_its_texts(some, length):
    hashes, owners = hash_batch(some, length)
    pieces = [(n, piece) for n, text in enumerate(some) for piece in pieces_of(text, length)]
    assert owners.tolist() == [n for n, _ in pieces]
    assert hashes.tolist() == [
        hash_pieces(points_of(piece), length).tolist()[0] for _, piece in pieces
    ]


@given(texts, texts, lengths, st.integers(1, 40))
def test_shared_pieces_are_those_that_train_holds(held, train, length, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leakage, "BATCH", size)
        found = [mask.tolist() for mask in find_shared(held, lambda: train, length)]
    known = {piece for text in train for piece in pieces_of(text, length)}
    assert found == [[piece in known for piece in pieces_of(text, length)] for text in held]


@given(some_texts, texts, st.integers(1, 40))
def test_the_longest_shared_stretch_is_the_longest(held, train, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leakage, "BATCH", size)
        found = longest_shared(held, lambda: train)
    longest = max(
        length
        for length in range(31)
        if {p for text in held for p in pieces_of(text, length)}
        & {p for text in train for p in pieces_of(text, length)}
        or length == 0
    )
    assert len(found) == longest
    assert any(found in text for text in held)
    assert not found or any(found in text for text in train)


@pytest.mark.parametrize("length", [1, 12, 13, 25, 26, 27, 400])
def test_a_planted_stretch_of_any_length_is_found(length):
    planted = "".join(chr(0x4E00 + n) for n in range(length))
    held = ["甲" * 50, f"乙{planted}丙", "短"]
    assert longest_shared(held, lambda: ["山", f"水{planted}風", "一" * 20]) == planted


def test_a_text_longer_than_a_batch_is_compared_whole(monkeypatch):
    monkeypatch.setattr(leakage, "BATCH", 16)
    planted = "十三個字在很長很長的末尾。"
    assert len(planted) == PIECE
    held = ["".join(chr(0x5000 + n) for n in range(500)) + planted, "另一行"]
    assert list(batches(held)) == [held[:1], held[1:]]
    found = find_shared(held, lambda: ["前" * 300 + planted], PIECE)
    assert [len(mask) for mask in found] == [501, 0]
    assert np.flatnonzero(found[0]).tolist() == [500]
    assert longest_shared(held, lambda: ["前" * 300 + planted]) == planted


@given(texts, st.integers(1, 60))
def test_batches_are_all_the_texts_in_order(some, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leakage, "BATCH", size)
        made = list(batches(some))
    assert [text for batch in made for text in batch] == some
    assert all(len(batch) == 1 or sum(map(len, batch)) <= size for batch in made)


def test_a_piece_belongs_to_the_field_that_holds_it_whole():
    spans = [
        {"field": "headword", "start": 0, "end": 2},
        {"field": "definition", "start": 3, "end": 3 + PIECE + 1},
        {"field": "example", "start": 3 + PIECE + 1, "end": 3 + 2 * PIECE + 1},
    ]
    fields = fields_of_pieces({"spans": spans}, PIECE + 5)
    assert collections.Counter(fields) == {BETWEEN: PIECE + 2, "definition": 2, "example": 1}
    assert fields[3:5] == ["definition", "definition"]
    assert fields[PIECE + 4] == "example"
    assert fields_of_pieces({"spans": spans}, 0) == []


@pytest.fixture
def tiny(tmp_path):
    """A corpus of eight documents, one of which in test repeats twenty characters of train."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def alphabet(start, count):
        return "".join(chr(0x5000 + start + n) for n in range(count))

    def document(text):
        return Document(text, text[0], "lines", "1", "line", (Span("definition", 0, len(text)),))

    leak = alphabet(0, 20)
    splits = {
        "train": [alphabet(1000 + 50 * n, 30) for n in range(5)] + [alphabet(900, 5) + leak],
        "validation": [alphabet(3000, 25)],
        "test": [leak + alphabet(4000, 15)],
    }
    schema = corpus_features().arrow_schema
    for split, lines in splits.items():
        table = pa.Table.from_batches([batch_of([document(line) for line in lines])])
        table = table.append_column("group", table["headword"]).select(schema.names)
        pq.write_table(table.cast(schema), tmp_path / f"{split}.parquet")
    return tmp_path, leak


def test_the_measures_of_a_tiny_corpus_by_hand(tiny):
    folder, leak = tiny
    measured = measure_leakage(folder)
    pieces = (25 - 12) + (35 - 12)
    share = (20 - 12) / pieces
    assert measured["groups"] == {
        "held_out": 2,
        "pieces": pieces,
        "share": share,
        "fields": {"definition": {"pieces": pieces, "share": share}},
        "longest": 20,
        "longest_text": leak,
    }
    assert measured["random"]["held_out"] == 2
    assert measure_leakage(folder) == measured
    random = [measure_leakage(folder, seed=seed)["random"]["share"] for seed in range(6)]
    assert len(set(random)) > 1


def test_groups_of_the_embedded_corpus_leak_no_more_than_random_lines(embedded_corpus):
    folder, facts = embedded_corpus
    measured = measure_leakage(folder)
    held_out = sum(facts["splits"][split]["documents"] for split in ("validation", "test"))
    for one in measured.values():
        assert one["held_out"] == held_out
        assert sum(field["pieces"] for field in one["fields"].values()) == one["pieces"]
        assert len(one["longest_text"]) == one["longest"]
        shared = sum(field["pieces"] * field["share"] for field in one["fields"].values())
        assert shared == pytest.approx(one["share"] * one["pieces"])
    assert measured["groups"]["share"] <= measured["random"]["share"]
    assert measured["groups"]["longest"] <= measured["random"]["longest"]
