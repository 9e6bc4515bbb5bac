"""HTTP requests of unmodified clients in, a Hub's answers out: repositories in memory, on loopback.

Nothing here imitates a client: huggingface_hub, datasets and transformers talk to it when
`HF_ENDPOINT` names it. Large files are answered with a redirect to another host name, as the Hub
does, and are uploaded there; clients must run with `HF_HUB_DISABLE_XET=1`.

    with HubServer() as hub:
        ...                                # clients with HF_ENDPOINT=hub.endpoint
        hub.faults.append(Fault("/commit/", status=503, retry_after=1))
        assert hub.asked("POST", "/api/repos/create")
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import yaml

PREFIX = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}
LARGE_SUFFIXES = (".parquet", ".arrow", ".safetensors", ".bin", ".gguf", ".pt", ".zip", ".model")
LARGE_BYTES = 10_000_000
LICENSES = {"apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "mit", "other", "unknown"}
BIRTH = datetime(2025, 1, 1)


@dataclass(frozen=True)
class Account:
    """Whom a token belongs to. It writes under its own name and its organisations'."""

    name: str
    role: str = "write"
    organizations: tuple[str, ...] = ()

    def may_write(self, owner: str) -> bool:
        return self.role == "write" and owner in (self.name, *self.organizations)


ACCOUNTS = {"hf_writer": Account("owner"), "hf_reader": Account("reader", role="read")}


@dataclass(frozen=True)
class Request:
    """What a client sent. `path` is quoted as it came; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def asks(self, name: str) -> bool:
        return self.query.get(name, ["false"])[0].lower() in ("true", "1")


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request gets an error's answer."""

    def __init__(self, status: int, message: str, code: str = "", **headers: str) -> None:
        named = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {}) | headers
        self.answer = as_json({"error": message}, status, **named)


@dataclass
class Fault:
    """The next `times` requests whose path matches go wrong.

    They are answered after `delay` seconds; with `status` instead of what they ask for; or with
    only the first `cut_after` bytes of the body, after which the connection closes.
    """

    path: str
    method: str = ""
    times: int = 1
    delay: float = 0.0
    status: int = 0
    retry_after: int | None = None
    cut_after: int | None = None

    def concerns(self, request: Request) -> bool:
        same_method = self.method in ("", request.method)
        return self.times > 0 and same_method and bool(re.search(self.path, request.path))


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
    branches: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Commit] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

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


