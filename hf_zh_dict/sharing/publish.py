"""A corpus folder and the user's consent in, a dataset repository on the Hub out, in one commit.

`prepare_corpus` decides, without the network, whether the text may be passed on and what would be
sent; `push_corpus` sends it. Whatever forbids either is one sentence that says what to do.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER, SPLITS
from hf_zh_dict.sharing.dataset_card import (
    CARD_FILE,
    OUR_TAG,
    list_terms,
    make_card,
)
from hf_zh_dict.stages import STAGE_FILE, read_stage

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo, HfApi
    from huggingface_hub.errors import HfHubHTTPError

HUB_OWN_FILE = ".gitattributes"  # all that a new repository holds
LONGEST_REASON = 300


@dataclass(frozen=True)
class Publication:
    """What would stand in the repository: the card, and path there → file here."""

    repo_id: str
    card: str
    files: Mapping[str, Path]

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file, the card first."""
        sizes = {name: file.stat().st_size for name, file in self.files.items()}
        return {CARD_FILE: len(self.card.encode()), **sizes}


@dataclass(frozen=True)
class Pushed:
    """Where it stands now. `changed` is false when the repository held the same already."""

    url: str
    commit: str
    private: bool
    changed: bool


def prepare_corpus(
    folder: Path, *, repo_id: str, license_id: str = "", terms_read: bool = False
) -> Publication:
    """The files to send, with a card made for this repository.

    Raises:
        InputError: the folder is no corpus, its text may not be passed on so, or the name cannot be
            a repository's.
    """
    facts = read_stage(folder)
    if not facts or not all((folder / f"{split}.parquet").is_file() for split in SPLITS):
        raise InputError(
            _("{folder}: no run with a corpus; build one with hf-zh-dict corpus.").format(
                folder=folder.parent
            )
        )
    check_repo_id(repo_id)
    check_source(folder, facts, license_id=license_id, terms_read=terms_read)
    card = make_card(folder, facts, repo_id=repo_id, license_id=license_id)
    files = {name: folder / name for name in (*(f"{s}.parquet" for s in SPLITS), STAGE_FILE)}
    files |= {f"{LICENSE_FOLDER}/{path.name}": path for path in list_terms(folder)}
    return Publication(repo_id, str(card), files)


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


def check_source(
    folder: Path, facts: Mapping[str, Any], *, license_id: str, terms_read: bool
) -> None:
    """Refuse text that may not be passed on, or of which it is not known whether it may."""
    source = facts.get("source")
    if source == "hub":
        raise InputError(
            _("the text is on the Hub already, in {repo}: share that name instead.").format(
                repo=facts.get("repo_id", "")
            )
        )
    if source == "text" and not license_id:
        raise InputError(
            _("the text is your own files': state its licence with --license, as in --license mit.")
        )
    if source != "text" and license_id:
        raise InputError(
            _("--license is for a corpus of the source text; leave it out: this text has its own.")
        )
    if source == "spreadsheets" and facts.get("inputs"):
        check_ministry(folder, facts, terms_read=terms_read)
    elif source not in ("embedded", "text"):
        raise InputError(
            _(
                "{folder}: does not say where its text comes from; delete it and build it again "
                "with hf-zh-dict corpus."
            ).format(folder=folder)
        )


def check_ministry(folder: Path, facts: Mapping[str, Any], *, terms_read: bool) -> None:
    """Refuse what the terms of use (使用說明) of the Ministry's dictionaries do not allow."""
    if facts.get("recipe") != "plain":
        raise InputError(
            _(
                "the Ministry's text may not be passed on altered (CC BY-ND): only a corpus of the "
                "recipe plain can be pushed; build one with --corpus.recipe plain."
            )
        )
    for item in facts["inputs"]:
        name, dictionary = item.get("name", ""), item.get("dictionary", "")
        if not item.get("edition"):
            raise InputError(
                _(
                    "{file}: its edition number is not known, and must be named with the text; give "
                    "the file its published name, as in dict_revised_2015_20250627.xlsx, or use "
                    "hf-zh-dict download, and build the corpus again."
                ).format(file=name)
            )
        terms = item.get("terms")
        if not terms or not (folder / LICENSE_FOLDER / terms).is_file():
            raise InputError(
                _(
                    "{file}: its terms of use (使用說明) must be passed on with the text; put the "
                    "PDF ({pdf}) beside the file and build the corpus again."
                ).format(file=name, pdf=terms or f"{dictionary}dict_*.pdf")
            )
    if not terms_read:
        raise InputError(
            _(
                "the text is the Ministry of Education's: read its terms of use, {files}, and add "
                "--terms-read to say that you have."
            ).format(files=", ".join(str(path) for path in list_terms(folder)))
        )


