"""Seed and position in, the next global batch of blocks out, epoch after epoch without a seam.

The position (epoch, cursor) is all the state there is. A step takes the same blocks in the same
order however many processes share them, so runs with equal global batches see equal data.
"""

from dataclasses import dataclass

import numpy as np

from hf_zh_dict.tokens.blocks import Blocks, Epoch, Ids


@dataclass(frozen=True)
class MicroBatch:
    """Inputs, labels and positions of one process's micro-batch, int64, [rows, block_size]."""

    inputs: Ids
    labels: Ids
    positions: Ids


class BlockStream:
    """Walks through shuffled epochs of blocks."""

    def __init__(self, blocks: Blocks, *, seed: int, epoch: int = 0, cursor: int = 0) -> None:
        self.blocks, self.seed = blocks, seed
        self.epoch, self.cursor = epoch, cursor
        self.packed: dict[int, Epoch] = {}

    def pack(self, epoch: int) -> Epoch:
        """That epoch's blocks; only the newest two epochs are kept."""
        if epoch not in self.packed:
            self.packed = {e: p for e, p in self.packed.items() if e >= epoch - 1}
            self.packed[epoch] = self.blocks.pack(seed=self.seed, epoch=epoch)
        return self.packed[epoch]

    def take(self, count: int) -> list[tuple[int, int]]:
        """The next `count` blocks as (epoch, block), and move behind them."""
        taken: list[tuple[int, int]] = []
        while len(taken) < count:
            available = self.pack(self.epoch).num_blocks - self.cursor
            used = min(count - len(taken), available)
            taken += [(self.epoch, self.cursor + i) for i in range(used)]
            self.cursor += used
            if used == available:
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

    def read(self, places: list[tuple[int, int]]) -> MicroBatch:
        parts = [
            self.blocks.read(self.pack(epoch), np.array([b for e, b in places if e == epoch]))
            for epoch in sorted({epoch for epoch, _block in places})
        ]
        return MicroBatch(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
