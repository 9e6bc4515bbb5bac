"""What a repository shows: its listings, its history, and its files or where they lie."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlencode

from hub_server.repos import (
    BIRTH,
    Blob,
    Commit,
    Repo,
    as_date,
    describe,
    list_paths,
    read_metadata,
)
from hub_server.wire import Answer, Refused, Request, as_file, as_json

if TYPE_CHECKING:
    from hub_server.server import HubServer

T = TypeVar("T")


def cut_page(
    hub: "HubServer", request: Request, listed: Sequence[T]
) -> tuple[Sequence[T], dict[str, str]]:
    """The page that the request's cursor asks for, and the header that names the next."""
    size = min(int(request.query.get("limit", [str(hub.page_size)])[0]), hub.page_size)
    start = int(request.query.get("cursor", ["0"])[0])
    end = start + size
    if end >= len(listed):
        return listed[start:], {}
    query = urlencode({**request.query, "cursor": end}, doseq=True)
    return listed[start:end], {"Link": f'<{hub.endpoint}{request.path}?{query}>; rel="next"'}


def list_repos(hub: "HubServer", request: Request, kind: str) -> Answer:
    author, search = (request.query.get(name, [""])[0] for name in ("author", "search"))
    listed = [
        describe_repo(repo, repo.find("main"))
        for repo in hub.repos.values()
        if repo.kind == kind
        and hub.may_see(request, repo)
        and author in ("", repo.owner)
        and search.lower() in repo.id.lower()
    ]
    page, link = cut_page(hub, request, listed)
    return as_json(page, **link)


def info(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str = "") -> Answer:
    repo = hub.find(request, kind, repo_id)
    commit = repo.find(rev or "main")
    siblings: list[dict[str, Any]] = [{"rfilename": path} for path in sorted(commit.files)]
    if request.asks("blobs"):
        for sibling in siblings:
            blob = commit.files[sibling["rfilename"]]
            sibling |= {"size": len(blob.data), "blobId": blob.git_sha1}
            if blob.large:
                sibling["lfs"] = blob.describe_pointer("sha256")
    return as_json(describe_repo(repo, commit) | {"siblings": siblings})


def describe_repo(repo: Repo, commit: Commit) -> dict[str, Any]:
    metadata = read_metadata(commit.files.get("README.md", Blob(b"")).data.decode())
    described = {
        "_id": commit.oid[:24], "id": repo.id, "author": repo.owner, "sha": commit.oid,
        "private": repo.private, "gated": repo.gated, "disabled": False,
        "tags": metadata.get("tags", []), "cardData": metadata, "downloads": 0, "likes": 0,
        "lastModified": as_date(commit.date), "createdAt": as_date(BIRTH),
    }  # fmt: skip
    if repo.kind == "models":
        named = ("library_name", "pipeline_tag")
        described |= {"modelId": repo.id} | {n: metadata[n] for n in named if n in metadata}
    if repo.kind == "spaces":
        described["sdk"] = repo.sdk
    return described


def tree(
    hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str, path: str = ""
) -> Answer:
    commit = hub.find(request, kind, repo_id).find(rev)
    inside = f"{path}/" if path else ""
    listed = [name for name in list_paths(commit) if name.startswith(inside)]
    if path and not listed:
        raise Refused(404, "Entry not found", "EntryNotFound")
    if not request.asks("recursive"):
        listed = [name for name in listed if "/" not in name[len(inside) :]]
    page, link = cut_page(hub, request, listed)
    expand = request.asks("expand")
    return as_json([describe(commit, name, expand=expand) for name in page], **link)


def paths_info(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str) -> Answer:
    commit = hub.find(request, kind, repo_id).find(rev)
    if "json" in request.headers.get("content-type", ""):
        wanted = request.json()
        paths, expand = wanted["paths"], bool(wanted.get("expand"))
    else:
        form = parse_qs(request.body.decode())
        paths, expand = form.get("paths", []), form.get("expand") == ["true"]
    known = [path for path in list_paths(commit) if path in paths]
    return as_json([describe(commit, path, expand=expand) for path in known])


def refs(hub: "HubServer", request: Request, kind: str, repo_id: str) -> Answer:
    repo = hub.find(request, kind, repo_id)

    def listed(named: Mapping[str, Commit], prefix: str) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": prefix + name, "targetCommit": commit.oid}
            for name, commit in named.items()
        ]

    branches, tags = listed(repo.branches, "refs/heads/"), listed(repo.tags, "refs/tags/")
    return as_json({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})


def commits(hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str) -> Answer:
    commit: Commit | None = hub.find(request, kind, repo_id).find(rev)
    listed = []
    while commit:
        listed.append({
            "id": commit.oid, "title": commit.title, "message": commit.message,
            "date": as_date(commit.date), "authors": [{"user": commit.author}],
        })  # fmt: skip
        commit = commit.parent
    page, link = cut_page(hub, request, listed)
    return as_json(page, **link)


def resolve(
    hub: "HubServer", request: Request, kind: str, repo_id: str, rev: str, path: str
) -> Answer:
    commit = hub.find(request, kind, repo_id, opens=True).find(rev)
    seen = {"X-Repo-Commit": commit.oid}
    blob = commit.files.get(path)
    if blob is None:
        raise Refused(404, "Entry not found", "EntryNotFound", **seen)
    if not blob.large:
        return as_file(request, blob.data, ETag=f'"{blob.etag}"', **seen)
    return Answer(302, b"", seen | {
        "Location": f"{hub.storage_url}/{blob.sha256}", "X-Linked-Size": str(len(blob.data)),
        "X-Linked-Etag": f'"{blob.sha256}"',
    })  # fmt: skip
