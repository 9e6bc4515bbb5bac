"""The Ministry's download pages in; each dictionary's newest archive and its 使用說明, kept, out.

One request at a time, with a pause between two. What arrives stands in `NAME.partial` until it is
whole and has been looked through; a later try, or a later run, goes on where that one ends.
"""

import dataclasses
import datetime
import email.utils
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import requests

from hf_zh_dict import __version__
from hf_zh_dict.dictionaries.layouts import PAGES, TITLES
from hf_zh_dict.dictionaries.published import BadArchive, check_archive, edition_of
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER
from hf_zh_dict.progress import Progress
from hf_zh_dict.stages import hash_file

T = TypeVar("T")

MOE_URL = "https://language.moe.gov.tw/001/Upload/Files/site_content/M0001/respub/"
USER_AGENT = f"hf-zh-dict/{__version__}"
RECORDS_FILE = "downloads.json"
PASSING = (429, 500, 502, 503, 504)  # answers that may be others a little later
PIECE = 1 << 14  # bytes; at most one piece of a broken transfer is fetched again


class Failed(Exception):
    """A dictionary cannot be fetched; the text says why, without its end."""


class Passing(Exception):
    """What may go well a little later; `seconds` is the wait that the server asks for."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds."""

    timeout: float = 30.0  # for a connection, and between two pieces of an answer
    pause: float = 1.0  # between two requests
    waits: tuple[float, ...] = (2.0, 10.0, 30.0)  # before each further try
    longest_wait: float = 120.0  # that a server may ask for
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Record:
    """What `downloads.json` says of a dictionary."""

    edition: str  # 版本編號
    file: str
    sha256: str
    size: int  # bytes
    url: str
    page: str
    fetched: str  # ISO date


class Client:
    """Makes requests, one at a time, and again when a failure may pass."""

    def __init__(self, tell: Callable[[str], None], patience: Patience | None = None) -> None:
        self.tell, self.patience = tell, patience or Patience()
        self.session = requests.Session()
        self.session.headers["User-Agent"] = USER_AGENT
        self.earliest = 0.0  # time.monotonic() from which the next request may go out

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self.session.close()

    @contextmanager
    def get(self, url: str, **headers: str) -> Iterator[requests.Response]:
        """One answer with status 200, 206 or 416, its body still to be read.

        Raises:
            Passing: another try is worth while.
            Failed: it is not.
        """
        self.patience.sleep(max(0.0, self.earliest - time.monotonic()))
        try:
            with self.session.get(
                url, headers=headers, timeout=self.patience.timeout, stream=True
            ) as response:
                status = response.status_code
                if status in PASSING:
                    reason = _("{url} answers {status}").format(url=url, status=status)
                    raise Passing(reason, seconds_asked_for(response))
                if status not in (200, 206, 416):
                    raise Failed(_("{url} answers {status}").format(url=url, status=status))
                yield response
        except requests.exceptions.SSLError as error:
            raise Failed(_("the secure connection to {url} fails").format(url=url)) from error
        except requests.Timeout as error:
            raise Passing(_("{url} does not answer in time").format(url=url)) from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise Passing(_("the connection to {url} fails").format(url=url)) from error
        except requests.RequestException as error:
            raise Failed(
                _("{url} cannot be read ({error})").format(url=url, error=error)
            ) from error
        finally:
            self.earliest = time.monotonic() + self.patience.pause

    def persist(self, attempt: Callable[[], T]) -> T:
        """The attempt's result; what may pass is tried again after growing waits.

        Raises:
            Failed: it did not pass, or the server asks for too long a wait.
        """
        waits = list(self.patience.waits)
        while True:
            try:
                return attempt()
            except Passing as error:
                if not waits or error.seconds > self.patience.longest_wait:
                    raise Failed(str(error)) from error
                seconds = max(waits.pop(0), error.seconds)
                self.tell(
                    _("{reason}; once more in {seconds:.0f} s").format(
                        reason=error, seconds=seconds
                    )
                )
                self.patience.sleep(seconds)


