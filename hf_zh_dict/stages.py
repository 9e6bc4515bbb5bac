"""Fingerprints: is a stage's folder what its inputs and settings ask for, or must it be built?

A stage writes into a folder beside its own and moves it into place when it is whole, with
`stage.json` in it: the fingerprint, and what the stage has to say (counts, hashes). A stopped
build leaves nothing that could be mistaken for a result. Killed while the new folder takes the
old one's place, the stage counts as not built; the next build puts the old one back and goes on.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_zh_dict.files import new_folder, replace_folder, sync_tree, write_file

STAGE_FILE = "stage.json"


def fingerprint(**parts: Any) -> str:
    """SHA-256 over the parts as JSON."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_stage(folder: Path) -> dict[str, Any]:
    """What a built stage says of itself; empty when it is not built."""
    try:
        facts: dict[str, Any] = json.loads((folder / STAGE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return facts


def is_current(folder: Path, wanted: str) -> bool:
    return read_stage(folder).get("fingerprint") == wanted


@contextmanager
def build_stage(folder: Path, wanted: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A new folder to write into and a dict for the stage's facts; replaces `folder` at the end."""
    new = new_folder(folder)
    facts: dict[str, Any] = {}
    yield new, facts
    text = json.dumps({"fingerprint": wanted, **facts}, ensure_ascii=False, indent=2)
    write_file(new / STAGE_FILE, text + "\n")
    sync_tree(new)
    replace_folder(new, folder)
