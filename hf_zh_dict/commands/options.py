"""Options that several commands share in; the `Config` and run folder that they ask for out."""

import argparse
from pathlib import Path
from typing import Any

from hf_zh_dict.config import Config
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import DEFAULT_PRESET, list_settings, load_config, preset_names


def add_run_argument(command: argparse.ArgumentParser) -> None:
    """The run that a command reads, as its first word."""
    command.add_argument("run", nargs="?", metavar="RUN", help=_("run folder"))


def add_config_options(command: argparse.ArgumentParser) -> None:
    """Preset, YAML file, run folder, and every setting as `--section.name`."""
    command.add_argument(
        "--preset",
        metavar="NAME",
        help=_("a shipped preset: {names}").format(names=", ".join(preset_names())),
    )
    command.add_argument("--config", type=Path, metavar="FILE", help=_("a YAML file of settings"))
    command.add_argument(
        "--output-dir", type=Path, metavar="RUN", help=_("run folder (default: runs/<preset>)")
    )
    groups: dict[str, Any] = {}
    for key, kind, default, explanation in list_settings():
        section = key.split(".")[0]
        if section not in groups:
            groups[section] = command.add_argument_group(section)
        shown = " ".join(default) if isinstance(default, tuple) else default
        several = {"nargs": "*"} if "tuple" in str(kind) else {}
        groups[section].add_argument(
            "--" + key.replace("_", "-"), dest=key, default=argparse.SUPPRESS, metavar="VALUE",
            help=f"{_(explanation)} ({'–' if shown in (None, '') else shown})".replace("%", "%%"),
            **several,
        )  # fmt: skip


def resolve_config(arguments: argparse.Namespace) -> tuple[Config, RunPaths]:
    """The settings and the run folder that the arguments ask for.

    A run folder's own `config.yaml` is the base for a command that reads a run, and for
    `train --resume` when neither preset nor file is named.

    Raises:
        InputError: a setting cannot be used, or the run folder is a file.
    """
    overrides = {key: value for key, value in vars(arguments).items() if "." in key}
    reads_run = hasattr(arguments, "run")
    named = getattr(arguments, "run", None)
    folder = Path(named) if named else arguments.output_dir
    preset, path = arguments.preset, arguments.config
    if folder is None:
        folder = Path("runs") / (preset or (path.stem if path else DEFAULT_PRESET))
    paths = RunPaths(folder)
    if not preset and not path:
        if (reads_run or getattr(arguments, "resume", False)) and paths.config.is_file():
            path = paths.config
        elif not reads_run:
            preset = DEFAULT_PRESET
    config = load_config(preset=preset, path=path, overrides=overrides)
    if paths.root.exists() and not paths.root.is_dir():
        raise InputError(_("{folder}: is a file, not a run folder.").format(folder=paths.root))
    return config, paths
