"""Bytes or a folder's new content in, files and folders that are whole or not there out.

What is written stands beside its place first, is flushed to the disk, and is then renamed: a kill
or a power failure leaves the old or the new, never half of one.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARTIAL, OLD = ".partial", ".old"  # what stands beside a file or folder while it is replaced


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def write_synced(path: Path, data: bytes) -> None:
    """Write a file through to the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Flush to the disk what was written to a file, if it is there."""
    if path.is_file():
        with path.open("rb+" if os.name == "nt" else "rb") as file:  # it may be read-only
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk; Windows does so by itself."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush everything under a folder, and its names."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            sync_file(Path(place, name))
        sync_folder(Path(place))


def write_file(path: Path, text: str) -> None:
    """A text file replaced in one piece."""
    new = beside(path, PARTIAL)
    write_synced(new, text.encode())
    new.replace(path)
    sync_folder(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object that a run wrote; empty when the file is not there, or half written."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return read if isinstance(read, dict) else {}


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Where to write a file that is moved to `path` when it is whole."""
    new = beside(path, PARTIAL)
    yield new
    sync_file(new)
    new.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a folder, file or link, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def new_folder(folder: Path) -> Path:
    """An empty folder beside `folder`, to be written and then moved into its place.

    A kill between the two renames of `replace_folder` leaves the old content beside its place: it
    is put back here.
    """
    old = beside(folder, OLD)
    if folder.exists():
        remove(old)
    elif old.exists():
        old.rename(folder)
    new = beside(folder, PARTIAL)
    remove(new)
    new.mkdir(parents=True)
    return new


def replace_folder(new: Path, folder: Path) -> None:
    """Move a whole new folder into the place of another.

    A folder with files cannot be renamed over, so the old one steps aside first. Killed between
    the two renames, `folder` is missing and both are whole beside it; never is there a mixture.
    """
    old = beside(folder, OLD)
    remove(old)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    sync_folder(folder.parent)
    remove(old)
