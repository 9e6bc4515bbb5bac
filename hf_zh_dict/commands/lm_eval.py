"""`lm-eval RUN_OR_FOLDER`: a corpus's held-out entries as tasks that lm-eval runs on any model."""

import argparse
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, say
from hf_zh_dict.messages import N_, _


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "corpus", type=Path, metavar="RUN_OR_FOLDER",
        help=_("the corpus, of a run or in a folder of its own"),
    )  # fmt: skip
    command.add_argument(
        "--output", type=Path, default=Path("lm-eval-tasks"), metavar="FOLDER",
        help=_("where tasks and questions are written (lm-eval-tasks)"),
    )  # fmt: skip


def run_lm_eval(arguments: argparse.Namespace) -> int:
    """Write the tasks and say how they are run."""
    from hf_zh_dict.evaluation.lm_eval_tasks import write_tasks
    from hf_zh_dict.paths import RunPaths
    from hf_zh_dict.pipeline.judging import find_corpus

    folder = find_corpus(arguments.corpus)
    with disk_errors_as_sentences(arguments.output):
        names = write_tasks(RunPaths(folder.parent, folder), arguments.output)
    say(_("written: {file}").format(file=arguments.output))
    say(
        "lm_eval --model hf --model_args pretrained=MODEL,add_bos_token=True --device cpu "
        f"--include_path {arguments.output} --tasks {','.join(names)}"
    )
    return 0


LM_EVAL = Command(
    "lm-eval",
    N_("write held-out entries as tasks for lm-eval"),
    run_lm_eval,
    add_options,
    usage="RUN_OR_FOLDER [--output FOLDER]",
)
