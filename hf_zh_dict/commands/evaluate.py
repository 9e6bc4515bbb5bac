"""`evaluate RUN_OR_MODEL`: suites run on a model, their measures as tables and in a file."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.generate import find_model
from hf_zh_dict.commands.options import add_config_options, add_run_argument, resolve_config
from hf_zh_dict.commands.terminal import (
    disk_errors_as_sentences,
    quieten_libraries,
    say,
    show_table,
)
from hf_zh_dict.messages import N_, _

if TYPE_CHECKING:
    from rich.table import Table


def add_options(command: argparse.ArgumentParser) -> None:
    add_run_argument(command)
    command.add_argument(
        "--suite", nargs="+", default=[], metavar="NAME", help=_("which suites (default: all)")
    )
    command.add_argument(
        "--corpus", type=Path, metavar="RUN_OR_FOLDER",
        help=_("the corpus to judge by, of another run or in a folder of its own"),
    )  # fmt: skip
    command.add_argument(
        "--output", type=Path, metavar="FILE",
        help=_("the report (default: evaluation.json, in the run folder or here)"),
    )  # fmt: skip
    command.add_argument(
        "--judged", type=Path, metavar="FILE",
        help=_("read a filled sheet of continuations into the report; nothing else is run"),
    )  # fmt: skip
    add_config_options(command)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Run the suites and show what each of them measured."""
    from hf_zh_dict.evaluation.suites import describe_suite
    from hf_zh_dict.pipeline.judging import run_evaluation

    config, paths = resolve_config(arguments)
    if arguments.judged:
        here = paths.evaluation if paths.model.is_dir() else Path("evaluation.json")
        return run_judged(arguments.judged, arguments.output or here)
    model = find_model(arguments.run, paths)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        report, output = run_evaluation(
            config, paths, say,
            model=model, suites=arguments.suite, corpus=arguments.corpus, output=arguments.output,
        )  # fmt: skip
    for name in arguments.suite or report["suites"]:
        for table in tabulate(name, report["suites"][name]):
            show_table(table)
        for sentence in describe_suite(name, report["suites"][name]):
            say(sentence)
    say(_("written: {file}").format(file=output))
    return 0


def run_judged(judged: Path, output: Path) -> int:
    """Add judges' answers to a report and show them."""
    from hf_zh_dict.evaluation.results import add_judgement

    report = add_judgement(output, judged)
    for table in tabulate("judged", report["suites"]["continuation"]["judged"]):
        show_table(table)
    say(_("written: {file}").format(file=output))
    return 0


def tabulate(suite: str, results: dict[str, Any]) -> Iterator["Table"]:
    """A suite's measures: a row for what is measured, a column for each measure's name."""
    from rich.table import Table

    from hf_zh_dict.evaluation.tables import arrange_measures, format_measure

    chance = _("chance {chance:.3f}")
    for measures in arrange_measures(results):
        table = Table(box=None, pad_edge=False)
        table.add_column(suite)
        for name in measures.names:
            table.add_column(name, justify="right")
        for place, row in measures.rows.items():
            cells = [
                format_measure(row[name], chance) if name in row else "" for name in measures.names
            ]
            table.add_row(" ".join(place), *cells)
        yield table


EVALUATE = Command(
    "evaluate",
    N_("judge a model by suites, beside simple models and chance"),
    run_evaluate,
    add_options,
    usage="[RUN_OR_MODEL] [--suite NAME …] [--corpus RUN_OR_FOLDER] [--option …]",
)
