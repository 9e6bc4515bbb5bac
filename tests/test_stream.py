"""However many processes share it, and wherever it is resumed, the stream gives the same blocks."""

import multiprocessing
import os
import pickle
import signal
import threading
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.tokens.blocks import IGNORED, OFFSETS_FILE, TOKENS_FILE, Blocks
from hf_zh_dict.training.signals import SIGNALS
from hf_zh_dict.training.stream import (
    BlockStream,
    Share,
    StepDataset,
    hold_signals,
    read_steps,
)


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


def dataset_of(blocks, *, epoch=0, cursor=0, steps=40, **share):
    share = Share(**{"batch_size": 3, "accumulation": 2} | share)
    stream = BlockStream(blocks, seed=7, epoch=epoch, cursor=cursor)
    return StepDataset(stream, share, steps=steps)


def test_resuming_late_packs_no_epoch_that_is_behind(blocks, monkeypatch):
    """At step 100,000 the same work is done as at step 10: the epoch that the position is in."""
    packed = []
    pack = blocks.pack
    monkeypatch.setattr(
        blocks, "pack", lambda seed, epoch: packed.append(epoch) or pack(seed=seed, epoch=epoch)
    )
    for epoch in (2, 26_086):  # of 23 blocks, 6 a step
        packed.clear()
        list(read_steps(dataset_of(blocks, epoch=epoch, cursor=14, steps=2)))
        assert packed == [epoch, epoch + 1]


@given(done=st.integers(0, 12), rank=st.integers(0, 1))
def test_steps_carry_the_position_that_goes_on_behind_them(blocks, done, rank):
    whole = list(read_steps(dataset_of(blocks, steps=16, rank=rank, world_size=2)))
    at = whole[done]
    rest = dataset_of(blocks, epoch=at.epoch, cursor=at.cursor, steps=3, rank=rank, world_size=2)
    for one, other in zip(whole[done + 1 : done + 4], read_steps(rest), strict=True):
        assert_equal_steps(one, other)


def assert_equal_steps(one, other):
    assert (one.epoch, one.cursor, one.targets) == (other.epoch, other.cursor, other.targets)
    for mine, theirs in zip(one.micro_batches, other.micro_batches, strict=True):
        assert mine.seed == theirs.seed
        np.testing.assert_array_equal(mine.inputs, theirs.inputs)
        np.testing.assert_array_equal(mine.labels, theirs.labels)


def test_any_worker_may_read_any_step(blocks):
    """Two workers read every second step; together they read what one reads."""
    whole = list(read_steps(dataset_of(blocks, steps=12)))
    for worker in (0, 1):
        dataset = dataset_of(blocks, steps=12)
        for index in range(worker, 12, 2):
            assert_equal_steps(dataset[index], whole[index])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_hand_steps_over_in_their_order(blocks, workers):
    whole = list(read_steps(dataset_of(blocks, steps=12)))
    with_workers = list(read_steps(dataset_of(blocks, steps=12), num_workers=workers))
    for one, other in zip(whole, with_workers, strict=True):
        assert_equal_steps(one, other)


def test_a_worker_that_is_started_afresh_opens_the_files_itself(blocks):
    """As with spawn: what is sent holds no token."""
    sent = pickle.dumps(dataset_of(blocks))
    assert len(sent) < 2000
    assert_equal_steps(pickle.loads(sent)[3], dataset_of(blocks)[3])


def test_workers_live_through_the_signals_that_stop_training(blocks):
    """Signals to the whole group while workers start and while they read."""
    heard = []
    before = {number: signal.signal(number, lambda n, _f: heard.append(n)) for number in SIGNALS}
    try:
        steps = read_steps(dataset_of(blocks, steps=40), num_workers=2)
        taken = [next(steps)]
        for number in SIGNALS:
            for child in multiprocessing.active_children():
                os.kill(child.pid, number)
            os.kill(os.getpid(), number)
            taken.append(next(steps))
        taken += steps
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert heard == list(SIGNALS)
    assert len(taken) == 40


def test_signals_wait_while_workers_start():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda n, _f: heard.append(n))
    try:
        with hold_signals(1):
            # not to the process: a thread of the test runner's would take it
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            assert heard == []
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_every_micro_batch_has_a_seed_of_its_own(blocks):
    ranks = [read_steps(dataset_of(blocks, rank=rank, world_size=2)) for rank in (0, 1)]
    seeds = [batch.seed for steps in ranks for step in steps for batch in step.micro_batches]
    assert len(set(seeds)) == len(seeds) == 160
    assert all(0 <= seed < 2**63 for seed in seeds)


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
    def stream():
        return BlockStream(pairs, seed=1, epoch=1, cursor=17, reshuffle=reshuffle)

    ahead = stream().documents_ahead(6)  # over a seam
    (batch,) = stream().next_step(batch_size=6, accumulation=1, **ALONE)
    assert ahead == [[int(row[0]) // 5, int(row[4]) // 5] for row in batch.inputs]
