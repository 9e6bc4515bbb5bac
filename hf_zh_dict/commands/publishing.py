"""What the commands that put something on the Hub share: their options, a dry run, a push told."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from hf_zh_dict.commands.terminal import say
from hf_zh_dict.messages import _

if TYPE_CHECKING:
    from hf_zh_dict.sharing.repository import Publication, Pushed


def add_publishing_options(command: argparse.ArgumentParser, *, repository: str) -> None:
    """RUN, where it goes, who sees it, and what its publisher states."""
    command.add_argument("run", metavar="RUN", help=_("run folder"))
    command.add_argument("--repo-id", required=True, metavar="OWNER/NAME", help=repository)
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


def publish(
    publication: "Publication", push: "Callable[[], Pushed]", *, public: bool, dry_run: bool
) -> int:
    """Show what the repository will hold, or send it and say where it stands."""
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    from hf_zh_dict.sharing.repository import check_token

    if dry_run:
        show_publication(publication, public=public)
        return 0
    disable_progress_bars()
    logging.set_verbosity_error()
    check_token()
    total = sum(publication.sizes.values())
    say(_("sending {bytes:,} bytes to {repo}").format(bytes=total, repo=publication.repo_id))
    pushed = push()
    message = (
        _("pushed: {url}, commit {commit}")
        if pushed.changed
        else _("nothing has changed: {url}, commit {commit}")
    )
    say(message.format(url=pushed.url, commit=pushed.commit))
    if pushed.private and public:
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
