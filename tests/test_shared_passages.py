"""Lines that share a passage are paired, with the strength that winnowing by hand gives."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus import shared_passages as room
from hf_zh_dict.corpus.shared_passages import (
    COMMON,
    GRAM,
    PARTS,
    THRESHOLD,
    WINDOW,
    shared_passages,
    winnow,
)

NOTICED = GRAM + WINDOW - 1

lines = st.lists(st.text("山水風", max_size=40), max_size=8)


def made_up(generator, length):
    return "".join(chr(generator.randrange(0x4E00, 0x9000)) for _ in range(length))


def hash_by_hand(piece):
    value = 0
    for character in piece:
        value = (value ^ ord(character)) * 0x9E3779B97F4A7C15 % 2**64
        value ^= value >> 29
    return value


def winnow_by_hand(text):
    """The kept hashes: of every window of WINDOW pieces (fewer at the end), the smallest."""
    hashes = [hash_by_hand(text[i : i + GRAM]) for i in range(len(text) - GRAM + 1)]
    return {min(hashes[i : i + WINDOW]) for i in range(len(hashes))}


def pairs_by_hand(texts):
    kept = [winnow_by_hand(text) for text in texts]
    phrases = {h for line in kept for h in line if sum(h in other for other in kept) > COMMON}
    for i, j in itertools.combinations(range(len(texts)), 2):
        shared = (kept[i] & kept[j]) - phrases
        if shared and len(shared) / min(len(kept[i]), len(kept[j])) >= THRESHOLD:
            yield (i, j), len(shared) / min(len(kept[i]), len(kept[j]))


def found_in(texts, folder):
    pairs, strengths = shared_passages(texts, folder)
    assert not list(folder.iterdir())
    assert len(pairs) == len(strengths)
    return dict(zip(map(tuple, pairs.tolist()), strengths.tolist(), strict=True))


@given(lines)
def test_the_kept_hashes_are_those_of_winnowing_by_hand(texts):
    hashes, owners = winnow(texts)
    found = [set() for _ in texts]
    for value, line in zip(hashes.tolist(), owners.tolist(), strict=True):
        assert value not in found[line]
        found[line].add(value)
    assert found == [winnow_by_hand(text) for text in texts]


@given(
    st.text("山水風雨", min_size=NOTICED, max_size=NOTICED),
    st.lists(st.text("魚鳥石木", max_size=30), min_size=4, max_size=4),
)
def test_every_shared_run_of_fifteen_characters_leaves_a_hash_in_both_lines(run, around):
    one, other = around[0] + run + around[1], around[2] + run + around[3]
    hashes, owners = winnow([one, other])
    assert set(hashes[owners == 0].tolist()) & set(hashes[owners == 1].tolist())


@pytest.mark.parametrize("seed", range(5))
def test_pairs_and_strengths_are_those_found_by_hand(seed, tmp_path):
    generator = random.Random(seed)
    passages = [made_up(generator, generator.randrange(10, 40)) for _ in range(6)]
    texts = []
    for _ in range(60):
        chosen = generator.sample(passages, generator.randrange(3))
        texts.append(made_up(generator, generator.randrange(20)) + "".join(chosen))
    expected = dict(pairs_by_hand(texts))
    assert expected
    assert found_in(texts, tmp_path) == expected


def test_what_more_lines_keep_than_a_passage_would_is_a_phrase(tmp_path):
    generator = random.Random(0)
    phrase = made_up(generator, 30)
    texts = [phrase + made_up(generator, 3) for _ in range(COMMON)]
    assert len(found_in(texts, tmp_path)) == COMMON * (COMMON - 1) // 2
    assert found_in([*texts, phrase], tmp_path) == {}


def test_the_size_of_batches_changes_nothing(monkeypatch, tmp_path):
    generator = random.Random(1)
    passages = [made_up(generator, 30) for _ in range(10)]
    texts = [made_up(generator, 9) + generator.choice(passages) for _ in range(50)] + ["", "短"]
    at_once = found_in(texts, tmp_path)
    for size in (1, 2, 7, 52):
        monkeypatch.setattr(room, "BATCH", size)
        assert found_in(texts, tmp_path) == at_once
    assert at_once


@pytest.mark.parametrize(
    "texts", [[], [""], ["", ""], ["短"], ["短", "小"], ["一二三四五六七八九十"]]
)
def test_lines_too_few_or_too_short_make_no_pair(texts, tmp_path):
    assert found_in(texts, tmp_path) == {}


def test_parts_are_dealt_by_all_the_bits_they_use(tmp_path):
    hashes = np.random.default_rng(0).integers(0, 2**64, 1000, np.uint64)
    parts = room.Parts(tmp_path, "numbers", np.dtype("<u8"))
    parts.add(hashes, hashes)
    parts.add(hashes[:1], hashes[:1])
    read = list(parts.read())
    assert len(read) == PARTS
    assert all(len(part) for part in read)
    assert sorted(np.concatenate(read).tolist()) == sorted([*hashes.tolist(), int(hashes[0])])
    assert not list(tmp_path.iterdir())
