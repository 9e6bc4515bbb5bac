"""Settings and the launcher's environment in, the one `Accelerator` of a process out."""

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.config import Config, TrainConfig
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import nearest
from hf_zh_dict.training.device import keep_freed_memory, multiplies_bfloat16

if TYPE_CHECKING:
    from accelerate import Accelerator

LAST_SECONDS = 0.2


def make_accelerator(config: Config, paths: RunPaths) -> "Accelerator":
    """The one `Accelerator`; processes and precision are its launcher's unless the settings differ.

    Raises:
        InputError: the device cannot do the precision, or a tracker is not installed.
    """
    check_trackers(config.train.report_to)
    from accelerate import Accelerator, InitProcessGroupKwargs
    from accelerate.utils import ProjectConfiguration

    try:
        accelerator = Accelerator(
            mixed_precision=choose_precision(config.train) or None,
            cpu=config.train.use_cpu,
            log_with=list(config.train.report_to) or None,
            project_config=ProjectConfiguration(
                project_dir=str(paths.root), logging_dir=str(paths.trackers)
            ),
            # one process builds the corpus while the others wait
            kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(hours=12))],
        )
    except (ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise InputError(_("the run cannot start: {reason}").format(reason=reason)) from error
    if accelerator.device.type == "cpu":
        if accelerator.mixed_precision == "fp16":
            raise InputError(
                _("train.mixed_precision: fp16 needs a GPU; use bf16 or no on the CPU.")
            )
        keep_freed_memory()
        torch.set_num_threads(config.train.cpu_threads or share_of_cores())
    return accelerator


def choose_precision(config: TrainConfig) -> str:
    """What `train.mixed_precision` says; for `auto` the quickest that this machine is made for."""
    if config.mixed_precision != "auto":
        return config.mixed_precision
    from accelerate.utils import parse_flag_from_env

    on_cpu = config.use_cpu or parse_flag_from_env("ACCELERATE_USE_CPU")
    device = torch.device("cuda" if torch.cuda.is_available() and not on_cpu else "cpu")
    if multiplies_bfloat16(device):
        return "bf16"
    return "fp16" if device.type == "cuda" else "no"


def check_trackers(names: Sequence[str]) -> None:
    """Accelerate leaves out a tracker that is not installed without a word; we say it.

    Raises:
        InputError: a tracker is unknown, or not installed.
    """
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise InputError(
                _(
                    "train.report_to: unknown tracker “{name}”{hint}; the trackers are {names}."
                ).format(
                    name=name,
                    hint=nearest(name, list(LOGGER_TYPE_TO_CLASS)),
                    names=", ".join(LOGGER_TYPE_TO_CLASS),
                )
            )
        if name not in {str(tracker) for tracker in get_available_trackers()}:
            raise InputError(
                _(
                    "train.report_to: the tracker {name} is not installed; pip install {name}, or leave "
                    "it out."
                ).format(name=name)
            )


def start_trackers(config: Config, paths: RunPaths, accelerator: "Accelerator") -> None:
    """Start them with the run's settings and name; files go into the run's `trackers/`."""
    paths.trackers.mkdir(parents=True, exist_ok=True)
    name = paths.root.resolve().name
    accelerator.init_trackers(
        "training",
        config=flat_settings(config),
        init_kwargs={
            "wandb": {"dir": str(paths.trackers), "name": name},
            "trackio": {"name": name},
        },
    )


def end_together(accelerator: "Accelerator") -> None:
    """Wait for all processes, then close trackers and the connections between processes.

    Gloo's threads may still hold a tensor of the last reduction and need Python's lock to let go of
    it; whoever takes their process group down meanwhile, with the lock, waits for them for ever
    (pytorch issue 56297; in torch 2.13 about once in fifty runs). So they get the lock for a moment.
    """
    accelerator.wait_for_everyone()
    if accelerator.num_processes > 1:
        time.sleep(LAST_SECONDS)
    accelerator.end_training()


def share_of_cores() -> int:
    """This process's share of the cores; launchers leave one thread to each process."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def flat_settings(config: Config) -> dict[str, str | int | float]:
    """The settings as trackers want them: dotted keys, plain values."""
    return {
        f"{section}.{name}": value if isinstance(value, int | float) else str(value)
        for section, values in config.to_dict().items()
        for name, value in values.items()
    }
