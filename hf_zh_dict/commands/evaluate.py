"""`evaluate RUN`: a run's held-out splits scored, beside simple models."""

import argparse

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.options import add_config_options, add_run_argument, resolve_config
from hf_zh_dict.commands.terminal import quieten_libraries, say, show_table
from hf_zh_dict.messages import N_, _


def add_options(command: argparse.ArgumentParser) -> None:
    add_run_argument(command)
    add_config_options(command)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Score the run and show its bits beside the simple models'."""
    from rich.table import Table

    from hf_zh_dict.pipeline import run_evaluation

    config, paths = resolve_config(arguments)
    quieten_libraries()
    results = run_evaluation(config, paths, say)
    table = Table(box=None, pad_edge=False)
    table.add_column(_("bits per character"))
    for split in results["splits"]:
        table.add_column(split, justify="right")
    names = {
        "bits_per_char": _("this model"),
        "character_bigram": _("character bigram"),
        "character_5gram": _("character 5-gram"),
        "xz": _("xz primed with the train split"),
    }
    for key, title in names.items():
        scores = [
            result[key] if key in result else result["baselines"][key]
            for result in results["splits"].values()
        ]
        table.add_row(title, *(f"{score:.3f}" for score in scores))
    show_table(table)
    for split, result in results["splits"].items():
        say(
            _(
                "{split}: {documents:,} documents, {bits_per_byte:.3f} bits per byte, loss {loss:.3f}, "
                "perplexity {perplexity:,.1f} per token"
            ).format(split=split, **result)
        )
    say(_("written: {file}").format(file=paths.evaluation))
    return 0


EVALUATE = Command(
    "evaluate",
    N_("score a run's validation and test splits beside simple models"),
    run_evaluate,
    add_options,
    usage="[RUN] [--option …] [--section.setting …]",
)