def seconds_asked_for(response: requests.Response) -> float:
    """Retry-After, given as seconds or as a date; 0 when the server does not ask."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, until.timestamp() - time.time())


def download_dictionary(
    dictionary: str, folder: Path, client: Client, *, base_url: str = MOE_URL
) -> None:
    """Keep the newest edition in `folder`, its 使用說明 in `license/`, a record in `downloads.json`.

    An archive that the record says is there, and is, is not fetched again.

    Raises:
        InputError: something is missing at the end; what was kept before is still there.
    """
    page = base_url.rstrip("/") + "/" + PAGES[dictionary]
    try:
        links = client.persist(lambda: read_links(client, page))
        fetch_archive(dictionary, links, folder, client, page)
        fetch_license(dictionary, links, folder, client)
    except Failed as error:
        raise InputError(
            _(
                "{title}: {reason}; download it by hand from {page} (or, if that has moved, {index}"
                "), put it into {folder} and name it with --corpus.files."
            ).format(
                title=TITLES[dictionary], reason=error, page=page, folder=folder,
                index=urllib.parse.urljoin(page, "index.html"),
            )
        ) from error  # fmt: skip
    except OSError as error:
        raise InputError(
            _(
                "{title}: {file}: {reason}; make room or choose another --folder, then run this "
                "again to go on with {page}."
            ).format(
                title=TITLES[dictionary], file=error.filename or folder,
                reason=error.strerror or error, page=page,
            )
        ) from error  # fmt: skip


# Pages


@dataclass
class Link:
    """An address of a .zip or .pdf on a page, and the text that one clicks on."""

    url: str
    text: str = ""

    @property
    def name(self) -> str:
        """The name of the file, by the address's path."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.url).path)
        return path.replace("\\", "/").rpartition("/")[2]


class LinkParser(HTMLParser):
    """Collects the links of a page, in whatever attribute of whatever element they stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.links, self.inside = page, list[Link](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for _name, value in attrs:
            found = re.search(r"[^\s\"'()]+\.(?:zip|pdf)\b[^\s\"'()]*", value or "", re.IGNORECASE)
            if found:
                self.links.append(Link(urllib.parse.urljoin(self.page, found.group())))
                self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.links[-1].text += data


def read_links(client: Client, page: str) -> list[Link]:
    """The links of a page; relative ones start from where it has moved to."""
    with client.get(page) as response:
        kind = response.headers.get("Content-Type", "")
        if kind and "html" not in kind.lower():
            raise Failed(_("{url} is no web page but {kind}").format(url=page, kind=kind))
        parser = LinkParser(response.url)
        parser.feed(response.content.decode("utf-8", errors="replace"))
    parser.close()
    return parser.links


def newest_archive(dictionary: str, links: list[Link]) -> Link | None:
    """The archive with the latest date in its name (recordings and other archives do not count)."""
    name = re.compile(rf"dict_{dictionary}_\d{{4}}_\d{{8}}\.zip", re.IGNORECASE)
    archives = [link for link in links if name.fullmatch(link.name)]
    return max(archives, key=lambda link: edition_of(link.name)[-8:], default=None)


def license_link(dictionary: str, links: list[Link]) -> Link | None:
    """The 使用說明, by the usual name of its file, else by the text of its link."""
    guides = [link for link in links if link.name.lower().endswith(".pdf")]
    usual = [link for link in guides if re.match(rf"{dictionary}dict_\d+\.", link.name)]
    called = [link for link in guides if "使用說明" in link.text + link.name]
    return next(iter(usual + called), None)


# Files


def fetch_archive(
    dictionary: str, links: list[Link], folder: Path, client: Client, page: str
) -> None:
    """The newest archive into the folder, and its record."""
    link = newest_archive(dictionary, links)
    if not link:
        raise Failed(_("{url} has no link to dict_{name}_….zip").format(url=page, name=dictionary))
    path, title = folder / link.name, TITLES[dictionary]
    if is_kept(dictionary, path):
        client.tell(_("{title}: {file} is there already").format(title=title, file=path))
        return
    partial = fetch_file(link.url, path, client)
    try:
        check_archive(partial)
    except BadArchive as error:
        partial.unlink()
        raise Failed(
            _("{url} {reason}, and was removed").format(url=link.url, reason=error)
        ) from error
    partial.replace(path)
    record = Record(
        edition_of(path.name), path.name, hash_file(path), path.stat().st_size, link.url, page,
        datetime.date.today().isoformat(),
    )  # fmt: skip
    write_record(dictionary, record, folder)
    client.tell(
        _("{title}: {file}, edition {edition}, {size:,} bytes").format(
            title=title, file=path, edition=record.edition, size=record.size
        )
    )


def fetch_license(dictionary: str, links: list[Link], folder: Path, client: Client) -> None:
    """The 使用說明 into `license/`: its conditions hold for everything made of the dictionary."""
    link = license_link(dictionary, links)
    if not link:
        raise Failed(_("there is no link to its 使用說明 (PDF), which belongs into license/"))
    name = link.name if dictionary in link.name else f"{dictionary}_{link.name}"
    path = folder / LICENSE_FOLDER / name
    if path.is_file():
        return
    partial = fetch_file(link.url, path, client)
    with partial.open("rb") as file:
        start = file.read(5)
    if start != b"%PDF-":
        partial.unlink()
        raise Failed(_("{url} is no PDF, and was removed").format(url=link.url))
    partial.replace(path)
    client.tell(_("{title}: {file}").format(title=TITLES[dictionary], file=path))


def fetch_file(url: str, path: Path, client: Client) -> Path:
    """The whole of a file as `NAME.partial`, which is given back, still to be looked through."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    version = path.with_name(path.name + ".version")
    client.persist(lambda: transfer(url, partial, version, client))
    version.unlink(missing_ok=True)
    return partial


