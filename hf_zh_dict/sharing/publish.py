"""A corpus folder and the user's consent in, a dataset repository on the Hub out, in one commit.

`prepare_corpus` decides, without the network, whether the text may be passed on and what would be
sent; `push_corpus` sends it. Whatever forbids either is one sentence that says what to do.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER, SPLITS
from hf_zh_dict.sharing.dataset_card import list_terms, make_card
from hf_zh_dict.sharing.repository import (
    Publication,
    Pushed,
    check_repo_id,
    open_repository,
    send,
)
from hf_zh_dict.stages import STAGE_FILE, read_stage


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
    names = (*(f"{split}.parquet" for split in SPLITS), STAGE_FILE)
    files: dict[str, Path | bytes] = {name: folder / name for name in names}
    files |= {f"{LICENSE_FOLDER}/{path.name}": path for path in list_terms(folder)}
    return Publication(repo_id, "dataset", str(card), files)


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
    check_terms(folder, facts["inputs"], terms_read=terms_read)


def check_terms(folder: Path, inputs: Sequence[Mapping[str, Any]], *, terms_read: bool) -> None:
    """Refuse what does not name its edition, lacks its terms of use, or was not consented to."""
    for item in inputs:
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


def push_corpus(publication: Publication, *, public: bool) -> Pushed:
    """Send it, to a new repository or upon our last commit, which it replaces file by file.

    Raises:
        InputError: the repository is not ours to write, or would show what was to stay private; or
            the Hub refuses or does not answer.
    """
    repository = open_repository(publication.repo_id, publication.kind, public=public)
    return send(publication, repository, message="corpus by hf-zh-dict")
