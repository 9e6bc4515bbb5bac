"""Answers in; a web server on 127.0.0.1 that gives them, and the log of its requests, out."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server says to a request for one address."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # bytes after which the connection is closed
    delay: float = 0.0  # seconds before anything is sent
    ranges: bool = True  # whether it honours Range when If-Range fits
    always_ranges: bool = False  # … and also when it does not

    def part(self, asked):
        """Status, first byte and further headers for a request with these headers."""
        start = int(asked.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        same = asked.get("If-Range") in (
            self.headers.get("ETag"),
            self.headers.get("Last-Modified"),
        )
        if self.status != 200 or not start or not self.ranges or not (same or self.always_ranges):
            return self.status, 0, {}
        if start >= len(self.body):
            return 416, len(self.body), {"Content-Range": f"bytes */{len(self.body)}"}
        span = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        return 206, start, {"Content-Range": span}


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    began: float
    ended: float = 0.0


class MoeServer:
    """Each address has its answers: one a request, the last one for ever."""

    def __init__(self):
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_exception):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def put(self, path, *answers):
        self.answers["/" + path] = list(answers)

    def asked(self, path):
        """The requests for one address, in their order."""
        return [request for request in self.requests if request.path == "/" + path]

    def answer(self, handler):
        request = Request(handler.path, dict(handler.headers), time.monotonic())
        self.requests.append(request)
        answers = self.answers.get(handler.path, [Answer(b"not here", status=404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        time.sleep(answer.delay)
        status, start, more = answer.part(request.headers)
        try:
            handler.send_response(status)
            headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body) - start)}
            for name, value in (headers | more | answer.headers).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(answer.body[start : answer.cut])
        except ConnectionError:  # the client waits no longer
            pass
        request.ended = time.monotonic()
