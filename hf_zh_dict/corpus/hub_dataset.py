"""A dataset repository's name and revision in, its rows at one commit out, also without a network.

1. The revision is pinned to the commit that it names, once for a run (`pin_revision`).
2. The files of that commit are fetched into the Hub's cache (`fetch_snapshot`): what is there
   already is not fetched again, and what broke off goes on where it was.
3. `load_dataset` reads the folder. From a folder, named configurations and files work offline
   too; by a repository's name they would not.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.hub_errors import explain_reading, hub_errors_as_sentences
from hf_zh_dict.messages import InputError, _

COMMIT = re.compile("[0-9a-f]{40}")
CARD_FILE = "README.md"


def pin_revision(config: CorpusConfig, facts: Mapping[str, Any]) -> CorpusConfig:
    """The settings with the commit in place of a branch or tag; the run's own, once it has one.

    `facts` are those of the run's corpus. A local folder and the other sources have no commits.

    Raises:
        InputError: the Hub does not say which commit it is, and the cache does not know.
    """
    if config.source != "hub" or is_folder(config) or COMMIT.fullmatch(config.revision):
        return config
    asked = (config.repo_id, config.revision)
    if facts.get("commit") and (facts.get("repo_id"), facts.get("revision")) == asked:
        return replace(config, revision=facts["commit"])
    return replace(config, revision=fetch_snapshot(config, [CARD_FILE]).name)


def is_folder(config: CorpusConfig) -> bool:
    return Path(config.repo_id).is_dir()


def fetch_snapshot(config: CorpusConfig, patterns: list[str] | None) -> Path:
    """The folder of the commit in the Hub's cache, with the files that match; it is named by it.

    Raises:
        InputError: they cannot be fetched, and are not in the cache.
    """
    from huggingface_hub import snapshot_download

    with hub_errors_as_sentences(lambda e: explain_reading(e, config.repo_id, config.revision)):
        return Path(
            snapshot_download(
                config.repo_id,
                repo_type="dataset",
                revision=config.revision,
                allow_patterns=patterns,
            )
        )


def open_hub_dataset(config: CorpusConfig) -> Any:
    """The repository, or the folder that stands for one, as a `DatasetDict`.

    Raises:
        InputError: it cannot be read; one sentence says why and what to do.
    """
    from datasets import load_dataset

    folder = Path(config.repo_id) if is_folder(config) else fetch_snapshot(config, [CARD_FILE])
    named = list_configurations(folder)
    if config.config_name and config.config_name not in named:
        raise InputError(
            _(
                "{repo}: has no configuration “{name}”; corpus.config_name is one of: {names}."
            ).format(repo=config.repo_id, name=config.config_name, names=", ".join(named) or "–")
        )
    data_files: Any = list(config.data_files) or named.get(config.config_name)
    if not is_folder(config):
        patterns = [CARD_FILE, *list_patterns(data_files)] if data_files else None
        folder = fetch_snapshot(config, patterns)
        check_files(config, folder)
    with hub_errors_as_sentences(lambda e: explain_reading(e, config.repo_id, config.revision)):
        # the files are named beside the configuration: those of the others are not there
        return load_dataset(str(folder), config.config_name or None, data_files=data_files)


def list_configurations(folder: Path) -> dict[str, dict[str, list[str]]]:
    """The configurations that the card names; of each, the patterns of every split's files."""
    from huggingface_hub import DatasetCard

    if not (folder / CARD_FILE).is_file():
        return {}
    card = DatasetCard.load(folder / CARD_FILE, ignore_metadata_errors=True)
    return {
        item["config_name"]: split_patterns(item.get("data_files") or [])
        for item in card.data.to_dict().get("configs") or []
    }


def split_patterns(data_files: Any) -> dict[str, list[str]]:
    """A card's `data_files`, one pattern, several, or several for each split, in one form."""
    items = data_files if isinstance(data_files, list) else [data_files]
    patterns: dict[str, list[str]] = {}
    for item in items:
        split, path = (item["split"], item["path"]) if isinstance(item, dict) else ("train", item)
        patterns.setdefault(split, []).extend([path] if isinstance(path, str) else path)
    return patterns


def list_patterns(data_files: Any) -> list[str]:
    if isinstance(data_files, Mapping):
        return [pattern for patterns in data_files.values() for pattern in patterns]
    return list(data_files)


def check_files(config: CorpusConfig, folder: Path) -> None:
    """Refuse names of files that the repository does not have, and say which it has.

    Raises:
        InputError: a pattern of `corpus.data_files` matches nothing.
    """
    from huggingface_hub import HfApi

    for pattern in config.data_files:
        if next(folder.glob(pattern), None):
            continue
        with hub_errors_as_sentences(lambda e: explain_reading(e, config.repo_id, config.revision)):
            there = HfApi().list_repo_files(
                config.repo_id, repo_type="dataset", revision=config.revision
            )
        raise InputError(
            _("{repo}: has no file “{name}”; corpus.data_files can name: {names}.").format(
                repo=config.repo_id,
                name=pattern,
                names=", ".join(name for name in there if not name.startswith(".")),
            )
        )
