"""However many processes share it, and wherever it is resumed, the stream gives the same blocks."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.tokens.blocks import IGNORED, OFFSETS_FILE, TOKENS_FILE, Blocks
from hf_zh_dict.training.stream import BlockStream


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """23 documents, one a block; a token's id is its place."""
    folder = tmp_path_factory.mktemp("blocks")
    np.arange(23 * 5, dtype=np.uint16).tofile(folder / TOKENS_FILE)
    np.arange(0, 23 * 5 + 1, 5, dtype=np.int64).tofile(folder / OFFSETS_FILE)
    return Blocks(folder, block_size=4, dtype=np.dtype(np.uint16))


def documents(micro_batches):
    """Which documents some micro-batches hold, in order."""
    return [int(row[0]) // 5 for batch in micro_batches for row in batch.inputs]


def steps_of(stream, count, **shape):
    return [stream.next_step(**shape) for _step in range(count)]


ALONE = {"rank": 0, "world_size": 1}
small = st.integers(1, 4)


@given(batch_size=small, accumulation=small, world_size=small, seed=st.integers(0, 99))
def test_processes_together_take_what_one_takes_in_the_same_order(
    blocks, batch_size, accumulation, world_size, seed
):
    shared = [
        steps_of(
            BlockStream(blocks, seed=seed),
            5,
            batch_size=batch_size,
            accumulation=accumulation,
            rank=rank,
            world_size=world_size,
        )
        for rank in range(world_size)
    ]
    wide = steps_of(
        BlockStream(blocks, seed=seed),
        5,
        batch_size=batch_size * world_size,
        accumulation=accumulation,
        **ALONE,
    )
    for step in range(5):
        for micro_step in range(accumulation):
            parts = [process[step][micro_step] for process in shared]
            for name in ("inputs", "labels", "positions"):
                together = np.concatenate([getattr(part, name) for part in parts])
                np.testing.assert_array_equal(together, getattr(wide[step][micro_step], name))
                assert all(len(getattr(part, name)) == batch_size for part in parts)


@given(batch_size=small, accumulation=small)
def test_accumulation_divides_a_batch_without_changing_it(blocks, batch_size, accumulation):
    divided = steps_of(
        BlockStream(blocks, seed=3), 6, batch_size=batch_size, accumulation=accumulation, **ALONE
    )
    whole = steps_of(
        BlockStream(blocks, seed=3),
        6,
        batch_size=batch_size * accumulation,
        accumulation=1,
        **ALONE,
    )
    assert [documents(step) for step in divided] == [documents(step) for step in whole]


@given(
    done=st.integers(0, 12),
    batch_size=st.integers(4, 30),
    accumulation=st.integers(1, 2),
    reshuffle=st.booleans(),
)
def test_resuming_from_epoch_and_cursor_goes_on_as_if_never_stopped(
    blocks, done, batch_size, accumulation, reshuffle
):
    shape = {"batch_size": batch_size, "accumulation": accumulation, **ALONE}
    unbroken = BlockStream(blocks, seed=5, reshuffle=reshuffle)
    steps_of(unbroken, done, **shape)
    start_epoch = unbroken.epoch
    resumed = BlockStream(
        blocks, seed=5, epoch=unbroken.epoch, cursor=unbroken.cursor, reshuffle=reshuffle
    )
    for _step in range(6):  # with 23 blocks an epoch, over a seam
        one, other = unbroken.next_step(**shape), resumed.next_step(**shape)
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine.inputs, theirs.inputs)
            np.testing.assert_array_equal(mine.labels, theirs.labels)
            np.testing.assert_array_equal(mine.positions, theirs.positions)
        assert (unbroken.epoch, unbroken.cursor) == (resumed.epoch, resumed.cursor)
    assert unbroken.epoch > start_epoch


