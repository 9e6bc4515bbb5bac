"""The whole state of training in, `checkpoints/step-NNNNNN/` out, and back.

A checkpoint is written beside, flushed to the disk and moved into place when it is whole. It holds
the weights (safetensors, plain keys) and their moving average, the optimizers, the loop's state, the
best weights so far when they are other ones, and a manifest with every file's size and SHA-256, which is verified
before anything is read. No random state is kept: a micro-batch carries its own seed.
"""

import errno
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from safetensors.torch import save as safetensors_bytes

from hf_zh_dict.files import (
    OLD,
    PARTIAL,
    new_folder,
    remove,
    replace_folder,
    sync_folder,
    write_synced,
)
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.stages import fingerprint, hash_file
from hf_zh_dict.training.sharding import load_optimizer_state, moments_fit, whole

if TYPE_CHECKING:
    from accelerate import Accelerator

WEIGHTS, OPTIMIZER, STATE, BEST = "model.safetensors", "optimizer.pt", "state.json", "best.safetensors"  # fmt: skip
AVERAGE, MANIFEST = "ema.safetensors", "manifest.json"
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
    eval_seconds: float = 0.0  # of the longest evaluation and checkpoint so far
    save_seconds: float = 0.0


@dataclass(frozen=True)
class Kept:
    """Which checkpoints rotation leaves: the newest, the best, and every so many steps one."""

    newest: int
    every_steps: int = 0  # 0: none


def list_checkpoints(paths: RunPaths) -> list[int]:
    """Steps that have a checkpoint's folder, whole or not, oldest first."""
    if not paths.checkpoints.is_dir():
        return []
    found = (STEP_FOLDER.fullmatch(path.name) for path in paths.checkpoints.iterdir())
    return sorted(int(match.group(1)) for match in found if match)


