"""A request in, the answer of the room that knows it out; the repositories, faults and records."""

import re
import threading
from collections.abc import Callable, Mapping
from http.server import ThreadingHTTPServer
from urllib.parse import unquote

from hub_server import accounts, reading, storage, writing
from hub_server.repos import Account, Repo
from hub_server.wire import Answer, Fault, Refused, Request, make_handler

ACCOUNTS = {"hf_writer": Account("owner"), "hf_reader": Account("reader", role="read")}

KIND = r"/api/(?P<kind>models|datasets|spaces)"
REPO = KIND + r"/(?P<repo_id>[^/]+/[^/]+)"
FILES = r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo_id>[^/]+/[^/]+?)"
REV = r"/(?P<rev>[^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/whoami-v2", accounts.whoami),
    ("POST", "/api/repos/create", accounts.create),
    ("DELETE", "/api/repos/delete", accounts.delete),
    ("POST", "/api/repos/move", accounts.move),
    ("PUT", REPO + "/settings", accounts.change_settings),
    ("POST", "/api/validate-yaml", writing.validate_yaml),
    ("GET|HEAD", r"/storage/(?P<oid>\w+)", storage.read_object),
    ("PUT", r"/storage/(?P<oid>\w+)", storage.write_object),
    ("PUT", r"/storage/(?P<oid>\w+)/(?P<part>\d+)", storage.write_part),
    ("POST", r"/complete/(?P<oid>\w+)", storage.join_parts),
    ("POST", FILES + r"\.git/info/lfs/objects/batch", storage.start_uploads),
    ("POST", FILES + r"\.git/info/lfs/verify", storage.verify),
    ("GET|HEAD", FILES + f"/resolve{REV}/(?P<path>.+)", reading.resolve),
    ("GET", KIND, reading.list_repos),
    ("GET", REPO, reading.info),
    ("GET", REPO + "/revision" + REV, reading.info),
    ("GET", REPO + "/tree" + REV + "(?:/(?P<path>.+))?", reading.tree),
    ("POST", REPO + "/paths-info" + REV, reading.paths_info),
    ("GET", REPO + "/refs", reading.refs),
    ("GET", REPO + "/commits" + REV, reading.commits),
    ("POST", REPO + "/preupload" + REV, writing.preupload),
    ("POST", REPO + "/commit" + REV, writing.commit),
    ("POST|DELETE", REPO + "/branch/(?P<name>[^/]+)", writing.change_branch),
    ("POST|DELETE", REPO + "/tag" + REV, writing.change_tag),
)


class HubServer:
    """The Hub: `endpoint` is what clients need, `repos`, `requests` and `faults` are the tests'."""

    def __init__(self, accounts: Mapping[str, Account] = ACCOUNTS) -> None:
        self.accounts = accounts
        self.repos: dict[tuple[str, str], Repo] = {}
        self.storage: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}  # of objects that are on their way
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.page_size = 1000
        self.part_size = 0  # larger objects go up in parts of this size (0: all in one)
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self.receive))
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
            refused = Refused(fault.status, "the Hub is not well", fault.code, **wait)
            return refused.answer, fault.cut_after
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

    # who may do what

    def account(self, request: Request) -> Account:
        if request.token not in self.accounts:
            raise Refused(401, "Invalid username or password.")
        return self.accounts[request.token]

    def may_see(self, request: Request, repo: Repo) -> bool:
        account = self.accounts.get(request.token)
        return not repo.private or bool(account and account.belongs_to(repo.owner))

    def find(
        self, request: Request, kind: str, repo_id: str, *, write: bool = False, opens: bool = False
    ) -> Repo:
        """The repository, when the request's token may see it, write to it, or open its files."""
        repo = self.repos.get((kind, repo_id))
        if not repo or not self.may_see(request, repo):
            status = 404 if request.token in self.accounts else 401
            raise Refused(status, "Repository not found", "RepoNotFound")
        if write and not self.account(request).may_write(repo.owner):
            raise Refused(403, "Forbidden: you must use a write token of an account with access")
        account = self.accounts.get(request.token)
        if opens and repo.gated and not (account and account.belongs_to(repo.owner)):
            message = f"Access to {kind[:-1]} {repo_id} is restricted and you are not in the authorized list."
            raise Refused(403 if account else 401, message, "GatedRepo")
        return repo
