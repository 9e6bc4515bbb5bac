"""Repositories as git and the Hub's listings know them: blobs, commits, branches, tags."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml

from hub_server.wire import Refused

PREFIX = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}
BIRTH = datetime(2025, 1, 1)


@dataclass(frozen=True)
class Account:
    """Whom a token belongs to. It writes under its own name and its organisations'."""

    name: str
    role: str = "write"
    organizations: tuple[str, ...] = ()

    def may_write(self, owner: str) -> bool:
        return self.role == "write" and self.belongs_to(owner)

    def belongs_to(self, owner: str) -> bool:
        return owner in (self.name, *self.organizations)


@dataclass(frozen=True)
class Blob:
    """A file's bytes; a large one is kept by git as a pointer to the storage."""

    data: bytes
    large: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pointer(self) -> bytes:
        version = "https://git-lfs.github.com/spec/v1"
        return f"version {version}\noid sha256:{self.sha256}\nsize {len(self.data)}\n".encode()

    @property
    def git_sha1(self) -> str:
        kept = self.pointer if self.large else self.data
        return hashlib.sha1(b"blob %d\0" % len(kept) + kept).hexdigest()

    def describe_pointer(self, hash_name: str) -> dict[str, Any]:
        size, pointer_size = len(self.data), len(self.pointer)
        return {hash_name: self.sha256, "size": size, "pointerSize": pointer_size}

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.git_sha1


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: "Commit | None"
    title: str
    message: str
    date: datetime
    author: str
    files: Mapping[str, Blob]


@dataclass
class Repo:
    """One repository: branches and tags name commits, and each commit holds all its files."""

    kind: str
    id: str
    private: bool
    gated: str | bool = False
    sdk: str = ""  # of a Space
    branches: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Commit] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    def commit(
        self, branch: str, files: Mapping[str, Blob], title: str, message: str, author: str
    ) -> Commit:
        parent = self.branches.get(branch)
        number = len(self.commits)
        listing = [(path, blob.git_sha1) for path, blob in sorted(files.items())]
        oid = hashlib.sha1(repr((self.id, number, title, listing)).encode()).hexdigest()
        date = BIRTH + timedelta(minutes=number)
        new = Commit(oid, parent, title, message, date, author, dict(files))
        self.commits[oid] = self.branches[branch] = new
        return new

    def find(self, revision: str) -> Commit:
        """The commit that a branch, a tag or an id names."""
        for named in (self.branches, self.tags, self.commits):
            if revision in named:
                return named[revision]
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def read_metadata(card: str) -> dict[str, Any]:
    """The YAML at the top of a card; empty when there is none."""
    found = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", card, re.DOTALL)
    metadata = yaml.safe_load(found[1]) if found else {}
    return metadata if isinstance(metadata, dict) else {}


def list_paths(commit: Commit) -> list[str]:
    """All files and folders of a commit."""
    folders = {path[: cut.start()] for path in commit.files for cut in re.finditer("/", path)}
    return sorted({*commit.files, *folders})


def describe(commit: Commit, path: str, *, expand: bool) -> dict[str, Any]:
    """A file or folder as `tree` and `paths-info` list it."""
    blob = commit.files.get(path)
    if blob is None:
        oid = hashlib.sha1(path.encode()).hexdigest()
        return {"type": "directory", "oid": oid, "size": 0, "path": path}
    described = {"type": "file", "oid": blob.git_sha1, "size": len(blob.data), "path": path}
    if blob.large:
        described["lfs"] = blob.describe_pointer("oid")
    if expand:
        date = as_date(commit.date)
        described["lastCommit"] = {"id": commit.oid, "title": commit.title, "date": date}
        scans = {"avScan": None, "pickleImportScan": None}
        described["securityFileStatus"] = {"status": "safe", **scans}
    return described


def as_date(date: datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
