"""HTTP in, a `Request` out; an `Answer`, perhaps a spoilt one, in, HTTP out."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit


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

    They are answered after `delay` seconds; with `status` (and error `code`) instead of what they
    ask for; or with only the first `cut_after` bytes of the body, after which the connection closes.
    """

    path: str
    method: str = ""
    times: int = 1
    delay: float = 0.0
    status: int = 0
    code: str = ""
    retry_after: int | None = None
    cut_after: int | None = None

    def concerns(self, request: Request) -> bool:
        same_method = self.method in ("", request.method)
        return self.times > 0 and same_method and bool(re.search(self.path, request.path))


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


def make_handler(
    receive: Callable[[Request], tuple[Answer, int | None]],
) -> type[BaseHTTPRequestHandler]:
    """The class that speaks HTTP/1.1 for a hub."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(
                self.command, url.path, parse_qs(url.query), headers, self.read_body()
            )
            answer, cut_after = receive(request)
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