def find_damage(folder: Path) -> str:
    """Why a checkpoint cannot be trusted, in a few words; empty when every byte is as written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        if manifest["fingerprint"] != fingerprint(files=files, best=manifest["best"]):
            return _("{file} is not what was written").format(file=MANIFEST)
        for name, facts in files.items():
            file = folder / name
            if not file.is_file():
                return _("{file} is missing").format(file=name)
            if file.stat().st_size != facts["bytes"]:
                return _("{file} has {have:,} bytes, {bytes:,} were written").format(
                    file=name, have=file.stat().st_size, bytes=facts["bytes"]
                )
            if hash_file(file) != facts["sha256"]:
                return _("{file} is not what was written").format(file=name)
    except FileNotFoundError as error:
        return _("{file} is missing").format(file=Path(error.filename).name)
    except OSError as error:
        return str(error.strerror or error)
    except (ValueError, LookupError, TypeError, AttributeError):
        return _("{file} is not what was written").format(file=MANIFEST)
    return ""


def find_whole_checkpoint(paths: RunPaths) -> tuple[int | None, list[str]]:
    """The newest whole checkpoint's step (none: there is no checkpoint), and what newer ones lack.

    Raises:
        InputError: there are checkpoints, and all of them are damaged.
    """
    damages: list[str] = []
    steps = list_checkpoints(paths)
    for step in reversed(steps):
        folder = paths.checkpoint(step)
        damage = find_damage(folder)
        if not damage:
            return step, damages
        damages.append(_("{folder} is damaged: {damage}").format(folder=folder, damage=damage))
    if steps:
        raise InputError(
            _(
                "{damages}; no whole checkpoint is left: add --overwrite to start again, or choose "
                "another --output-dir."
            ).format(damages="; ".join(damages))
        )
    return None, []


def save_checkpoint(
    paths: RunPaths,
    accelerator: "Accelerator",
    model: torch.nn.Module,
    optimizers: list[Any],
    state: TrainingState,
    *,
    made_with: dict[str, Any],
    kept: Kept,
    average: torch.nn.Module | None = None,
) -> None:
    """Write the checkpoint of `state.step` and remove what need not be kept; called by every process.

    `model` is the plain model, neither compiled nor wrapped; `made_with` is kept beside the state;
    `average` holds the moving average of the weights, when there is one.

    Raises:
        InputError: it could not be written, in every process; the ones before are whole.
    """
    trouble = ""
    states = whole([optimizer.state_dict() for optimizer in optimizers])
    models = {WEIGHTS: model} | ({AVERAGE: average} if average is not None else {})
    if accelerator.is_main_process:
        folder = paths.checkpoint(state.step)
        try:
            new = new_folder(folder)
            write_files(new, paths, accelerator, models, states, state, made_with)
            replace_folder(new, folder)
            rotate(paths, state, kept)
        except OSError as error:
            trouble = describe_failure(paths, folder, error)
    failed = torch.tensor(int(bool(trouble)), device=accelerator.device)
    if int(accelerator.reduce(failed, reduction="sum")):  # every process waits here for the files
        raise InputError(trouble)


def write_files(
    folder: Path,
    paths: RunPaths,
    accelerator: "Accelerator",
    models: dict[str, torch.nn.Module],
    states: list[Any],
    state: TrainingState,
    made_with: dict[str, Any],
) -> None:
    """A checkpoint's files, one after another so that one at a time is in memory, then the manifest.

    Everything is made into bytes first: what goes wrong on writing is then an `OSError`.
    """

    def contents() -> Iterator[tuple[str, bytes]]:
        # a tied matrix has one name here, and compiled models keep their plain names
        for name, model in models.items():
            parameters = {n: p.detach().cpu().contiguous() for n, p in model.named_parameters()}
            yield name, safetensors_bytes(parameters, metadata={"format": "pt"})
        buffer = io.BytesIO()
        scaler = accelerator.scaler.state_dict() if accelerator.scaler else {}
        torch.save({"optimizers": states, "scaler": scaler}, buffer)
        yield OPTIMIZER, buffer.getvalue()
        text = json.dumps({"state": asdict(state), **made_with}, ensure_ascii=False, indent=2)
        yield STATE, (text + "\n").encode()

    files: dict[str, dict[str, Any]] = {}

    def write(name: str, data: bytes) -> None:
        write_synced(folder / name, data)
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    for name, data in contents():
        write(name, data)
    best = paths.model / WEIGHTS if state.best_step >= 0 else None
    best_name: str | None = None
    if best:
        digest = hash_file(best)
        best_name = next((name for name in models if files[name]["sha256"] == digest), BEST)
        if best_name == BEST:
            write(BEST, best.read_bytes())
    manifest = {"files": files, "best": best_name}
    text = json.dumps({"fingerprint": fingerprint(**manifest), **manifest}, indent=2)
    write_synced(folder / MANIFEST, (text + "\n").encode())
    sync_folder(folder)


def describe_failure(paths: RunPaths, folder: Path, error: OSError) -> str:
    """One sentence on a checkpoint that could not be written; its half is removed."""
    reason = error.strerror or str(error)
    try:
        remove(folder.with_name(folder.name + PARTIAL))
        whole = [s for s in list_checkpoints(paths) if not find_damage(paths.checkpoint(s))]
    except OSError:
        whole = []
    if not whole:
        return _(
            "{folder}: the checkpoint cannot be written ({reason}), and there is none before it."
        ).format(folder=folder, reason=reason)
    advice = (
        _("make room on the disk and go on with --resume")
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        else _("mend that and go on with --resume")
    )
    return _(
        "{folder}: the checkpoint cannot be written ({reason}); the one of step {step} is whole: "
        "{advice}."
    ).format(folder=folder, reason=reason, step=whole[-1], advice=advice)


def rotate(paths: RunPaths, state: TrainingState, kept: Kept) -> None:
    """Remove what is neither among the newest, nor the best, nor one of every so many steps.

    What stands behind the state was damaged or belongs to a training that was given up.
    """
    steps = list_checkpoints(paths)
    line = [step for step in steps if step <= state.step]
    stay = {*line[-kept.newest :], state.best_step}
    if kept.every_steps:
        stay |= {step for step in line if step % kept.every_steps == 0}
    for step in steps:
        if step not in stay:
            remove(paths.checkpoint(step))
    for path in paths.checkpoints.iterdir():
        if path.name.endswith((PARTIAL, OLD)):
            remove(path)


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

    The checkpoint must have been found whole. An average that it does not have starts from its
    weights.

    Raises:
        InputError: the optimizers' moments are not in the order of today's parameters.
    """
    folder = paths.checkpoint(step)
    load_weights(model, folder / WEIGHTS)
    if average is not None:
        file = folder / AVERAGE
        load_weights(average, file if file.is_file() else folder / WEIGHTS)
    saved = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
    for optimizer, before in zip(optimizers, saved["optimizers"], strict=True):
        if not moments_fit(optimizer, before):
            raise InputError(
                _(
                    "{file}: the optimizer's moments are in an earlier version's order; go on with that "
                    "version, or start again with --overwrite."
                ).format(file=folder / OPTIMIZER)
            )
        load_optimizer_state(optimizer, before)
    if accelerator.scaler and saved["scaler"]:
        accelerator.scaler.load_state_dict(saved["scaler"])
    return TrainingState(**read_state(paths, step)["state"])


def load_weights(model: torch.nn.Module, file: Path) -> None:
    weights = load_file(file)
    parameters = dict(model.named_parameters())
    assert weights.keys() == parameters.keys()
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])


def read_state(paths: RunPaths, step: int) -> dict[str, Any]:
    """A checkpoint's `state`, and what it was made with: settings, blocks, blocks in a step."""
    path = paths.checkpoint(step) / STATE
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def best_weights(paths: RunPaths, step: int) -> Path | None:
    """The file of the best weights as they were known at `step`; none before any evaluation."""
    folder = paths.checkpoint(step)
    name = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["best"]
    return folder / name if name else None
