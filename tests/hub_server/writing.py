"""Changes to a repository: commits, the questions that come before them, branches and tags."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from hub_server.repos import PREFIX, Blob, Commit, read_metadata
from hub_server.wire import Answer, Refused, Request, as_json

if TYPE_CHECKING:
    from hub_server.server import HubServer

LARGE_SUFFIXES = (".parquet", ".arrow", ".safetensors", ".bin", ".gguf", ".pt", ".zip", ".model")
LARGE_BYTES = 10_000_000
LICENSES = {"apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "mit", "other", "unknown"}


def validate_yaml(hub: "HubServer", request: Request) -> Answer:
    try:
        metadata = read_metadata(request.json()["content"])
        errors = []
    except yaml.YAMLError as error:
        metadata, errors = {}, [{"message": f"not YAML: {error}"}]
    license_id = metadata.get("license")
    if license_id and license_id not in LICENSES:
        errors.append({"message": f'"license" must be one of {sorted(LICENSES)}'})
    warnings = [] if metadata else [{"message": "empty or missing yaml metadata in repo card"}]
    return as_json({"errors": errors, "warnings": warnings}, 400 if errors else 200)


def preupload(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str) -> Answer:
    held = hub.find(request, kind, repo_id, write=True).find(rev).files
    files = []
    for item in request.json()["files"]:
        binary = b"\0" in base64.b64decode(item["sample"])
        named_large = item["path"].endswith(LARGE_SUFFIXES)
        large = binary or named_large or item["size"] > LARGE_BYTES
        known = {"oid": held[item["path"]].etag} if item["path"] in held else {}
        mode = "lfs" if large else "regular"
        files.append({"path": item["path"], "uploadMode": mode, "shouldIgnore": False} | known)
    return as_json({"files": files})


def commit(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str) -> Answer:
    repo = hub.find(request, kind, repo_id, write=True)
    head = repo.branches.get(rev)
    if not head:
        raise Refused(404, f"Invalid rev id: {rev}", "RevisionNotFound")
    header, *changes = map(json.loads, request.body.splitlines())
    header = header["value"]
    if header.get("parentCommit", head.oid) != head.oid:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    files = dict(head.files)
    for change in changes:
        apply(hub, files, change["key"], change["value"])
    author = hub.accounts[request.token].name
    new = repo.commit(rev, files, header["summary"], header.get("description", ""), author)
    url = f"{hub.endpoint}/{PREFIX[kind]}{repo_id}/commit/{new.oid}"
    return as_json({"success": True, "commitOid": new.oid, "commitUrl": url, "hookOutput": ""})


def apply(hub: "HubServer", files: dict[str, Blob], key: str, value: Mapping[str, Any]) -> None:
    """One line of a commit, done to the files."""
    path = value["path"]
    if key == "file":
        files[path] = Blob(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if value["oid"] not in hub.storage:
            raise Refused(400, "LFS pointer pointed to a file that does not exist")
        files[path] = Blob(hub.storage[value["oid"]], large=True)
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for inside in [name for name in files if name.startswith(path.rstrip("/") + "/")]:
            del files[inside]


def change_branch(hub: "HubServer", request: Request, kind: str, repo_id: str, name: str) -> Answer:
    repo = hub.find(request, kind, repo_id, write=True)
    start = request.json().get("startingPoint") or "main"
    return name_commit(request, repo.branches, name, lambda: repo.find(start))


def change_tag(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str) -> Answer:
    repo = hub.find(request, kind, repo_id, write=True)
    tag = rev if request.method == "DELETE" else request.json()["tag"]
    return name_commit(request, repo.tags, tag, lambda: repo.find(rev))


def name_commit(
    request: Request, named: dict[str, Commit], name: str, find: Callable[[], Commit]
) -> Answer:
    """Let a branch or tag name a commit, or take the name away."""
    if request.method == "DELETE":
        if named.pop(name, None) is None:
            raise Refused(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return Answer()
    if name in named:
        raise Refused(409, f"Reference {name} already exists")
    named[name] = find()
    return Answer()
