"""`compare A B …`: runs, models and checkpoints side by side, paired by document."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import (
    disk_errors_as_sentences,
    quieten_libraries,
    say,
    show_table,
)
from hf_zh_dict.messages import N_, InputError, _

if TYPE_CHECKING:
    from rich.table import Table


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "models", nargs="+", metavar="MODEL",
        help=_("a run, a run's checkpoint as RUN@STEP, a model folder or Hub id"),
    )  # fmt: skip
    command.add_argument(
        "--corpus", type=Path, metavar="RUN_OR_FOLDER",
        help=_("the corpus to judge by, when none of the models is a run's"),
    )  # fmt: skip
    command.add_argument(
        "--output", type=Path, default=Path("comparison"), metavar="FOLDER",
        help=_("where table and picture are written (comparison)"),
    )  # fmt: skip


def run_compare(arguments: argparse.Namespace) -> int:
    """Show the table, write it and the picture."""
    from hf_zh_dict.pipeline.judging import run_comparison

    if len(arguments.models) < 2:
        raise InputError(_("compare: name two models or more."))
    quieten_libraries()
    with disk_errors_as_sentences(arguments.output):
        comparison, files = run_comparison(
            arguments.models, say, corpus=arguments.corpus, output=arguments.output
        )
    show_table(tabulate(comparison))
    for file in files:
        say(_("written: {file}").format(file=file))
    return 0


def tabulate(comparison: dict[str, Any]) -> "Table":
    """A row a model; the difference to the first is marked when its interval leaves out 0."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(_("model"))
    for title in (
        _("step"), _("parameters"), _("hours"), _("test loss"), _("validation bits"),
        _("test bits"), _("test, against the first"),
    ):  # fmt: skip
        table.add_column(title, justify="right")
    for number, model in enumerate(comparison["models"]):
        table.add_row(
            model["name"],
            f"{model['step']:,}" if "step" in model else "–",
            f"{model['parameters']:,}",
            f"{model['hours']:.2f}" if "hours" in model else "–",
            f"{model['test']['loss']['value']:.3f}",
            format_interval(model["validation"]["bits_per_char"]),
            format_interval(model["test"]["bits_per_char"]),
            format_difference(model["test"]["difference"]) if number else "–",
        )
    return table


def format_interval(measure: dict[str, Any], sign: str = "") -> str:
    interval = (
        f" ({measure['low']:{sign}.3f}–{measure['high']:{sign}.3f})" if "low" in measure else ""
    )
    return f"{measure['value']:{sign}.3f}{interval}"


def format_difference(measure: dict[str, Any]) -> str:
    """`-0.120 (-0.131–-0.109) *`; the star: 0 lies outside."""
    outside = "low" in measure and not measure["low"] <= 0 <= measure["high"]
    return format_interval(measure, "+").replace("–", " … ") + (" *" if outside else "")


COMPARE = Command(
    "compare",
    N_("put runs, models and checkpoints side by side, paired by document"),
    run_compare,
    add_options,
    usage="MODEL MODEL … [--corpus RUN_OR_FOLDER] [--output FOLDER]",
)
