"""`push RUN`: a run's model to the Hub, with its card."""

import argparse
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.publishing import add_publishing_options, publish
from hf_zh_dict.commands.terminal import disk_errors_as_sentences
from hf_zh_dict.messages import N_, _
from hf_zh_dict.paths import RunPaths


def add_options(command: argparse.ArgumentParser) -> None:
    add_publishing_options(command, repository=_("model repository on the Hub"))
    command.add_argument(
        "--subfolder",
        default="",
        metavar="NAME",
        help=_("folder of this model, when its repository holds several"),
    )
    command.add_argument("--tag", default="", metavar="NAME", help=_("tag for this commit"))
    command.add_argument(
        "--license",
        default="",
        metavar="ID",
        help=_("licence that you state for the model, by its id on the Hub"),
    )


def run_push(arguments: argparse.Namespace) -> int:
    """Show what the repository will hold, or send it and say where it stands."""
    from hf_zh_dict.sharing.publish_model import Destination, prepare_model, push_model

    paths = RunPaths(Path(arguments.run))
    destination = Destination(
        arguments.repo_id, arguments.public, arguments.subfolder, arguments.tag, arguments.license,
        arguments.terms_read,
    )  # fmt: skip
    with disk_errors_as_sentences(paths.root):
        publication = prepare_model(paths, destination)
        return publish(
            publication,
            lambda: push_model(publication, destination),
            public=arguments.public,
            dry_run=arguments.dry_run,
        )


PUSH = Command(
    "push",
    N_("put a run's model on the Hub, with its card"),
    run_push,
    add_options,
    usage="RUN --repo-id OWNER/NAME [--subfolder NAME] [--tag NAME] [--public] [--dry-run] "
    "[--terms-read] [--license ID]",
)
