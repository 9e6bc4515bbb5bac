"""The settings `hub:` and a run in training in, its model on the Hub out, when training is done.

A Hub that fails is told of and never fails the training.
"""

from collections.abc import Callable

from hf_zh_dict.config import HubConfig
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.checkpoint_pusher import CheckpointPusher
from hf_zh_dict.sharing.publish_model import (
    Destination,
    check_destination,
    check_text,
    prepare_model,
    push_model,
)
from hf_zh_dict.sharing.repository import check_token, open_repository
from hf_zh_dict.stages import read_stage


def destination_of(hub: HubConfig) -> Destination:
    return Destination(
        hub.repo_id, not hub.private, hub.subfolder, hub.tag, hub.license, hub.terms_read
    )


def check_hub(hub: HubConfig, paths: RunPaths) -> None:
    """Refuse, before hours of training, what could never be pushed; asks no network.

    Raises:
        InputError: there is no token, a name cannot be used, or the text's terms are not met.
    """
    destination = destination_of(hub)
    check_token()
    check_destination(destination)
    check_text(paths.corpus, read_stage(paths.corpus), destination)


def start_pushing(
    hub: HubConfig, paths: RunPaths, say: Callable[[str], None]
) -> CheckpointPusher | None:
    """Look whether the repository can be had, and what sends checkpoints to it, when asked for.

    A Hub that does not answer is told of, and asked again when there is something to send.
    """
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    if not hub.push:
        return None
    disable_progress_bars()  # training has its own
    destination = destination_of(hub)
    try:
        open_repository(destination.repo_id, "model", public=destination.public)
    except InputError as error:
        say(_("hub: {reason} Training goes on.").format(reason=error))
    if not hub.push_checkpoints:
        return None
    return CheckpointPusher(paths, destination, say)


def push_best(hub: HubConfig, paths: RunPaths, say: Callable[[str], None]) -> None:
    """Put the run's model on the Hub; a Hub that fails leaves a finished training finished."""
    destination = destination_of(hub)
    try:
        publication = prepare_model(paths, destination)
        total = sum(publication.sizes.values())
        say(_("sending {bytes:,} bytes to {repo}").format(bytes=total, repo=destination.repo_id))
        pushed = push_model(publication, destination)
    except InputError as error:
        say(
            _(
                "hub: the model is not sent: {reason} The training is whole; send it later with "
                "hf-zh-dict push {run} --repo-id {repo}"
            ).format(reason=error, run=paths.root, repo=destination.repo_id)
        )
        return
    say(_("pushed: {url}, commit {commit}").format(url=pushed.url, commit=pushed.commit))
    if not paths.evaluation.is_file():
        say(
            _(
                "its card has no results yet: hf-zh-dict evaluate {run}, then hf-zh-dict push {run} "
                "--repo-id {repo}"
            ).format(run=paths.root, repo=destination.repo_id)
        )
