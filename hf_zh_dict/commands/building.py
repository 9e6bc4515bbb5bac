"""`corpus`, `tokenizer`, `blocks`, `train`: the commands that build a run, stage by stage."""

import argparse

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.options import add_config_options, resolve_config
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, quieten_libraries, say
from hf_zh_dict.messages import N_, _


def add_corpus_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--report",
        action="store_true",
        help=_("write a page about the corpus too, corpus.html in the run folder"),
    )
    add_config_options(command)


def add_tokenizer_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--report",
        action="store_true",
        help=_("write a page about the tokenizer too, tokenizer.html in the run folder"),
    )
    add_config_options(command)


def add_train_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--resume",
        action="store_true",
        help=_("go on from the newest checkpoint in the run folder"),
    )
    command.add_argument(
        "--overwrite",
        action="store_true",
        help=_("delete the run folder's training and start again"),
    )
    add_config_options(command)


def run_corpus(arguments: argparse.Namespace) -> int:
    from hf_zh_dict.pipeline.building import ensure_corpus
    from hf_zh_dict.pipeline.reporting import report_corpus

    config, paths = resolve_config(arguments)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        (report_corpus if arguments.report else ensure_corpus)(config, paths, say)
    return 0


def run_tokenizer(arguments: argparse.Namespace) -> int:
    from hf_zh_dict.pipeline.building import ensure_tokenizer
    from hf_zh_dict.pipeline.reporting import report_tokenizer

    config, paths = resolve_config(arguments)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        (report_tokenizer if arguments.report else ensure_tokenizer)(config, paths, say)
    return 0


def run_blocks(arguments: argparse.Namespace) -> int:
    from hf_zh_dict.pipeline.building import ensure_blocks

    config, paths = resolve_config(arguments)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        ensure_blocks(config, paths, say)
    return 0


def run_train(arguments: argparse.Namespace) -> int:
    from hf_zh_dict.pipeline.training import run_training

    config, paths = resolve_config(arguments)
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        return run_training(
            config, paths, say, resume=arguments.resume, overwrite=arguments.overwrite
        )


CORPUS = Command(
    "corpus",
    N_("read the dictionaries and divide them into train, validation and test"),
    run_corpus,
    add_corpus_options,
)
TOKENIZER = Command(
    "tokenizer",
    N_("train the tokenizer on the train split"),
    run_tokenizer,
    add_tokenizer_options,
)
BLOCKS = Command(
    "blocks",
    N_("encode the train split into training blocks"),
    run_blocks,
    add_config_options,
)
TRAIN = Command(
    "train",
    N_("train the model; builds what is missing or out of date before it"),
    run_train,
    add_train_options,
)