def transfer(url: str, partial: Path, version: Path, client: Client) -> None:
    """Fetch what is still missing, or all of it when the server's file is another one now.

    `version` keeps the ETag or the date of the file that `partial` is the beginning of (If-Range).
    """
    known = version.read_text(encoding="utf-8") if version.is_file() and partial.is_file() else ""
    start = partial.stat().st_size if known else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": known}
    with client.get(url, **headers) as response:
        if response.status_code == 200:
            start = 0
        elif not continues(response, start, known):
            version.unlink(missing_ok=True)
            raise Passing(_("{url} has changed").format(url=url))
        with partial.open("ab" if start else "wb") as file:
            if not start:  # the old beginning is gone, so its version may go
                version.write_text(version_of(response), encoding="utf-8", newline="\n")
            receive(response, file, start, partial.stem)


def receive(response: requests.Response, file: BinaryIO, start: int, name: str) -> None:
    """Write an answer's body behind the first `start` bytes, and compare the length."""
    length = int(response.headers.get("Content-Length", 0))
    description = _("download: {file} (bytes)").format(file=name)
    total = start + length if length else 0
    with Progress(description, total=total, start=start) as progress:
        for piece in response.iter_content(PIECE):
            file.write(piece)
            progress.advance(len(piece))
    if total and progress.done != total:
        raise Passing(_("{url} ends too early").format(url=response.url))


def version_of(response: requests.Response) -> str:
    """What tells a file from a later one of the same name; a weak ETag does not."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def continues(response: requests.Response, start: int, known: str) -> bool:
    """Whether an answer is the rest of the known file, from `start` bytes on."""
    return (
        response.status_code == 206
        and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        and version_of(response) in ("", known)
    )


# Records


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """Dictionary → the fields of its `Record`; empty when there is no readable file."""
    try:
        records: dict[str, dict[str, Any]] = json.loads(
            (folder / RECORDS_FILE).read_text(encoding="utf-8")
        )
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return records


def write_record(dictionary: str, record: Record, folder: Path) -> None:
    """Put one record in its place, the others staying; the file is never half written."""
    records = read_records(folder) | {dictionary: dataclasses.asdict(record)}
    text = json.dumps(records, ensure_ascii=False, indent=2)
    write_file(folder / RECORDS_FILE, text + "\n")


def is_kept(dictionary: str, path: Path) -> bool:
    """Whether the file is there as it was recorded."""
    record = read_records(path.parent).get(dictionary, {})
    return (
        record.get("file") == path.name
        and path.is_file()
        and record.get("sha256") == hash_file(path)
    )


def kept_files(folder: Path) -> list[Path]:
    """The recorded archives that are there, in the order of the dictionaries."""
    records = read_records(folder)
    paths = [folder / records[name]["file"] for name in TITLES if name in records]
    return [path for path in paths if path.is_file()]
