"""Packing loses no pair, cuts no document that fits, overfills no block, and follows its seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.config import BlocksConfig
from hf_zh_dict.stages import build_stage
from hf_zh_dict.tokens import encoding
from hf_zh_dict.tokens.blocks import (
    IGNORED,
    OFFSETS_FILE,
    TOKENS_FILE,
    Blocks,
    best_fit,
    blocks_fingerprint,
    build_blocks,
    load_blocks,
)
from hf_zh_dict.tokens.tokenizer import encode_texts

document_lengths = st.lists(st.integers(2, 60), min_size=1, max_size=50)  # bos and eos in them
block_sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32)
epochs = st.integers(0, 1000)


@pytest.fixture(scope="module")
def make_blocks(tmp_path_factory):
    """Blocks of documents with these lengths; a token's id is its place, so each is known."""

    def make(lengths, block_size):
        folder = tmp_path_factory.mktemp("blocks")
        np.arange(sum(lengths), dtype=np.uint32).tofile(folder / TOKENS_FILE)
        np.cumsum([0, *lengths], dtype=np.int64).tofile(folder / OFFSETS_FILE)
        return Blocks(folder, block_size=block_size, dtype=np.dtype(np.uint32))

    return make


def read_epoch(blocks, seed=0, epoch=0):
    """Inputs and labels of all blocks of an epoch."""
    packed = blocks.pack(seed=seed, epoch=epoch)
    return blocks.read(packed, np.arange(packed.num_blocks))[:2]


def sorted_pairs(inputs, labels):
    counted = labels != IGNORED
    return sorted(zip(inputs[counted].tolist(), labels[counted].tolist(), strict=True))


@given(lengths=document_lengths, block_size=block_sizes, seed=seeds, epoch=epochs)
def test_every_token_but_bos_is_a_target_exactly_once_behind_the_token_before_it(
    make_blocks, lengths, block_size, seed, epoch
):
    blocks = make_blocks(lengths, block_size)
    pairs = sorted_pairs(*read_epoch(blocks, seed, epoch))
    bos = {int(offset) for offset in blocks.offsets[:-1]}
    targets = [place for place in range(sum(lengths)) if place not in bos]
    assert pairs == [(target - 1, target) for target in targets]
    assert blocks.num_targets == len(targets)


@given(lengths=document_lengths, block_size=block_sizes, seed=seeds, epoch=epochs)
def test_padding_is_ignored_and_stands_behind(make_blocks, lengths, block_size, seed, epoch):
    blocks = make_blocks(lengths, block_size)
    inputs, labels = read_epoch(blocks, seed, epoch)
    assert inputs.shape == labels.shape == (len(labels), block_size)
    assert inputs.dtype == labels.dtype == np.int64
    counted = labels != IGNORED
    assert counted[:, 0].all()  # no block is empty
    assert (np.diff(counted.astype(int), axis=1) <= 0).all()
    assert (inputs[~counted] == 0).all()


