"""Files and a card in, one commit in a repository on the Hub out; what holds something else is left.

A repository is made private unless it is asked to be public, and its visibility is never changed.
Whatever the Hub refuses is one sentence that says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hf_zh_dict.hub_errors import explain_writing, hub_errors_as_sentences
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER
from hf_zh_dict.sharing.dataset_card import CARD_FILE, OUR_TAG

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB_OWN_FILE = ".gitattributes"  # all that a new repository holds
Kind = Literal["dataset", "model", "space"]
PREFIXES: dict[Kind, str] = {"dataset": "datasets/", "model": "", "space": "spaces/"}


@dataclass(frozen=True)
class Publication:
    """What would stand in the repository: the card, and path there → file here, or its bytes.

    `folder` is where in the repository it stands, when it is one of several. In the folders that
    are `swept`, nothing else is left.
    """

    repo_id: str
    kind: Kind
    card: str
    files: Mapping[str, Path | bytes]
    folder: str = ""
    swept: tuple[str, ...] = ()

    @property
    def contents(self) -> dict[str, Path | bytes]:
        """Everything at its place, the card first."""
        everything = {CARD_FILE: self.card.encode(), **self.files}
        return {place(self.folder, name): content for name, content in everything.items()}

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file, the card first."""
        return {
            name: len(content) if isinstance(content, bytes) else content.stat().st_size
            for name, content in self.contents.items()
        }


@dataclass(frozen=True)
class Pushed:
    """Where it stands now. `changed` is false when the repository held the same already."""

    url: str
    commit: str
    private: bool
    changed: bool


