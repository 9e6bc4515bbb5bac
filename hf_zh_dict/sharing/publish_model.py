"""A run's model and the user's consent in, a model repository on the Hub out, in one commit.

`prepare_model` decides, without the network, what would be sent; `push_model` sends it. A model may
stand alone in its repository, or in a folder of its own beside others of its family.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_zh_dict.hub_errors import explain_writing, hub_errors_as_sentences
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER, RunPaths
from hf_zh_dict.sharing.dataset_card import CARD_FILE, list_terms
from hf_zh_dict.sharing.model_card import make_family_card, make_model_card
from hf_zh_dict.sharing.model_facts import evaluation_bytes, read_model_facts, settings_bytes
from hf_zh_dict.sharing.publish import check_terms
from hf_zh_dict.sharing.repository import (
    Publication,
    Pushed,
    Repository,
    check_repo_id,
    check_tag,
    name_commit,
    open_repository,
    place,
    send,
)

SUBFOLDER = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
CONFIG_FILE = "config.json"


@dataclass(frozen=True)
class Destination:
    """Where a model goes, who sees it, and what its publisher states."""

    repo_id: str
    public: bool = False
    subfolder: str = ""
    tag: str = ""
    license_id: str = ""
    terms_read: bool = False


def prepare_model(paths: RunPaths, destination: Destination) -> Publication:
    """The files to send, with a card made from the run folder.

    Raises:
        InputError: there is no model, or its text's terms are not met, or a name cannot be used.
    """
    if not (paths.model / CONFIG_FILE).is_file():
        raise InputError(
            _("{folder}: holds no model; train one with hf-zh-dict train.").format(
                folder=paths.root
            )
        )
    check_destination(destination)
    facts = read_model_facts(paths)
    check_text(paths.corpus, facts.corpus, destination)
    terms = list_terms(paths.corpus) if facts.corpus.get("source") == "spreadsheets" else []
    files: dict[str, Path | bytes] = {
        file.name: file for file in sorted(paths.model.iterdir()) if file.is_file()
    }
    files |= {paths.curve.name: paths.curve} if paths.curve.is_file() else {}
    files |= {paths.config.name: settings_bytes(facts)} if facts.settings else {}
    files |= {paths.evaluation.name: evaluation_bytes(facts)} if facts.evaluation else {}
    files |= {f"{LICENSE_FOLDER}/{path.name}": path for path in terms}
    card = make_model_card(
        facts,
        repo_id=destination.repo_id,
        folder=destination.subfolder,
        license_id=destination.license_id,
        terms=[path.name for path in terms],
        files=files,
    )
    return Publication(destination.repo_id, "model", str(card), files, destination.subfolder)


def check_destination(destination: Destination) -> None:
    """Refuse names that the Hub or a folder cannot have."""
    check_repo_id(destination.repo_id)
    for option, name in (("--subfolder", destination.subfolder), ("--tag", destination.tag)):
        if name and (not SUBFOLDER.fullmatch(name) or name == LICENSE_FOLDER):
            raise InputError(
                _(
                    "{option}: “{name}” cannot be used; take letters, digits, “-”, “_” and “.”, as in "
                    "modelA or v1.0."
                ).format(option=option, name=name)
            )


def check_text(corpus: Path, facts: Mapping[str, Any], destination: Destination) -> None:
    """Refuse a model of the Ministry's text without what its terms of use ask for.

    The model passes no entries on, so its corpus may be of any recipe.
    """
    if facts.get("source") != "spreadsheets":
        return
    if destination.license_id:
        raise InputError(
            _("--license cannot be stated for a model of the Ministry's text; leave it out.")
        )
    check_terms(corpus, facts.get("inputs") or [{}], terms_read=destination.terms_read)


def push_model(publication: Publication, destination: Destination) -> Pushed:
    """Send it, to a new repository or upon our last commit, and tag it.

    Raises:
        InputError: the repository is not ours to write, holds another kind of thing, or would show
            what was to stay private; or the Hub refuses or does not answer.
    """
    repository = open_repository(destination.repo_id, "model", public=destination.public)
    check_family(repository, destination.subfolder)
    if destination.tag:
        check_tag(repository, destination.tag)
    more = {}
    if destination.subfolder:
        cards = read_cards(repository) | {destination.subfolder: publication.card}
        more[CARD_FILE] = str(make_family_card(destination.repo_id, cards)).encode()
    pushed = send(publication, repository, message="model by hf-zh-dict", more=more)
    if destination.tag:
        name_commit(repository, destination.tag, pushed.commit)
    return pushed


def check_family(repository: Repository, subfolder: str) -> None:
    """Refuse to mix one model at the top with several in folders."""
    alone = CONFIG_FILE in repository.files
    if subfolder and alone:
        raise InputError(
            _(
                "{repo}: holds one model at its top; leave --subfolder out to replace it, or choose "
                "another --repo-id for a family of models."
            ).format(repo=repository.repo_id)
        )
    if not subfolder and list_models(repository):
        raise InputError(
            _(
                "{repo}: holds models in folders ({names}); name this one's with --subfolder, or "
                "choose another --repo-id."
            ).format(repo=repository.repo_id, names=", ".join(list_models(repository)))
        )


def list_models(repository: Repository) -> list[str]:
    """The folders that hold a model."""
    ends = f"/{CONFIG_FILE}"
    return sorted(name.removesuffix(ends) for name in repository.files if name.endswith(ends))


def read_cards(repository: Repository) -> dict[str, str]:
    """The card of each model in a folder.

    Raises:
        InputError: the Hub refuses or does not answer.
    """
    from huggingface_hub import hf_hub_download

    cards = {}
    for folder in list_models(repository):
        name = place(folder, CARD_FILE)
        if name in repository.files:
            with hub_errors_as_sentences(lambda error: explain_writing(error, repository.repo_id)):
                file = hf_hub_download(repository.repo_id, name, revision=repository.head)
            cards[folder] = Path(file).read_text(encoding="utf-8")
    return cards
