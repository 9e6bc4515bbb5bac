"""The model as it will train in; before the first step, a refusal or the batch that fits out.

What is tried is the path that training takes: wrapped, compiled, in its precision. Weights,
gradients and random state are afterwards as they were.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.tokens.blocks import IGNORED
from hf_zh_dict.training.checkpoint import random_state, restore_random_state
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
            losses.append(float(updater.loss(MicroBatch(ids, labels, positions)).detach()))
    moved = max(abs(loss - losses[0]) for loss in losses[1:])
    return moved / int((labels != IGNORED).sum())


@contextmanager
def tried_out(updater: "Updater") -> Iterator[None]:
    """Training mode without consequences: random state and gradients are put back."""
    state = random_state()
    updater.wrapped.train()
    try:
        with unsynchronized(updater):
            yield
    finally:
        for optimizer in updater.optimizers:
            optimizer.zero_grad()
        restore_random_state(state)


def unsynchronized(updater: "Updater") -> AbstractContextManager[None]:
    """No exchange of gradients between processes, where they can be left unexchanged."""
    context: AbstractContextManager[None] = updater.accelerator.no_sync(updater.wrapped)
    return context
