"""`report RUN`: the page about a run, drawn anew from its folder alone."""

import argparse
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.options import add_run_argument
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, say
from hf_zh_dict.messages import N_, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import DEFAULT_PRESET


def run_report(arguments: argparse.Namespace) -> int:
    from hf_zh_dict.sharing.run_page import write_run_page

    paths = RunPaths(Path(arguments.run or Path("runs") / DEFAULT_PRESET))
    with disk_errors_as_sentences(paths.root):
        say(_("page: {page}").format(page=write_run_page(paths)))
    return 0


REPORT = Command(
    "report",
    N_("write a page about a run from its folder: data, curves, evaluation, samples, settings"),
    run_report,
    add_run_argument,
    usage="[RUN]",
)