def check_token() -> None:
    """Refuse to go on without a token."""
    from huggingface_hub import get_token

    if not get_token():
        raise InputError(
            _("there is no token for the Hub; log in with hf auth login, or set HF_TOKEN.")
        )


def push_corpus(publication: Publication, *, public: bool) -> Pushed:
    """Send it, to a new repository or upon our last commit, which it replaces file by file.

    Raises:
        InputError: the repository is not ours to write, or would show what was to stay private; or
            the Hub refuses or does not answer.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api, repo_id = HfApi(), publication.repo_id
    with hub_errors_as_sentences(repo_id):
        info = find_repository(api, repo_id, private=not public)
        check_repository(info, public=public)
        old_terms = [name for name in list_files(info) if name.startswith(f"{LICENSE_FOLDER}/")]
        commit = api.create_commit(
            repo_id,
            [
                CommitOperationAdd(CARD_FILE, publication.card.encode()),
                *(CommitOperationAdd(name, file) for name, file in publication.files.items()),
                *(CommitOperationDelete(n) for n in old_terms if n not in publication.files),
            ],
            commit_message="corpus by hf-zh-dict",
            repo_type="dataset",
            parent_commit=info.sha,
        )
    url = f"{api.endpoint}/datasets/{repo_id}"
    return Pushed(url, commit.oid, bool(info.private), commit.oid != info.sha)


def find_repository(api: "HfApi", repo_id: str, *, private: bool) -> "DatasetInfo":
    """The repository as it stands on the Hub, made first when there is none."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return api.dataset_info(repo_id)
    except RepositoryNotFoundError as error:
        if error.response.status_code != 404:
            raise
    api.create_repo(repo_id, repo_type="dataset", private=private)
    return api.dataset_info(repo_id)


def list_files(info: "DatasetInfo") -> list[str]:
    return [file.rfilename for file in info.siblings or []]


def check_repository(info: "DatasetInfo", *, public: bool) -> None:
    """Refuse one that holds something else, or that is public when it was not asked to be."""
    tags = info.card_data.get("tags") if info.card_data else None
    if list_files(info) not in ([], [HUB_OWN_FILE]) and OUR_TAG not in (tags or []):
        raise InputError(
            _(
                "{repo}: holds something else than a corpus of hf-zh-dict; choose another --repo-id."
            ).format(repo=info.id)
        )
    if not info.private and not public:
        raise InputError(
            _(
                "{repo}: is public; add --public to push to it all the same, or make it private in "
                "its settings on the Hub first."
            ).format(repo=info.id)
        )


@contextmanager
def hub_errors_as_sentences(repo_id: str) -> Iterator[None]:
    """Whatever the Hub, the network or the client library says becomes one sentence."""
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, httpx.HTTPError) as error:
        raise InputError(explain_failure(error, repo_id)) from error


def explain_failure(error: BaseException, repo_id: str) -> str:
    """What went wrong and what to do; the token, should an answer quote it, is left out."""
    from huggingface_hub import get_token

    answer = find_answer(error)
    status = answer.response.status_code if answer else 0
    reason = " ".join(((answer and answer.server_message) or str(error)).split())
    reason = reason.replace(get_token() or "\0", "…")[:LONGEST_REASON]
    sentences = {
        0: _("the Hub cannot be reached ({reason}); check the network, HF_ENDPOINT and HF_HUB_OFFLINE, and try again."),
        400: _("the Hub does not accept this ({reason}); change what it names and try again."),
        401: _("the Hub does not accept the token; log in again with hf auth login, or set another HF_TOKEN."),
        403: _("the token may not write to {repo}; use one with write access, of an account that may."),
        404: _("{repo}: there is no such owner, or the token may not see it; check --repo-id and the token."),
        412: _("{repo}: was changed while this ran; run the command again."),
    }  # fmt: skip
    other = _("the Hub answers {status} ({reason}); try again later.")
    return sentences.get(status, other).format(status=status, reason=reason, repo=repo_id)


def find_answer(error: BaseException | None) -> "HfHubHTTPError | None":
    """The Hub's answer behind an error; there is none when it could not be reached."""
    from huggingface_hub.errors import HfHubHTTPError

    while error is not None and not isinstance(error, HfHubHTTPError):
        error = error.__cause__
    return error
