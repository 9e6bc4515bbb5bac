"""What the Hub, the network or its client library raised in, one sentence with the way out out."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

LONGEST_REASON = 300
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def hub_errors_as_sentences(explain: Callable[[BaseException], str]) -> Iterator[None]:
    """Whatever the Hub, the network or a client library says becomes one sentence."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, DatasetsError, httpx.HTTPError) as error:
        raise InputError(explain(error)) from error


def explain_writing(error: BaseException, repo_id: str) -> str:
    """Why something could not be sent, and what to do."""
    return pick_sentence(error, repo_id, {
        401: _("the Hub does not accept the token; log in again with hf auth login, or set another HF_TOKEN."),
        403: _("the token may not write to {repo}; use one with write access, of an account that may."),
        404: _("{repo}: there is no such owner, or the token may not see it; check --repo-id and the token."),
        409: _("{repo}: this name exists already ({reason}); choose another."),
        412: _("{repo}: was changed while this ran; run the command again."),
    })  # fmt: skip


def explain_reading(error: BaseException, repo_id: str, revision: str) -> str:
    """Why a dataset could not be fetched, and what to do."""
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RevisionNotFoundError

    answer = find_answer(error)
    if isinstance(answer, GatedRepoError):
        return _(
            "{repo}: its owner lets in only who asked; ask on its page on the Hub, then log in with "
            "hf auth login, or set HF_TOKEN."
        ).format(repo=repo_id)
    if isinstance(answer, RevisionNotFoundError):
        return _(
            "{repo}: has no branch, tag or commit “{revision}”; check corpus.revision."
        ).format(repo=repo_id, revision=revision)
    if isinstance(answer, EntryNotFoundError):
        return _("{repo}: lacks a file ({reason}); check corpus.data_files.").format(
            repo=repo_id, reason=find_reason(error)
        )
    hidden = _(
        "{repo}: there is no such dataset on the Hub, or it is private and the token may not see it; "
        "check corpus.repo_id, log in with hf auth login, or set HF_TOKEN."
    )
    return pick_sentence(error, repo_id, {401: hidden, 403: hidden, 404: hidden, 0: _(
        "the dataset repository {repo} cannot be read ({reason}); check the network, HF_HUB_OFFLINE "
        "and the name and run it again, what was fetched is kept; or use files that you have: "
        "--corpus.source text --corpus.files FILE.txt, or --corpus.source spreadsheets "
        "--corpus.files FILE.xlsx."
    )})  # fmt: skip


def pick_sentence(error: BaseException, repo_id: str, sentences: dict[int, str]) -> str:
    """The sentence for what the Hub answered (0: nothing), or for a disk that is full."""
    full = find_full_disk(error)
    if full:
        return _("{file}: {reason}; make room, or choose another disk with HF_HOME.").format(
            file=full.filename or repo_id, reason=full.strerror
        )
    answer = find_answer(error)
    status = answer.response.status_code if answer else 0
    common = {
        0: _("the Hub cannot be reached ({reason}); check the network, HF_ENDPOINT and HF_HUB_OFFLINE, and try again."),
        400: _("the Hub does not accept this ({reason}); change what it names and try again."),
    }  # fmt: skip
    other = _("the Hub answers {status} ({reason}); try again later.")
    sentence = (common | sentences).get(status, other)
    return sentence.format(status=status, reason=find_reason(error), repo=repo_id)


def find_reason(error: BaseException) -> str:
    """What was said, on one line; the token, should an answer quote it, is left out."""
    from huggingface_hub import get_token

    answer = find_answer(error)
    reason = " ".join(((answer and answer.server_message) or str(error)).split())
    return (reason or type(error).__name__).replace(get_token() or "\0", "…")[:LONGEST_REASON]


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def find_answer(error: BaseException) -> "HfHubHTTPError | None":
    """The Hub's answer behind an error; there is none when it could not be reached."""
    from huggingface_hub.errors import HfHubHTTPError

    found = (cause for cause in causes(error) if isinstance(cause, HfHubHTTPError))
    # a local entry that is not there is one of these too, without an answer
    return next((cause for cause in found if getattr(cause, "response", None) is not None), None)


def find_full_disk(error: BaseException) -> OSError | None:
    found = (cause for cause in causes(error) if isinstance(cause, OSError))
    return next((cause for cause in found if cause.errno in NO_ROOM), None)
