"""The model as it will train in; before the first step, a refusal or the batch that fits out.

What is tried is the path that training takes: wrapped, compiled, in its precision. Weights,
gradients and random state are afterwards as they were. Only what exchanges gradients is left out:
a process whose memory runs out may not keep the others waiting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch._dynamo.exc import TorchDynamoException

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.tokens.blocks import IGNORED
from hf_zh_dict.training.sharding import reshard
from hf_zh_dict.training.stream import MicroBatch

if TYPE_CHECKING:
    from hf_zh_dict.training.update import Updater

# Nats a token. Measured: isolated documents differ by 0 (at most 1e-7), leaking ones by 1e-3 and more.
LEAK = 1e-5
EXCHANGES = 3


def check_isolation(updater: "Updater", *, batch_size: int, block_size: int) -> None:
    """Refuse to train when a document in a block moves the loss of another one.

    Raises:
        InputError: `train.isolate_documents` does not hold with what is installed.
    """
    leak = measure_leak(updater, batch_size=batch_size, block_size=block_size)
    if leak > LEAK:
        raise InputError(
            _(
                "train.isolate_documents: documents in one block see each other with the installed "
                "torch and transformers (a neighbour moves the loss by {leak:.1g} nats a token); set "
                "it to false."
            ).format(leak=leak)
        )


def measure_leak(updater: "Updater", *, batch_size: int, block_size: int) -> float:
    """How far the loss of two documents moves, in nats a token, when the one between them is another.

    The farthest of several exchanges counts, for losses of many tokens may cancel. The batch has
    the shape that training will have, so that nothing is compiled twice; dropout, if there is any,
    draws the same in all passes.
    """
    generator = np.random.Generator(np.random.Philox(key=0))
    size, shape = updater.model.config.vocab_size, (batch_size, block_size)
    inputs, labels = generator.integers(size, size=shape), generator.integers(size, size=shape)
    lengths = [block_size // 3, block_size // 3, block_size - 2 * (block_size // 3)]
    between = slice(lengths[0], lengths[0] + lengths[1])
    labels[:, between] = IGNORED
    positions = np.tile(np.concatenate([np.arange(length) for length in lengths]), (batch_size, 1))
    losses = []
    for exchange in range(EXCHANGES + 1):
        ids = inputs.copy()
        ids[:, between] = (ids[:, between] + exchange) % size
        with tried_out(updater):
            losses.append(
                float(updater.loss(MicroBatch(ids, labels, positions), alone=True).detach())
            )
    moved = max(abs(loss - losses[0]) for loss in losses[1:])
    return moved / int((labels != IGNORED).sum())


def fit_batch(
    updater: "Updater", *, batch_size: int, accumulation: int, block_size: int
) -> tuple[int, int]:
    """The per-device batch that fits into memory, and the accumulation that keeps the global batch.

    Blocks have one length, so one micro-batch tells of all. When it does not fit in one process, it
    is divided in all of them. (Between processes that share each layer, as in FSDP, one that runs
    out of memory alone leaves the others waiting; they have the same work, so they do so together.)

    Raises:
        InputError: not even one block fits.
    """
    accelerator = updater.accelerator
    while True:
        failed = not fits(updater, batch_size=batch_size, block_size=block_size)
        count = torch.tensor(int(failed), device=accelerator.device)
        if not int(accelerator.reduce(count, reduction="sum")):
            return batch_size, accumulation
        if batch_size == 1:
            raise InputError(
                _(
                    "train.per_device_batch_size: there is not enough memory for one block; set "
                    "train.gradient_checkpointing to true, or choose a smaller model or a smaller "
                    "blocks.block_size."
                )
            )
        divisor = next(n for n in range(2, batch_size + 1) if batch_size % n == 0)
        batch_size, accumulation = batch_size // divisor, accumulation * divisor


def fits(updater: "Updater", *, batch_size: int, block_size: int) -> bool:
    """Whether one micro-batch goes through; a compiler that fails is left out from then on."""
    from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

    ids = np.ones((batch_size, block_size), dtype=np.int64)
    batch = MicroBatch(ids, ids, np.tile(np.arange(block_size), (batch_size, 1)))
    try:
        with tried_out(updater):
            pass_through(updater, batch)
        return True
    except RuntimeError as error:
        if updater.compiled and isinstance(error, TorchDynamoException):
            updater.stop_compiling()
            return fits(updater, batch_size=batch_size, block_size=block_size)
        if not should_reduce_batch_size(error):
            raise
    clear_device_cache(garbage_collection=True)  # here the error holds nothing any more
    return False


def pass_through(updater: "Updater", batch: MicroBatch) -> None:
    """Forward and backward, with room beside them for what the optimizers will keep."""
    _room = [
        torch.empty_like(parameter)
        for optimizer in updater.optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter not in optimizer.state
        for _moment in range(2)
    ]
    updater.accelerator.backward(updater.loss(batch, alone=True) / batch.labels.size)


@contextmanager
def memory_errors_as_sentences() -> Iterator[None]:
    """When memory runs out nevertheless, later on, what to do is said.

    Then the processes can no longer agree: those that have memory wait for the one that has not.
    """
    from accelerate.utils.memory import should_reduce_batch_size

    try:
        yield
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        raise InputError(
            _(
                "memory ran out during training; go on with --resume, a smaller "
                "train.per_device_batch_size (or train.per_device_eval_batch_size) and a larger "
                "train.gradient_accumulation_steps."
            )
        ) from error


@contextmanager
def tried_out(updater: "Updater") -> Iterator[None]:
    """Training mode without consequences, dropout always the same; gradients are put back."""
    updater.wrapped.train()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            yield
    finally:
        if updater.accelerator.is_fsdp2:
            reshard(updater.wrapped)
        for optimizer in updater.optimizers:
            optimizer.zero_grad()