def test_an_epoch_gives_every_block_once_and_the_next_follows_without_a_seam(blocks):
    stream = BlockStream(blocks, seed=0)
    taken = [
        document
        for step in steps_of(stream, 23, batch_size=4, accumulation=1, **ALONE)
        for document in documents(step)
    ]
    epochs = [taken[first : first + 23] for first in range(0, len(taken), 23)]
    assert all(sorted(epoch) == list(range(23)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert (stream.epoch, stream.cursor) == (4, 0)


def test_one_step_may_reach_over_several_epochs(blocks):
    stream = BlockStream(blocks, seed=0)
    (batch,) = stream.next_step(batch_size=60, accumulation=1, **ALONE)
    taken = documents([batch])
    assert sorted(taken[:23]) == sorted(taken[23:46]) == list(range(23))
    assert (stream.epoch, stream.cursor) == (2, 14)
    assert (batch.labels != IGNORED).all()
    slow = BlockStream(blocks, seed=0)
    single = steps_of(slow, 60, batch_size=1, accumulation=1, **ALONE)
    assert [documents(step)[0] for step in single] == taken


def test_each_epoch_is_packed_once_and_old_ones_are_forgotten(blocks, monkeypatch):
    packed = []
    pack = blocks.pack
    monkeypatch.setattr(
        blocks, "pack", lambda seed, epoch: packed.append(epoch) or pack(seed=seed, epoch=epoch)
    )
    stream = BlockStream(blocks, seed=0)
    for _step in range(30):
        stream.next_step(batch_size=5, accumulation=1, **ALONE)
        assert len(stream.packed) <= 2
    assert packed == list(range(7))


def test_the_position_moves_by_the_global_batch(blocks):
    stream = BlockStream(blocks, seed=0)
    stream.next_step(batch_size=2, accumulation=3, rank=1, world_size=2)
    assert (stream.epoch, stream.cursor) == (0, 12)


def test_another_seed_gives_another_order(blocks):
    shape = {"batch_size": 23, "accumulation": 1, **ALONE}
    one, other = (documents(BlockStream(blocks, seed=seed).next_step(**shape)) for seed in (0, 1))
    assert one != other
    assert sorted(one) == sorted(other)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """40 documents, two to a block."""
    folder = tmp_path_factory.mktemp("pairs")
    np.arange(40 * 5, dtype=np.uint16).tofile(folder / TOKENS_FILE)
    np.arange(0, 40 * 5 + 1, 5, dtype=np.int64).tofile(folder / OFFSETS_FILE)
    return Blocks(folder, block_size=8, dtype=np.dtype(np.uint16))


def epochs_of(blocks, count, **options):
    """The rows of some epochs, in the order in which they are taken."""
    stream = BlockStream(blocks, seed=1, **options)
    rows = [
        tuple(batch.inputs[0].tolist())
        for step in steps_of(stream, 20 * count, batch_size=1, accumulation=1, **ALONE)
        for batch in step
    ]
    return [rows[first : first + 20] for first in range(0, len(rows), 20)]


def test_reshuffled_entries_meet_others_each_epoch(pairs):
    epochs = epochs_of(pairs, 3)
    assert all(len(set(epoch) & set(other)) < 10 for epoch, other in combinations(epochs, 2))
    entries = [sorted(token for row in epoch for token in row) for epoch in epochs]
    assert entries[0] == entries[1] == entries[2]


def test_entries_that_are_not_reshuffled_keep_their_blocks_in_another_order(pairs):
    epochs = epochs_of(pairs, 3, reshuffle=False)
    assert set(epochs[0]) == set(epochs[1]) == set(epochs[2])
    assert all(epoch != other for epoch, other in combinations(epochs, 2))
    assert epochs[0] == epochs_of(pairs, 1)[0]  # until then nothing differs


@pytest.mark.parametrize("reshuffle", [True, False])
def test_the_documents_ahead_are_those_that_are_then_taken(pairs, reshuffle):
    stream = BlockStream(pairs, seed=1, epoch=1, cursor=17, reshuffle=reshuffle)
    ahead = stream.documents_ahead(epoch=1, cursor=17, count=6)  # over a seam
    assert (stream.epoch, stream.cursor) == (1, 17)
    (batch,) = stream.next_step(batch_size=6, accumulation=1, **ALONE)
    assert ahead == [[int(row[0]) // 5, int(row[4]) // 5] for row in batch.inputs]
    assert stream.documents_ahead(epoch=1, cursor=17, count=6) == ahead  # also when it is behind
