"""What the command line knows of a command: its name, what it does, its options, how it is run."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One word behind `hf-zh-dict`.

    `run` returns the process's exit code. A mistake of the user's is raised as `InputError`.
    """

    name: str
    explanation: str  # marked with N_, one line
    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None]
    usage: str = "[--option …] [--section.setting …]"