def place(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def check_repo_id(repo_id: str) -> None:
    """Refuse what is not OWNER/NAME."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo_id)
        valid = "/" in repo_id
    except HFValidationError:
        valid = False
    if not valid:
        raise InputError(
            _(
                "--repo-id: “{repo}” is not of the form OWNER/NAME, in letters, digits, “-”, “_” and “.”."
            ).format(repo=repo_id)
        )


def check_token() -> None:
    """Refuse to go on without a token."""
    from huggingface_hub import get_token

    if not get_token():
        raise InputError(
            _("there is no token for the Hub; log in with hf auth login, or set HF_TOKEN.")
        )


@dataclass(frozen=True)
class Repository:
    """A repository as it stood on the Hub: its head, what it holds, who sees it."""

    repo_id: str
    kind: Kind
    head: str
    files: tuple[str, ...]
    private: bool


def open_repository(repo_id: str, kind: Kind, *, public: bool) -> Repository:
    """A repository of ours, made first when there is none.

    Raises:
        InputError: it holds something else, or would show what was to stay private; or the Hub
            refuses or does not answer.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi()
    info: Any  # a model's, a dataset's or a Space's
    with hub_errors_as_sentences(lambda error: explain_writing(error, repo_id)):
        try:
            info = api.repo_info(repo_id, repo_type=kind)
        except RepositoryNotFoundError as error:
            if error.response.status_code != 404:
                raise
            sdk = "gradio" if kind == "space" else None
            api.create_repo(repo_id, repo_type=kind, private=not public, space_sdk=sdk)
            info = api.repo_info(repo_id, repo_type=kind)
    files = tuple(file.rfilename for file in info.siblings or [])
    repository = Repository(repo_id, kind, info.sha or "", files, bool(info.private))
    check_repository(repository, info.card_data, public=public)
    return repository


def check_repository(repository: Repository, card_data: Any, *, public: bool) -> None:
    """Refuse one that holds something else, or that is public when it was not asked to be."""
    tags = card_data.get("tags") if card_data else None
    if set(repository.files) - {HUB_OWN_FILE} and OUR_TAG not in (tags or []):
        refusals = {
            "dataset": _("{repo}: holds something else than a corpus of hf-zh-dict; choose another --repo-id."),
            "model": _("{repo}: holds something else than a model of hf-zh-dict; choose another --repo-id."),
            "space": _("{repo}: a Space of this name holds something else than a demo of hf-zh-dict; choose another --repo-id."),
        }  # fmt: skip
        raise InputError(refusals[repository.kind].format(repo=repository.repo_id))
    if not repository.private and not public:
        raise InputError(
            _(
                "{repo}: is public; add --public (in training --hub.private false) to push to it all "
                "the same, or make it private in its settings on the Hub first."
            ).format(repo=repository.repo_id)
        )


def send(
    publication: Publication,
    repository: Repository,
    *,
    message: str,
    more: Mapping[str, bytes] | None = None,
) -> Pushed:
    """One commit upon the head that was seen: what is published, and `more` files beside it.

    Terms of use that no longer belong to it are removed, and what else is swept.

    Raises:
        InputError: the repository has changed since, or the Hub refuses or does not answer.
    """
    contents = {**publication.contents, **(more or {})}
    swept = (place(publication.folder, LICENSE_FOLDER) + "/", *publication.swept)
    old = [n for n in repository.files if n.startswith(swept) and n not in contents]
    commit = send_files(repository, contents, message=message, without=old)
    url = f"{hub_api().endpoint}/{PREFIXES[repository.kind]}{repository.repo_id}"
    return Pushed(url, commit, repository.private, commit != repository.head)


def send_files(
    repository: Repository,
    contents: Mapping[str, Path | bytes],
    *,
    message: str,
    without: Sequence[str] = (),
    branch: str = "main",
) -> str:
    """One commit upon the head that was seen; returns its id, the head's when nothing changed.

    Raises:
        InputError: the repository has changed since, or the Hub refuses or does not answer.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    added = [CommitOperationAdd(name, content) for name, content in contents.items()]
    with hub_errors_as_sentences(lambda error: explain_writing(error, repository.repo_id)):
        commit = hub_api().create_commit(
            repository.repo_id,
            [*added, *(CommitOperationDelete(name) for name in without)],
            commit_message=message,
            repo_type=repository.kind,
            revision=branch,
            parent_commit=repository.head,
        )
    return commit.oid


def hub_api() -> "HfApi":
    from huggingface_hub import HfApi

    return HfApi()


def name_commit(repository: Repository, tag: str, commit: str, *, move: bool = False) -> None:
    """Give a commit a tag; one that exists is moved only when that is asked for.

    Raises:
        InputError: the tag exists, or the Hub refuses or does not answer.
    """
    api = hub_api()
    with hub_errors_as_sentences(lambda error: explain_writing(error, repository.repo_id)):
        if move and tag in tags_of(repository):
            api.delete_tag(repository.repo_id, tag=tag, repo_type=repository.kind)
        api.create_tag(repository.repo_id, tag=tag, revision=commit, repo_type=repository.kind)


def tags_of(repository: Repository) -> list[str]:
    refs = hub_api().list_repo_refs(repository.repo_id, repo_type=repository.kind)
    return [ref.name for ref in refs.tags]


def check_tag(repository: Repository, tag: str) -> None:
    """Refuse a tag that names another commit, before anything is sent.

    Raises:
        InputError: it exists, or the Hub refuses or does not answer.
    """
    with hub_errors_as_sentences(lambda error: explain_writing(error, repository.repo_id)):
        taken = tags_of(repository)
    if tag in taken:
        raise InputError(
            _("{repo}: the tag “{tag}” exists already; choose another --tag.").format(
                repo=repository.repo_id, tag=tag
            )
        )


def on_branch(repository: Repository, branch: str) -> Repository:
    """The same repository with the head of a branch, which is made when there is none.

    Raises:
        InputError: the Hub refuses or does not answer.
    """
    api = hub_api()
    with hub_errors_as_sentences(lambda error: explain_writing(error, repository.repo_id)):
        api.create_branch(
            repository.repo_id, branch=branch, repo_type=repository.kind, exist_ok=True
        )
        info: Any = api.repo_info(repository.repo_id, revision=branch, repo_type=repository.kind)
    files = tuple(file.rfilename for file in info.siblings or [])
    return replace(repository, head=info.sha or "", files=files)
