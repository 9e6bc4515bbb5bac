"""`push-corpus RUN`: a run's corpus to the Hub, as a dataset."""

import argparse
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.publishing import add_publishing_options, publish
from hf_zh_dict.commands.terminal import disk_errors_as_sentences
from hf_zh_dict.messages import N_, _
from hf_zh_dict.paths import RunPaths


def add_options(command: argparse.ArgumentParser) -> None:
    add_publishing_options(command, repository=_("dataset repository on the Hub"))
    command.add_argument(
        "--license",
        default="",
        metavar="ID",
        help=_("licence of your own text, by its id on the Hub, as in mit"),
    )


def run_push_corpus(arguments: argparse.Namespace) -> int:
    """Show what the repository will hold, or send it and say where it stands."""
    from hf_zh_dict.sharing.publish import prepare_corpus, push_corpus

    paths = RunPaths(Path(arguments.run))
    with disk_errors_as_sentences(paths.root):
        publication = prepare_corpus(
            paths.corpus,
            repo_id=arguments.repo_id,
            license_id=arguments.license,
            terms_read=arguments.terms_read,
        )
        return publish(
            publication,
            lambda: push_corpus(publication, public=arguments.public),
            public=arguments.public,
            dry_run=arguments.dry_run,
        )


PUSH_CORPUS = Command(
    "push-corpus",
    N_("put a run's corpus on the Hub, as a dataset with its card"),
    run_push_corpus,
    add_options,
    usage="RUN --repo-id OWNER/NAME [--public] [--dry-run] [--terms-read] [--license ID]",
)
