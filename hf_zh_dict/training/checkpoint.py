"""The whole state of training in, `checkpoints/step-NNNNNN/` out, and back.

A checkpoint is written beside and moved into place when it is whole. It holds the weights
(safetensors, plain keys) and their moving average, the optimizers, each process's random state and
the loop's state; it is read with `weights_only=True`.
"""

import json
import pickle
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model
from safetensors.torch import save_model as save_weights

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.training.sharding import load_optimizer_state, whole

if TYPE_CHECKING:
    from accelerate import Accelerator

WEIGHTS, OPTIMIZER, STATE = "model.safetensors", "optimizer.pt", "state.json"
AVERAGE = "ema.safetensors"
STEP_FOLDER = re.compile(r"step-(\d{6,})")


@dataclass
class TrainingState:
    """Everything the loop remembers between two steps."""

    step: int = 0  # updates done
    epoch: int = 0
    cursor: int = 0  # blocks of the epoch that are behind us
    tokens: int = 0  # targets trained on
    seconds: float = 0.0  # of training, over all starts
    loss_sum: float = 0.0  # nats since the last training row, over all processes
    loss_targets: int = 0
    loss_seconds: float = 0.0
    best_step: int = -1
    best_bits_per_char: float = float("inf")
    stale_evaluations: int = 0  # since validation last improved by the threshold
    stale_bits_per_char: float = float("inf")  # what it has to improve on
    nonfinite_steps: int = 0  # updates skipped because a loss or gradient was not finite
    nonfinite_in_a_row: int = 0
    overflow_steps: int = 0  # updates skipped while fp16's loss scale was too high


def list_checkpoints(paths: RunPaths) -> list[int]:
    """Steps that have a whole checkpoint, oldest first."""
    if not paths.checkpoints.is_dir():
        return []
    found = (STEP_FOLDER.fullmatch(path.name) for path in paths.checkpoints.iterdir())
    steps = [int(match.group(1)) for match in found if match]
    return sorted(step for step in steps if (paths.checkpoint(step) / STATE).is_file())


def save_checkpoint(
    paths: RunPaths,
    accelerator: "Accelerator",
    model: torch.nn.Module,
    optimizers: list[Any],
    state: TrainingState,
    *,
    made_with: dict[str, Any],
    keep: int,
    average: torch.nn.Module | None = None,
) -> None:
    """Write the checkpoint of `state.step` and remove the oldest; called by every process.

    `model` is the plain model, neither compiled nor wrapped; `made_with` is kept beside the state;
    `average` holds the moving average of the weights, when there is one.
    """
    folder = paths.checkpoint(state.step)
    new = folder.with_name(folder.name + ".partial")
    if accelerator.is_main_process:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
    accelerator.wait_for_everyone()
    torch.save(random_state(), new / random_file(accelerator.process_index))
    states = whole([optimizer.state_dict() for optimizer in optimizers])
    if accelerator.is_main_process:
        save_weights(model, str(new / WEIGHTS))
        if average is not None:
            save_weights(average, str(new / AVERAGE))
        scaler = accelerator.scaler.state_dict() if accelerator.scaler else {}
        torch.save({"optimizers": states, "scaler": scaler}, new / OPTIMIZER)
        text = json.dumps({"state": asdict(state), **made_with}, ensure_ascii=False, indent=2)
        (new / STATE).write_text(text + "\n", encoding="utf-8")
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
        for step in list_checkpoints(paths)[:-keep]:
            shutil.rmtree(paths.checkpoint(step))


def load_checkpoint(
    paths: RunPaths,
    step: int,
    accelerator: "Accelerator",
    model: torch.nn.Module,
    optimizers: list[Any],
    *,
    average: torch.nn.Module | None = None,
) -> TrainingState:
    """Put everything back as it was after `step`; called by every process.

    An average that the checkpoint does not have starts from its weights.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    folder = paths.checkpoint(step)
    try:
        load_model(model, str(folder / WEIGHTS))
        if average is not None:
            kept_average = folder / AVERAGE
            load_model(average, str(kept_average if kept_average.is_file() else folder / WEIGHTS))
        saved = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
        for optimizer, kept in zip(optimizers, saved["optimizers"], strict=True):
            load_optimizer_state(optimizer, kept)
        if accelerator.scaler and saved["scaler"]:
            accelerator.scaler.load_state_dict(saved["scaler"])
        random = folder / random_file(accelerator.process_index)
        if random.is_file():  # another number of processes: new ones start from their seed
            restore_random_state(torch.load(random, map_location="cpu", weights_only=True))
    except (
        OSError, RuntimeError, ValueError, KeyError, SafetensorError, pickle.UnpicklingError
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _(
                "{folder}: the checkpoint cannot be read ({reason}); delete that folder and resume "
                "from the one before."
            ).format(folder=folder, reason=reason)
        ) from error
    return TrainingState(**read_state(paths, step)["state"])


def read_state(paths: RunPaths, step: int) -> dict[str, Any]:
    """A checkpoint's `state`, and the `settings` and `blocks` fingerprint that it was made with."""
    path = paths.checkpoint(step) / STATE
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def random_file(rank: int) -> str:
    return f"random-{rank}.pt"


def random_state() -> dict[str, torch.Tensor]:
    """The generators that dropout draws from."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
