"""`plan`: what a run will take on this machine, before it is started."""

import argparse

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.options import add_config_options, resolve_config
from hf_zh_dict.commands.terminal import (
    disk_errors_as_sentences,
    quieten_libraries,
    say,
    show_table,
)
from hf_zh_dict.config import check
from hf_zh_dict.messages import N_, _
from hf_zh_dict.progress import format_seconds, is_main_process


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--steps", type=int, default=3, metavar="N", help=_("steps that are timed (3)")
    )
    add_config_options(command)


def run_plan(arguments: argparse.Namespace) -> int:
    """A table of what was counted, measured and estimated, and what speaks against the run."""
    from rich.table import Table

    from hf_zh_dict.pipeline.training import plan_training

    check(arguments.steps >= 1, "--steps", N_("must be at least 1"))
    config, paths = resolve_config(arguments)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        plan = plan_training(config, paths, say, timed_steps=arguments.steps)
    if not is_main_process():
        return 0
    counted = _("counted")
    measured = _("measured here, in {steps} steps").format(steps=plan.timed_steps)
    batch = _("{batch} blocks × {accumulation} × {processes} process(es)").format(
        batch=plan.batch_size, accumulation=plan.accumulation, processes=plan.processes
    )
    table = Table(box=None, pad_edge=False)
    table.add_column(_("plan"))
    table.add_column(justify="right")
    table.add_column()
    for title, value, known in (
        (_("parameters"), f"{plan.parameters:,}", counted),
        (_("tokens an epoch"), f"{plan.epoch_tokens:,}", counted),
        (_("tokens a step"), f"{plan.step_tokens:,.0f}", f"{counted}, {batch}"),
        (_("steps"), f"{plan.steps:,}", "train.max_steps"),
        (_("epochs"), f"{plan.epochs:.2f}", counted),
        (_("tokens for each parameter"), f"{plan.tokens_per_parameter:.1f}", counted),
        (_("seconds a step"), f"{plan.seconds_per_step:.3f}", measured),
        (_("tokens a second"), f"{plan.tokens_per_second:,.0f}", measured),
        (_("memory of a process, GB"), f"{plan.memory_gigabytes:.2f}", measured),
        (
            _("seconds an evaluation"),
            f"{plan.seconds_per_evaluation:.1f}",
            _("estimated from some documents"),
        ),
        (
            _("whole run"),
            format_seconds(plan.hours * 3600),
            _(
                "estimated: {hours:.2f} hours, with {evaluations} evaluations, without samples"
            ).format(hours=plan.hours, evaluations=plan.evaluations),
        ),
    ):
        table.add_row(title, value, known)
    show_table(table)
    for warning in plan.warnings():
        say(_("warning: {text}").format(text=warning))
    return 0


PLAN = Command(
    "plan",
    N_("predict a training's time, memory and epochs on this machine from a few timed steps"),
    run_plan,
    add_options,
)
