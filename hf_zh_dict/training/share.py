"""Processes and batch sizes in, how a step's blocks are divided among them out."""

from dataclasses import dataclass, replace

from hf_zh_dict.messages import InputError, _


@dataclass(frozen=True)
class Share:
    """How a step's blocks are divided, and which of them are this process's."""

    batch_size: int  # blocks in a micro-batch
    accumulation: int  # micro-batches of a process
    rank: int = 0
    world_size: int = 1

    @property
    def blocks_per_step(self) -> int:
        """Blocks in a step, over all processes."""
        return self.batch_size * self.accumulation * self.world_size


def divide_alike(now: Share, before: Share) -> Share:
    """`now` with as many micro-batches as give a step the blocks that it had `before`.

    Raises:
        InputError: no number of micro-batches does.
    """
    at_once = now.batch_size * now.world_size
    accumulation, rest = divmod(before.blocks_per_step, at_once)
    if rest:
        fitting = [
            size
            for size in range(1, before.blocks_per_step + 1)
            if before.blocks_per_step % (size * now.world_size) == 0
        ]
        advice = (
            _("set train.per_device_batch_size to one of {sizes}").format(
                sizes=", ".join(str(size) for size in fitting)
            )
            if fitting
            else _("use another number of processes")
        )
        raise InputError(
            _(
                "cannot resume: the checkpoint's steps have {blocks} blocks, which {processes} "
                "process(es) × train.per_device_batch_size {batch} do not divide; {advice}."
            ).format(
                blocks=before.blocks_per_step, processes=now.world_size, batch=now.batch_size,
                advice=advice,
            )
        )  # fmt: skip
    return replace(now, accumulation=accumulation)
