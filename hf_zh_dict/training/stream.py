"""Seed and position in, the next global batch of blocks out, epoch after epoch without a seam.

The position (epoch, cursor) is all the state there is. A step takes the same blocks in the same
order however many processes share them, so runs with equal global batches see equal data; and a
micro-batch carries the seed of its own dropout, so no random state needs to be kept either.

Entries are laid into new blocks each epoch. Without that (`reshuffle=False`) every epoch has epoch
0's blocks, but in an order of its own, as when a data set is packed once and its rows are shuffled:
what differs between the two, from epoch 1 on, is only which entries stand together.
"""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch.utils.data import DataLoader, Dataset

from hf_zh_dict.tokens.blocks import IGNORED, Blocks, Epoch, Ids
from hf_zh_dict.training.share import Share
from hf_zh_dict.training.signals import SIGNALS

T = TypeVar("T")


@dataclass(frozen=True)
class MicroBatch:
    """Inputs, labels and positions of one process's micro-batch, int64, [rows, block_size]."""

    inputs: Ids
    labels: Ids
    positions: Ids
    seed: int = 0  # of the random numbers that are drawn over it


@dataclass(frozen=True)
class Step:
    """One process's micro-batches of a step, and the position behind it."""

    micro_batches: list[MicroBatch]
    epoch: int
    cursor: int

    @property
    def targets(self) -> int:
        return sum(int((batch.labels != IGNORED).sum()) for batch in self.micro_batches)


class BlockStream:
    """Walks through shuffled epochs of blocks."""

    def __init__(
        self,
        blocks: Blocks,
        *,
        seed: int,
        epoch: int = 0,
        cursor: int = 0,
        reshuffle: bool = True,
    ) -> None:
        self.blocks, self.seed, self.reshuffle = blocks, seed, reshuffle
        self.epoch, self.cursor = epoch, cursor
        self.packed: dict[int, Epoch] = {}
        self.orders: dict[int, Ids] = {}

    def pack(self, epoch: int) -> Epoch:
        """That epoch's blocks; only the newest two epochs are kept."""
        epoch = epoch if self.reshuffle else 0
        if epoch not in self.packed:
            self.packed = {e: p for e, p in self.packed.items() if e >= epoch - 1}
            self.packed[epoch] = self.blocks.pack(seed=self.seed, epoch=epoch)
        return self.packed[epoch]

    def order(self, epoch: int) -> Ids:
        """In which order that epoch goes through its blocks; only the newest is kept."""
        if epoch not in self.orders:
            order: Ids = np.arange(self.pack(epoch).num_blocks)
            if epoch and not self.reshuffle:
                order = np.random.Generator(np.random.Philox(key=[self.seed, epoch])).permutation(
                    order
                )
            self.orders = {epoch: order}
        return self.orders[epoch]

    def take(self, count: int) -> list[tuple[int, int]]:
        """The next `count` blocks as (epoch, block), and move behind them."""
        taken: list[tuple[int, int]] = []
        while len(taken) < count:
            ahead = self.order(self.epoch)[self.cursor :]
            used = min(count - len(taken), len(ahead))
            taken += [(self.epoch, int(block)) for block in ahead[:used]]
            self.cursor += used
            if used == len(ahead):
                self.epoch, self.cursor = self.epoch + 1, 0
        return taken

    def next_step(
        self, *, batch_size: int, accumulation: int, rank: int, world_size: int
    ) -> list[MicroBatch]:
        """One process's micro-batches of the next step."""
        taken = self.take(batch_size * accumulation * world_size)
        micro_batches = []
        for micro_step in range(accumulation):
            first = (micro_step * world_size + rank) * batch_size
            micro_batches.append(self.read(taken[first : first + batch_size]))
        return micro_batches

    def documents_ahead(self, count: int) -> list[list[int]]:
        """The documents in each of the next `count` blocks; moves behind them."""
        return [self.blocks.documents_in(self.pack(e), block) for e, block in self.take(count)]

    def read(self, places: list[tuple[int, int]]) -> MicroBatch:
        parts = [
            self.blocks.read(self.pack(epoch), np.array([b for e, b in places if e == epoch]))
            for epoch in sorted({epoch for epoch, _block in places})
        ]
        inputs, labels, positions = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return MicroBatch(inputs, labels, positions, seed=mix_seed(self.seed, *places[0]))


def mix_seed(*numbers: int) -> int:
    """One seed below 2⁶³ out of several numbers; near numbers give far seeds."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


class StepDataset(Dataset[Step]):
    """Item i is the i-th step from a position, whoever asks for it.

    Items are asked for in rising order, by workers each its own; what lies between is passed over
    without being read.
    """

    def __init__(self, stream: BlockStream, share: Share, *, steps: int) -> None:
        self.stream, self.share, self.steps = stream, share, steps
        self.next = 0

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> Step:
        assert index >= self.next, "steps are read forwards"
        self.stream.take((index - self.next) * self.share.blocks_per_step)
        self.next = index + 1
        share = self.share
        micro_batches = self.stream.next_step(
            batch_size=share.batch_size, accumulation=share.accumulation,
            rank=share.rank, world_size=share.world_size,
        )  # fmt: skip
        return Step(micro_batches, self.stream.epoch, self.stream.cursor)


def read_steps(dataset: StepDataset, *, num_workers: int = 0) -> Iterator[Step]:
    """The steps in order, read by this process or ahead of it by workers."""
    loader = DataLoader(
        dataset,
        batch_size=None,
        collate_fn=as_it_is,
        num_workers=num_workers,
        worker_init_fn=ignore_signals if num_workers else None,
    )
    with hold_signals(num_workers):
        steps = iter(loader)
    yield from steps


def as_it_is(item: T) -> T:
    return item


def ignore_signals(_worker: int) -> None:
    """A worker lives until its training process ends: that one saves first, and needs it for that."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def hold_signals(num_workers: int) -> Iterator[None]:
    """Signals wait while workers are started, and workers are born deaf to them."""
    if not num_workers or not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    if multiprocessing.get_start_method() != "fork":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # its own start would let the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
