"""`push RUN`: a run's model to the Hub, with its card."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.publishing import add_publishing_options, publish
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, say
from hf_zh_dict.messages import N_, _
from hf_zh_dict.paths import RunPaths

if TYPE_CHECKING:
    from hf_zh_dict.sharing.repository import Publication


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
    command.add_argument(
        "--space", action="store_true",
        help=_("also put the page of hf-zh-dict demo up, as a Space of the same name"),
    )  # fmt: skip


def run_push(arguments: argparse.Namespace) -> int:
    """Show what the repositories will hold, or send it and say where it stands."""
    from hf_zh_dict.sharing.publish_model import Destination, prepare_model, push_model
    from hf_zh_dict.sharing.space import prepare_space, push_space

    paths = RunPaths(Path(arguments.run))
    destination = Destination(
        arguments.repo_id, arguments.public, arguments.subfolder, arguments.tag, arguments.license,
        arguments.terms_read,
    )  # fmt: skip
    how = {"public": arguments.public, "dry_run": arguments.dry_run}
    with disk_errors_as_sentences(paths.root):
        model = prepare_model(paths, destination)
        space = prepare_space(paths, model, destination) if arguments.space else None
        publish(model, lambda: push_model(model, destination), **how)
        if space:
            publish(space, lambda: push_space(space, public=arguments.public), **how)
            for sentence in explain_space(space, public=arguments.public):
                say(sentence)
    return 0


def explain_space(space: "Publication", *, public: bool) -> Iterator[str]:
    """What the owner of a Space must know."""
    if not any(name.startswith("corpus/") for name in space.files):
        yield _(
            "the Space goes without the corpus: there is none, or its text may not be passed on so"
        )
    if not public:
        yield _(
            "the model is private: the Space can load it when its settings on the Hub have a secret "
            "HF_TOKEN that may read it"
        )


PUSH = Command(
    "push",
    N_("put a run's model on the Hub, with its card"),
    run_push,
    add_options,
    usage="RUN --repo-id OWNER/NAME [--subfolder NAME] [--tag NAME] [--public] [--dry-run] "
    "[--terms-read] [--license ID] [--space]",
)