@given(lengths=document_lengths, block_size=block_sizes, seed=seeds)
def test_no_document_that_fits_is_cut_and_longer_ones_fill_whole_blocks(
    make_blocks, lengths, block_size, seed
):
    blocks = make_blocks(lengths, block_size)
    _inputs, labels = read_epoch(blocks, seed)
    for start, end in zip(blocks.offsets[:-1], blocks.offsets[1:], strict=True):
        size = int(end - start) - 1
        rows, columns = np.nonzero((labels > start) & (labels < end))
        per_row = [(columns[rows == row], labels[row]) for row in np.unique(rows)]
        assert len(per_row) == -(-size // block_size)
        for places, row in per_row:
            assert (np.diff(places) == 1).all()
            assert (np.diff(row[places]) == 1).all()
        filled = sorted(len(places) for places, _row in per_row)
        assert filled[1:] == [block_size] * (len(filled) - 1)


@given(lengths=document_lengths, block_size=block_sizes, seed=seeds, epoch=epochs)
def test_the_same_seed_and_epoch_give_the_same_blocks(
    make_blocks, lengths, block_size, seed, epoch
):
    first = read_epoch(make_blocks(lengths, block_size), seed, epoch)
    again = make_blocks(lengths, block_size)
    read_epoch(again, seed, epoch + 1)  # what was packed before does not matter
    for one, other in zip(first, read_epoch(again, seed, epoch), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("seed", "epoch"), [(0, 1), (1, 0), (7, 3)])
def test_another_seed_or_epoch_gives_other_blocks_with_the_same_pairs(make_blocks, seed, epoch):
    blocks = make_blocks([2 + (n * 7) % 30 for n in range(200)], 24)
    first, other = read_epoch(blocks), read_epoch(blocks, seed, epoch)
    assert {tuple(sorted(row)) for row in first[1]} != {tuple(sorted(row)) for row in other[1]}
    assert sorted_pairs(*first) == sorted_pairs(*other)


def test_documents_and_blocks_are_shuffled(make_blocks):
    blocks = make_blocks([9] * 100, 8)  # each fills a block
    inputs, _labels = read_epoch(blocks)
    order = (inputs[:, 0] // 9).tolist()
    assert sorted(order) == list(range(100))
    assert abs(np.corrcoef(order, np.arange(100))[0, 1]) < 0.3


def test_the_block_that_was_opened_last_may_come_at_any_time(make_blocks):
    blocks = make_blocks([6] * 101, 10)  # two fill a block, one is left over
    places = []
    for epoch in range(10):
        _inputs, labels = read_epoch(blocks, epoch=epoch)
        places += np.flatnonzero((labels == IGNORED).any(axis=1)).tolist()
    assert len(places) == 10
    assert len(set(places)) > 5


@given(lengths=document_lengths, block_size=block_sizes)
def test_blocks_can_be_read_in_any_order_and_number(make_blocks, lengths, block_size):
    blocks = make_blocks(lengths, block_size)
    packed = blocks.pack(seed=0, epoch=0)
    inputs, labels = read_epoch(blocks)
    backwards = np.arange(packed.num_blocks)[::-1]
    some_inputs, some_labels, _positions = blocks.read(packed, backwards[:3])
    np.testing.assert_array_equal(some_inputs, inputs[backwards[:3]])
    np.testing.assert_array_equal(some_labels, labels[backwards[:3]])


@given(lengths=document_lengths, block_size=block_sizes, seed=seeds)
def test_positions_restart_with_each_piece_and_with_the_padding(
    make_blocks, lengths, block_size, seed
):
    blocks = make_blocks(lengths, block_size)
    packed = blocks.pack(seed=seed, epoch=0)
    inputs, labels, positions = blocks.read(packed, np.arange(packed.num_blocks))
    assert positions.dtype == np.int64
    counted = labels != IGNORED
    follows = np.zeros_like(counted)  # the place before it holds the same piece
    follows[:, 1:] = (np.diff(inputs, axis=1) == 1) & counted[:, 1:]
    follows[:, 1:] |= ~counted[:, 1:] & ~counted[:, :-1]
    bos = np.isin(inputs, blocks.offsets[:-1]) & counted
    assert (positions[bos] == 0).all()
    assert (positions[:, 0] == 0).all()
    steps = np.diff(positions, axis=1)
    assert (steps[positions[:, 1:] > 0] == 1).all()
    assert follows[positions > 0].all()
    pieces = (positions == 0).sum() - (~counted).any(axis=1).sum()
    assert pieces == len(packed.lengths)


@given(data=st.data(), block_size=block_sizes)
def test_best_fit_takes_the_fullest_block_with_room_and_never_overfills(data, block_size):
    lengths = data.draw(st.lists(st.integers(1, block_size), min_size=1, max_size=80))
    room = []  # of each block, as a slow and obvious packer sees it
    for length, block in zip(lengths, best_fit(lengths, block_size), strict=True):
        fitting = [left for left in room if left >= length]
        if fitting:
            assert room[block] == min(fitting)
        else:
            assert block == len(room)
            room.append(block_size)
        room[block] -= length
        assert room[block] >= 0
    assert sum(left >= block_size / 2 for left in room) <= 1


def test_real_looking_lengths_are_packed_almost_without_padding(make_blocks):
    lengths = (2 + np.random.default_rng(0).geometric(1 / 60, size=2000)).tolist()
    blocks = make_blocks(lengths, 256)
    _inputs, labels = read_epoch(blocks)
    assert (labels == IGNORED).mean() < 0.01


@pytest.fixture
def built(texts, tokenizer, tmp_path, monkeypatch):
    """A blocks folder as the pipeline builds it, encoded in several batches."""
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 200)
    with build_stage(tmp_path / "blocks", "fingerprint") as (folder, facts):
        facts.update(build_blocks(iter(texts), tokenizer, folder, block_size=32))
    return tmp_path / "blocks", facts


def test_the_folder_holds_every_document_between_bos_and_eos(built, texts, tokenizer):
    folder, _facts = built
    assert sorted(path.name for path in folder.iterdir()) == [
        "offsets.bin",
        "stage.json",
        "tokens.bin",
    ]
    blocks = load_blocks(folder)
    documents = [
        blocks.tokens[start:end].tolist()
        for start, end in zip(blocks.offsets[:-1], blocks.offsets[1:], strict=True)
    ]
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert documents == [[bos, *ids, eos] for ids in encode_texts(tokenizer, texts)]


def test_eos_is_never_an_input_and_bos_never_a_target(built, tokenizer):
    inputs, labels = read_epoch(load_blocks(built[0]))
    counted = labels != IGNORED
    assert tokenizer.eos_token_id not in inputs[counted]
    assert tokenizer.bos_token_id not in labels[counted]
    assert tokenizer.eos_token_id in labels


def test_the_facts_are_those_of_the_first_epoch(built, texts):
    folder, facts = built
    blocks = load_blocks(folder)
    _inputs, labels = read_epoch(blocks)
    assert facts["block_size"] == labels.shape[1] == 32
    assert facts["dtype"] == "uint16"
    assert facts["documents"] == len(texts)
    assert facts["tokens"] == len(blocks.tokens) == facts["targets"] + len(texts)
    assert facts["targets"] == (labels != IGNORED).sum()
    assert facts["blocks"] == len(labels)
    assert facts["padding"] == pytest.approx((labels == IGNORED).mean())
    assert facts["cut_documents"] == sum(length > 32 for length in blocks.lengths) >= 1


def test_the_fingerprint_follows_block_size_and_tokenizer():
    prints = {
        blocks_fingerprint(BlocksConfig(block_size=size), tokenizer)
        for size in (64, 128)
        for tokenizer in ("a", "b")
    }
    assert len(prints) == 4