class HubServer:
    """The Hub: `endpoint` is what clients need, `repos`, `requests` and `faults` are the tests'."""

    def __init__(self, accounts: Mapping[str, Account] = ACCOUNTS) -> None:
        self.accounts = accounts
        self.repos: dict[tuple[str, str], Repo] = {}
        self.storage: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.page_size = 1000
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self))
        self.http.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.http.server_port}"
        self.storage_url = f"http://localhost:{self.http.server_port}/storage"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        self.http.shutdown()
        self.http.server_close()

    def repo(self, repo_id: str, kind: str = "datasets") -> Repo:
        return self.repos[kind, repo_id]

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests so far whose path matches."""
        return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    # a request's way: recorded, perhaps spoilt, answered

    def receive(self, request: Request) -> tuple[Answer, int | None]:
        """The answer, and after how many bytes of it the connection breaks."""
        with self.lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.concerns(request)), None)
            if fault:
                fault.times -= 1
        if fault:
            self.stopped.wait(fault.delay)
        if fault and fault.status:
            wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return Refused(fault.status, "the Hub is not well", **wait).answer, fault.cut_after
        with self.lock:
            return self.answer(request), fault.cut_after if fault else None

    def answer(self, request: Request) -> Answer:
        try:
            if request.token and request.token not in self.accounts:
                raise Refused(401, "Invalid credentials in Authorization header")
            for method, pattern, handle in ROUTES:
                found = re.fullmatch(pattern, request.path)
                if found and request.method in method.split("|"):
                    parts = {name: unquote(part or "") for name, part in found.groupdict().items()}
                    if parts.get("kind") == "":
                        parts["kind"] = "models"
                    return handle(self, request, **parts)
            raise Refused(404, "Sorry, we can't find the page you are looking for.")
        except Refused as refused:
            return refused.answer

    def account(self, request: Request) -> Account:
        if request.token not in self.accounts:
            raise Refused(401, "Invalid username or password.")
        return self.accounts[request.token]

    def find(self, request: Request, kind: str, repo_id: str, *, write: bool = False) -> Repo:
        """The repository, when the request's token may see it, or write to it."""
        account = self.accounts.get(request.token)
        repo = self.repos.get((kind, repo_id))
        owner = repo_id.split("/")[0]
        belongs = account and owner in (account.name, *account.organizations)
        if not repo or (repo.private and not belongs):
            status = 404 if account else 401
            raise Refused(status, "Repository not found", "RepoNotFound")
        if write and not self.account(request).may_write(owner):
            raise Refused(403, "Forbidden: you must use a write token of an account with access")
        return repo

    # accounts and repositories

    def whoami(self, request: Request) -> Answer:
        account = self.account(request)
        token = {"displayName": "test", "role": account.role}
        organizations = [{"type": "org", "name": name} for name in account.organizations]
        return as_json({
            "type": "user", "name": account.name, "fullname": account.name, "orgs": organizations,
            "auth": {"type": "access_token", "accessToken": token},
        })  # fmt: skip

    def create(self, request: Request) -> Answer:
        account = self.account(request)
        wanted = request.json()
        owner = wanted.get("organization") or account.name
        if not account.may_write(owner):
            raise Refused(403, f"You don't have the rights to create a repo under {owner}")
        kind = wanted.get("type", "model") + "s"
        repo_id = f"{owner}/{wanted['name']}"
        url = f"{self.endpoint}/{PREFIX[kind]}{repo_id}"
        if (kind, repo_id) in self.repos:
            message = f"You already created this {kind[:-1]} repo"
            return as_json({"error": message, "url": url}, 409, **{"X-Error-Message": message})
        repo = Repo(kind, repo_id, private=wanted.get("visibility") == "private")
        self.repos[kind, repo_id] = repo
        attributes = "".join(f"*{suffix} filter=lfs -text\n" for suffix in LARGE_SUFFIXES)
        first = {".gitattributes": Blob(attributes.encode())}
        repo.commit("main", first, "initial commit", "", account.name)
        return as_json({"url": url, "name": repo_id, "id": repo_id})

    def change_settings(self, request: Request, kind: str, repo_id: str) -> Answer:
        repo = self.find(request, kind, repo_id, write=True)
        repo.private = request.json().get("visibility", "") == "private"
        return as_json({"private": repo.private})

    def validate_yaml(self, request: Request) -> Answer:
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

    # reading

    def info(self, request: Request, kind: str, repo_id: str, rev: str = "") -> Answer:
        repo = self.find(request, kind, repo_id)
        commit = repo.find(rev or "main")
        card = commit.files.get("README.md", Blob(b"")).data.decode()
        siblings: list[dict[str, Any]] = [{"rfilename": path} for path in sorted(commit.files)]
        if request.asks("blobs"):
            for sibling in siblings:
                blob = commit.files[sibling["rfilename"]]
                sibling |= {"size": len(blob.data), "blobId": blob.git_sha1}
                if blob.large:
                    sibling["lfs"] = blob.describe_pointer("sha256")
        metadata = read_metadata(card)
        return as_json({
            "_id": commit.oid[:24], "id": repo.id, "author": repo.id.split("/")[0],
            "sha": commit.oid, "private": repo.private, "gated": False, "disabled": False,
            "tags": metadata.get("tags", []), "cardData": metadata, "siblings": siblings,
            "lastModified": as_date(commit.date), "createdAt": as_date(BIRTH),
            "downloads": 0, "likes": 0,
        } | ({"modelId": repo.id} if kind == "models" else {}))  # fmt: skip

    def tree(self, request: Request, kind: str, repo_id: str, rev: str, path: str = "") -> Answer:
        commit = self.find(request, kind, repo_id).find(rev)
        inside = f"{path}/" if path else ""
        listed = [name for name in list_paths(commit) if name.startswith(inside)]
        if path and not listed:
            raise Refused(404, "Entry not found", "EntryNotFound")
        if not request.asks("recursive"):
            listed = [name for name in listed if "/" not in name[len(inside) :]]
        start = int(request.query.get("cursor", ["0"])[0])
        end = start + self.page_size
        page = [describe(commit, name, expand=request.asks("expand")) for name in listed[start:end]]
        if end >= len(listed):
            return as_json(page)
        query = urlencode({**request.query, "cursor": end}, doseq=True)
        return as_json(page, Link=f'<{self.endpoint}{request.path}?{query}>; rel="next"')

    def paths_info(self, request: Request, kind: str, repo_id: str, rev: str) -> Answer:
        commit = self.find(request, kind, repo_id).find(rev)
        form = parse_qs(request.body.decode())
        known = [path for path in list_paths(commit) if path in form.get("paths", [])]
        expand = form.get("expand") == ["true"]
        return as_json([describe(commit, path, expand=expand) for path in known])

    def refs(self, request: Request, kind: str, repo_id: str) -> Answer:
        repo = self.find(request, kind, repo_id)

        def listed(named: Mapping[str, Commit], prefix: str) -> list[dict[str, str]]:
            return [
                {"name": name, "ref": prefix + name, "targetCommit": commit.oid}
                for name, commit in named.items()
            ]

        branches, tags = listed(repo.branches, "refs/heads/"), listed(repo.tags, "refs/tags/")
        return as_json({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})

    def commits(self, request: Request, kind: str, repo_id: str, rev: str) -> Answer:
        commit: Commit | None = self.find(request, kind, repo_id).find(rev)
        listed = []
        while commit:
            listed.append({
                "id": commit.oid, "title": commit.title, "message": commit.message,
                "date": as_date(commit.date), "authors": [{"user": commit.author}],
            })  # fmt: skip
            commit = commit.parent
        return as_json(listed)

    def resolve(self, request: Request, kind: str, repo_id: str, rev: str, path: str) -> Answer:
        commit = self.find(request, kind, repo_id).find(rev)
        seen = {"X-Repo-Commit": commit.oid}
        blob = commit.files.get(path)
        if blob is None:
            raise Refused(404, "Entry not found", "EntryNotFound", **seen)
        if not blob.large:
            return as_file(request, blob.data, ETag=f'"{blob.etag}"', **seen)
        return Answer(302, b"", seen | {
            "Location": f"{self.storage_url}/{blob.sha256}", "X-Linked-Size": str(len(blob.data)),
            "X-Linked-Etag": f'"{blob.sha256}"',
        })  # fmt: skip

    def read_storage(self, request: Request, oid: str) -> Answer:
        if oid not in self.storage:
            raise Refused(404, "NoSuchKey")
        return as_file(request, self.storage[oid], ETag=f'"{oid}"')

    # writing

    def preupload(self, request: Request, kind: str, repo_id: str, rev: str) -> Answer:
        held = self.find(request, kind, repo_id, write=True).find(rev).files
        files = []
        for item in request.json()["files"]:
            binary = b"\0" in base64.b64decode(item["sample"])
            named_large = item["path"].endswith(LARGE_SUFFIXES)
            large = binary or named_large or item["size"] > LARGE_BYTES
            known = {"oid": held[item["path"]].etag} if item["path"] in held else {}
            mode = "lfs" if large else "regular"
            files.append({"path": item["path"], "uploadMode": mode, "shouldIgnore": False} | known)
        return as_json({"files": files})

    def lfs_batch(self, request: Request, kind: str, repo_id: str) -> Answer:
        self.find(request, kind, repo_id, write=True)
        verify = f"{self.endpoint}/{PREFIX[kind]}{repo_id}.git/info/lfs/verify"
        objects = request.json()["objects"]
        for item in objects:
            if item["oid"] not in self.storage:
                upload = f"{self.storage_url}/{item['oid']}"
                item["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
        return as_json({"transfer": "basic", "objects": objects})

    def write_storage(self, request: Request, oid: str) -> Answer:
        if hashlib.sha256(request.body).hexdigest() != oid:
            raise Refused(400, "BadDigest")
        self.storage[oid] = request.body
        return Answer()

    def verify(self, request: Request, kind: str, repo_id: str) -> Answer:
        self.find(request, kind, repo_id, write=True)
        item = request.json()
        if len(self.storage.get(item["oid"], b"")) != item["size"]:
            raise Refused(400, "the uploaded object has another size")
        return Answer()

    def make_commit(self, request: Request, kind: str, repo_id: str, rev: str) -> Answer:
        repo = self.find(request, kind, repo_id, write=True)
        head = repo.branches.get(rev)
        if not head:
            raise Refused(404, f"Invalid rev id: {rev}", "RevisionNotFound")
        header, *changes = map(json.loads, request.body.splitlines())
        header = header["value"]
        if header.get("parentCommit", head.oid) != head.oid:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for change in changes:
            self.change(files, change["key"], change["value"])
        author = self.accounts[request.token].name
        new = repo.commit(rev, files, header["summary"], header.get("description", ""), author)
        url = f"{self.endpoint}/{PREFIX[kind]}{repo_id}/commit/{new.oid}"
        return as_json({"success": True, "commitOid": new.oid, "commitUrl": url, "hookOutput": ""})

    def change(self, files: dict[str, Blob], key: str, value: Mapping[str, Any]) -> None:
        """One line of a commit, done to the files."""
        path = value["path"]
        if key == "file":
            files[path] = Blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if value["oid"] not in self.storage:
                raise Refused(400, "LFS pointer pointed to a file that does not exist")
            files[path] = Blob(self.storage[value["oid"]], large=True)
        elif key == "deletedFile":
            if files.pop(path, None) is None:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        elif key == "deletedFolder":
            for inside in [name for name in files if name.startswith(path.rstrip("/") + "/")]:
                del files[inside]

    def change_branch(self, request: Request, kind: str, repo_id: str, name: str) -> Answer:
        repo = self.find(request, kind, repo_id, write=True)
        start = request.json().get("startingPoint") or "main"
        return name_commit(request, repo.branches, name, lambda: repo.find(start))

    def change_tag(self, request: Request, kind: str, repo_id: str, rev: str) -> Answer:
        repo = self.find(request, kind, repo_id, write=True)
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


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    body = json.dumps(value).encode()
    return Answer(status, body, {"Content-Type": "application/json", **headers})


def as_file(request: Request, data: bytes, **headers: str) -> Answer:
    """The bytes, or the range of them that the request asks for."""
    named = headers | {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if not wanted:
        return Answer(200, data, named)
    start, end = int(wanted[1]), min(int(wanted[2] or len(data) - 1), len(data) - 1)
    if start >= len(data):
        return Answer(416, b"", named | {"Content-Range": f"bytes */{len(data)}"})
    place = {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
    return Answer(206, data[start : end + 1], named | place)


REPO = r"/api/(?P<kind>models|datasets|spaces)/(?P<repo_id>[^/]+/[^/]+)"
FILES = r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo_id>[^/]+/[^/]+?)"
REV = r"/(?P<rev>[^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/whoami-v2", HubServer.whoami),
    ("POST", "/api/repos/create", HubServer.create),
    ("POST", "/api/validate-yaml", HubServer.validate_yaml),
    ("GET|HEAD", r"/storage/(?P<oid>\w+)", HubServer.read_storage),
    ("PUT", r"/storage/(?P<oid>\w+)", HubServer.write_storage),
    ("POST", FILES + r"\.git/info/lfs/objects/batch", HubServer.lfs_batch),
    ("POST", FILES + r"\.git/info/lfs/verify", HubServer.verify),
    ("GET|HEAD", FILES + f"/resolve{REV}/(?P<path>.+)", HubServer.resolve),
    ("GET", REPO, HubServer.info),
    ("GET", REPO + "/revision" + REV, HubServer.info),
    ("PUT", REPO + "/settings", HubServer.change_settings),
    ("GET", REPO + "/tree" + REV + "(?:/(?P<path>.+))?", HubServer.tree),
    ("POST", REPO + "/paths-info" + REV, HubServer.paths_info),
    ("GET", REPO + "/refs", HubServer.refs),
    ("GET", REPO + "/commits" + REV, HubServer.commits),
    ("POST", REPO + "/preupload" + REV, HubServer.preupload),
    ("POST", REPO + "/commit" + REV, HubServer.make_commit),
    ("POST|DELETE", REPO + "/branch/(?P<name>[^/]+)", HubServer.change_branch),
    ("POST|DELETE", REPO + "/tag" + REV, HubServer.change_tag),
)


def make_handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    """The class that speaks HTTP/1.1 for a hub."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(
                self.command, url.path, parse_qs(url.query), headers, self.read_body()
            )
            answer, cut_after = hub.receive(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[:cut_after])
            if cut_after is not None:
                self.close_connection = True

        def read_body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = respond  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            """Tests read `hub.requests` instead."""

    return Handler
