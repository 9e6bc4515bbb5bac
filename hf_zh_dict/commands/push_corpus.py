"""`push-corpus RUN`: a run's corpus to the Hub, as a dataset."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, say
from hf_zh_dict.messages import N_, _
from hf_zh_dict.paths import RunPaths

if TYPE_CHECKING:
    from hf_zh_dict.sharing.publish import Publication


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help=_("run folder"))
    command.add_argument(
        "--repo-id", required=True, metavar="OWNER/NAME", help=_("dataset repository on the Hub")
    )
    command.add_argument(
        "--public", action="store_true", help=_("let everyone see it (otherwise it is private)")
    )
    command.add_argument(
        "--dry-run", action="store_true", help=_("show what would be sent, and send nothing")
    )
    command.add_argument(
        "--terms-read",
        action="store_true",
        help=_("you have read the terms of use (使用說明) of the Ministry's dictionaries"),
    )
    command.add_argument(
        "--license",
        default="",
        metavar="ID",
        help=_("licence of your own text, by its id on the Hub, as in mit"),
    )


def run_push_corpus(arguments: argparse.Namespace) -> int:
    """Show what the repository will hold, or send it and say where it stands."""
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    from hf_zh_dict.sharing.publish import check_token, prepare_corpus, push_corpus

    disable_progress_bars()
    logging.set_verbosity_error()
    paths = RunPaths(Path(arguments.run))
    with disk_errors_as_sentences(paths.root):
        publication = prepare_corpus(
            paths.corpus,
            repo_id=arguments.repo_id,
            license_id=arguments.license,
            terms_read=arguments.terms_read,
        )
        if arguments.dry_run:
            show_publication(publication, public=arguments.public)
            return 0
        check_token()
        total = sum(publication.sizes.values())
        say(_("sending {bytes:,} bytes to {repo}").format(bytes=total, repo=arguments.repo_id))
        pushed = push_corpus(publication, public=arguments.public)
    message = (
        _("pushed: {url}, commit {commit}")
        if pushed.changed
        else _("nothing has changed: {url}, commit {commit}")
    )
    say(message.format(url=pushed.url, commit=pushed.commit))
    if pushed.private and arguments.public:
        say(_("it is private, and stays so until you change that in its settings on the Hub"))
    return 0


def show_publication(publication: "Publication", *, public: bool) -> None:
    """The files with their sizes, then the card."""
    message = (
        _("{repo}, public, would hold these bytes and files (nothing is sent):")
        if public
        else _("{repo}, private, would hold these bytes and files (nothing is sent):")
    )
    say(message.format(repo=publication.repo_id))
    for path, size in publication.sizes.items():
        say(f"{size:>12,}  {path}")
    say("\n" + publication.card)


PUSH_CORPUS = Command(
    "push-corpus",
    N_("put a run's corpus on the Hub, as a dataset with its card"),
    run_push_corpus,
    add_options,
    usage="RUN --repo-id OWNER/NAME [--public] [--dry-run] [--terms-read] [--license ID]",
)
