"""The Ministry's pages, as they are and as they may become, give whole files or one sentence."""

import datetime
import email.utils
import hashlib
import io
import itertools
import json
import random
import shlex
import time
import zipfile
from pathlib import Path

import pytest
import requests
from machine import chinese_file_names
from moe_server import Answer, MoeServer

from hf_zh_dict import __version__
from hf_zh_dict.cli import main
from hf_zh_dict.dictionaries import download
from hf_zh_dict.dictionaries.download import (
    PAGES,
    PIECE,
    Client,
    Patience,
    download_dictionary,
    kept_files,
    read_records,
)
from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.dictionaries.reader import read_entries
from hf_zh_dict.messages import InputError
from hf_zh_dict.progress import Progress

MINI = "dict_mini_2019_20260929.zip"
GUIDE = b"%PDF-1.4 invented conditions"
LINK = '<li><a href="{}" target="_blank">{}</a></li>'
ZIP = "application/x-zip-compressed"


def archive(*names, size=150_000, seed=0):
    """A zip of incompressible files of these names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), random.Random(seed).randbytes(size))
    return content.getvalue()


def page(*links):
    items = "".join(LINK.format(address, text) for address, text in links)
    return Answer(f"<!DOCTYPE html><title>資料下載</title><ul>{items}</ul>".encode())


@pytest.fixture
def server(monkeypatch):
    """The four pages with an archive and a 使用說明 each."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with MoeServer() as server:
        for dictionary, name in PAGES.items():
            file = MINI.replace("mini", dictionary)
            guide = f"{dictionary}dict_10312.pdf"
            server.put(name, page((f"download/{file}", "文字資料庫"), (guide, "PDF")))
            data = archive(file.replace(".zip", ".xlsx"), seed=dictionary)
            server.put(f"download/{file}", Answer(data, ZIP, headers={"ETag": f'"{dictionary}"'}))
            server.put(guide, Answer(GUIDE, "application/pdf"))
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    """Fetch a dictionary without waiting; what it told and how long it would have waited."""

    def fetch(dictionary="mini", folder=tmp_path / "data", **patience):
        patience = {"timeout": 5.0, "pause": 0.0, "sleep": fetch.waited.append} | patience
        with Client(fetch.told.append, Patience(**patience)) as client:
            download_dictionary(dictionary, folder, client, base_url=server.url)

    fetch.told, fetch.waited = [], []
    return fetch


@pytest.fixture
def refused(fetch):
    """Fetch a dictionary that cannot be had; the sentence that says so."""

    def refused(*arguments, **options):
        with pytest.raises(InputError) as caught:
            fetch(*arguments, **options)
        text = str(caught.value)
        assert text.startswith(f"{TITLES[arguments[0] if arguments else 'mini']}: ")
        assert text.endswith(".")
        assert "\n" not in text
        return text

    return refused


def by_hand(text, server, folder):
    """Whether a sentence says where the file is and what to do with it."""
    return (
        f"by hand from {server.url}{PAGES['mini']}" in text
        and f"{server.url}index.html" in text
        and f"put it into {folder}" in text
        and "--corpus.files" in text
    )


def body(server, name=MINI):
    return server.answers[f"/download/{name}"][-1].body


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


# What is kept


def test_the_four_pages_are_those_of_the_ministry():
    assert download.MOE_URL.startswith("https://language.moe.gov.tw/001/")
    assert list(PAGES) == list(TITLES)


@pytest.mark.parametrize("dictionary", PAGES)
def test_a_dictionary_its_conditions_and_a_record_are_kept(server, fetch, tmp_path, dictionary):
    fetch(dictionary)
    name = f"dict_{dictionary}_2019_20260929.zip"
    data = tmp_path / "data"
    assert files(data) == [name, "downloads.json", f"license/{dictionary}dict_10312.pdf"]
    content = (data / name).read_bytes()
    assert content == body(server, name)
    assert (data / "license" / f"{dictionary}dict_10312.pdf").read_bytes() == GUIDE
    assert json.loads((data / "downloads.json").read_text(encoding="utf-8")) == {
        dictionary: {
            "edition": "2019_20260929",
            "file": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "url": f"{server.url}download/{name}",
            "page": server.url + PAGES[dictionary],
            "fetched": datetime.date.today().isoformat(),
        }
    }
    assert any("edition 2019_20260929" in line and name in line for line in fetch.told)


def test_a_second_run_fetches_only_the_page(server, fetch):
    fetch()
    asked = len(server.requests)
    fetch()
    assert [request.path for request in server.requests[asked:]] == ["/" + PAGES["mini"]]
    assert fetch.told[-1].endswith(f"{MINI} is there already")


def test_a_kept_file_that_has_changed_is_fetched_again(server, fetch, tmp_path):
    fetch()
    path = tmp_path / "data" / MINI
    path.write_bytes(path.read_bytes()[:-1])
    fetch()
    assert path.read_bytes() == body(server)
    assert len(server.asked(f"download/{MINI}")) == 2


def test_a_new_edition_takes_the_place_of_the_record_and_leaves_the_old_file(
    server, fetch, tmp_path
):
    fetch("idioms")
    fetch()
    new = "dict_mini_2019_20270101.zip"
    server.put(PAGES["mini"], page((f"download/{new}", "文字資料庫"), ("minidict_1.pdf", "PDF")))
    server.put(f"download/{new}", Answer(archive("a.xlsx"), ZIP))
    server.put("minidict_1.pdf", Answer(GUIDE, "application/pdf"))
    fetch()
    data = tmp_path / "data"
    records = read_records(data)
    assert list(records) == ["idioms", "mini"]
    assert records["mini"]["edition"] == "2019_20270101"
    assert kept_files(data) == [data / "dict_idioms_2019_20260929.zip", data / new]
    assert (data / MINI).is_file()
    assert (data / "license" / "minidict_1.pdf").is_file()


def test_a_damaged_record_is_written_anew(fetch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "downloads.json").write_text('{"mini": {"edi', encoding="utf-8")
    fetch()
    assert read_records(tmp_path / "data")["mini"]["file"] == MINI


def test_what_is_fetched_can_be_read(server, fetch, tmp_path, write_table):
    header = ["單字", "部首", "總筆畫數", "部首外筆畫", "注音", "解釋"]
    row = dict(zip(header, ["礁", "石", "17", "12", "ㄐㄧㄠ", "海裡的石頭。"], strict=True))
    server.put(f"download/{MINI}", Answer(write_table(header, [row], MINI).read_bytes(), ZIP))
    fetch()
    (path,) = kept_files(tmp_path / "data")
    assert [entry.headword for entry in read_entries(path)] == ["礁"]


# Pages


@pytest.mark.parametrize(
    "addresses",
    [
        ["download/{}"],
        ["/download/{}"],
        ["{server}download/{}"],
        ["./download/../download/{}?v=2#top"],
        ["download/dict_mini_2008_20190331.zip", "download/{}", "dict_mini_2019_20260626.zip"],
        ["download/dict_mini_2030_20190331.zip", "download/{}"],
        ["download/dict_mini_music_2019_20991231.zip", "download/{}"],
        ["dict_mini_2019_20991231.zip.001", "dict_mini_2019_20991231.odt", "download/{}"],
    ],
)
def test_the_newest_edition_is_found_wherever_it_stands(server, fetch, tmp_path, addresses):
    links = [(address.format(MINI, server=server.url), "下載") for address in addresses]
    server.put(
        PAGES["mini"], page(*links, ("site.pdf", "網站使用說明"), ("minidict_10312.pdf", "PDF"))
    )
    server.put(f"download/{MINI}?v=2", *server.answers[f"/download/{MINI}"])
    fetch()
    assert (tmp_path / "data" / MINI).read_bytes() == body(server)


@pytest.mark.parametrize(
    "markup",
    [
        "<A HREF='download/{}'><b>文字</b>資料庫</A>",
        "<button onclick=\"location.href='download/{}'\">下載</button>",
        '<div data-file="download/{}"><p>下載',
        '<a href="#"><a name=top><a href=download/{}>下載</a>',
    ],
)
def test_other_markup_is_understood(server, fetch, tmp_path, markup):
    guide = '<a href="minidict_10312.pdf">PDF</a>／<a href="minidict_10312.odt">ODT</a>'
    server.put(PAGES["mini"], Answer((guide + markup.format(MINI)).encode()))
    fetch()
    assert files(tmp_path / "data") == [MINI, "downloads.json", "license/minidict_10312.pdf"]


@pytest.mark.parametrize(
    ("address", "text", "name"),
    [
        ("minidict_11501.pdf", "PDF", "minidict_11501.pdf"),
        ("about/guide.pdf", "使用<b>說明</b>", "mini_guide.pdf"),
        pytest.param(
            "%E4%BD%BF%E7%94%A8%E8%AA%AA%E6%98%8E.pdf",
            "下載",
            "mini_使用說明.pdf",
            marks=chinese_file_names,
        ),
        ("about/..%2F..%5Cmini-x.pdf", "使用說明", "mini-x.pdf"),
    ],
)
def test_the_conditions_are_found_by_name_or_text(server, fetch, tmp_path, address, text, name):
    links = [("preface.pdf", "編輯凡例"), (f"download/{MINI}", "zip"), (address, text)]
    server.put(PAGES["mini"], page(*links))
    server.put(address, Answer(GUIDE, "application/pdf"))
    fetch()
    assert [path.name for path in (tmp_path / "data" / "license").iterdir()] == [name]


def test_a_page_that_has_moved_is_followed_and_its_links_start_there(server, fetch, tmp_path):
    links = page((f"{MINI}", "zip"), ("minidict_10312.pdf", "使用說明"))
    server.put(PAGES["mini"], Answer(status=301, headers={"Location": "/new/place.html"}))
    server.put("new/place.html", links)
    server.put(f"new/{MINI}", Answer(archive("a.xls"), ZIP))
    server.put("new/minidict_10312.pdf", Answer(GUIDE))
    fetch()
    assert (tmp_path / "data" / MINI).read_bytes() == server.answers[f"/new/{MINI}"][0].body


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(), "has no link to dict_mini_….zip"),
        (page((f"download/{MINI.replace('mini', 'idioms')}", "zip")), "has no link to dict_mini"),
        (page(("download/minidict-2026.zip", "文字資料庫")), "has no link to dict_mini_….zip"),
        (Answer(b"{}", "application/json"), "is no web page but application/json"),
        (Answer(status=404), "answers 404"),
        (Answer(status=403), "answers 403"),
        (Answer(status=301, headers={"Location": "/" + PAGES["mini"]}), "cannot be read"),
        (Answer(status=302, headers={"Location": "ftp://127.0.0.1/a"}), "cannot be read"),
    ],
)
def test_a_page_of_another_kind_is_one_sentence(server, fetch, refused, tmp_path, answer, reason):
    server.put(PAGES["mini"], answer)
    text = refused()
    assert f"{server.url}{PAGES['mini']} {reason}" in text
    assert by_hand(text, server, tmp_path / "data")
    assert fetch.told == []
    assert not (tmp_path / "data").exists()


def test_without_its_conditions_a_dictionary_is_kept_and_the_lack_told(server, refused, tmp_path):
    server.put(PAGES["mini"], page((f"download/{MINI}", "zip"), ("preface.pdf", "凡例")))
    assert "no link to its 使用說明" in refused()
    assert kept_files(tmp_path / "data") == [tmp_path / "data" / MINI]


def test_conditions_that_are_no_pdf_are_not_kept(server, refused, tmp_path):
    server.put("minidict_10312.pdf", Answer(b"<html>sorry</html>"))
    assert "minidict_10312.pdf is no PDF" in refused()
    assert files(tmp_path / "data") == [MINI, "downloads.json"]


# Transfers


def test_a_transfer_that_breaks_goes_on_where_it_broke(server, fetch, tmp_path):
    whole = server.answers[f"/download/{MINI}"][0]
    broken = Answer(whole.body, ZIP, headers=whole.headers, cut=100_000)
    server.put(f"download/{MINI}", broken, whole)
    fetch(waits=(7.0, 70.0))
    first, second = server.asked(f"download/{MINI}")
    assert "Range" not in first.headers
    start = int(second.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 100_000 - PIECE <= start <= 100_000
    assert second.headers["If-Range"] == '"mini"'
    assert (tmp_path / "data" / MINI).read_bytes() == whole.body
    assert 7.0 in fetch.waited
    assert 70.0 not in fetch.waited
    assert files(tmp_path / "data") == [MINI, "downloads.json", "license/minidict_10312.pdf"]


@pytest.mark.parametrize("date", ["Thu, 01 Oct 2026 08:00:00 GMT"])
@pytest.mark.parametrize("tag", [{}, {"ETag": 'W/"weak"'}])
def test_the_next_run_goes_on_by_the_date_when_there_is_no_strong_tag(
    server, fetch, refused, tmp_path, tag, date
):
    headers = {"Last-Modified": date, **tag}
    whole = body(server)
    server.put(f"download/{MINI}", Answer(whole, ZIP, headers=headers, cut=50_000))
    assert f"the connection to {server.url}download/{MINI} fails" in refused(waits=())
    partial = tmp_path / "data" / f"{MINI}.partial"
    there = partial.stat().st_size
    assert whole.startswith(partial.read_bytes())
    server.put(f"download/{MINI}", Answer(whole, ZIP, headers=headers))
    fetch(waits=())
    last = server.asked(f"download/{MINI}")[-1]
    assert (last.headers["Range"], last.headers["If-Range"]) == (f"bytes={there}-", date)
    assert (tmp_path / "data" / MINI).read_bytes() == whole


@pytest.mark.parametrize(
    "case", ["ignores Range", "is another now", "does not compare", "wrong part", "416"]
)
def test_a_beginning_that_does_not_fit_is_begun_anew(server, fetch, tmp_path, case):
    old, new = body(server), archive("new.xlsx", seed=1)
    if case == "416":
        new = archive("new.xlsx", seed=1, size=20_000)
    broken = Answer(old, ZIP, headers={"ETag": '"old"'}, cut=100_000)
    whole = {
        "ignores Range": Answer(old, ZIP, headers={"ETag": '"old"'}, ranges=False),
        "is another now": Answer(new, ZIP, headers={"ETag": '"new"'}),
        "does not compare": Answer(new, ZIP, headers={"ETag": '"new"'}, always_ranges=True),
        "wrong part": Answer(old, ZIP, headers={"ETag": '"old"', "Content-Range": "bytes 0-9/10"}),
        "416": Answer(new, ZIP, headers={"ETag": '"new"'}, always_ranges=True),
    }[case]
    server.put(f"download/{MINI}", broken, whole)
    fetch()
    assert (tmp_path / "data" / MINI).read_bytes() == whole.body
    asked = server.asked(f"download/{MINI}")
    assert len(asked) == (2 if case in ("ignores Range", "is another now") else 3)
    assert "Range" in asked[1].headers
    assert all("Range" not in request.headers for request in asked[2:])


def test_an_archive_without_tag_and_date_is_begun_anew(server, fetch, tmp_path):
    whole = body(server)
    server.put(f"download/{MINI}", Answer(whole, ZIP, cut=100_000), Answer(whole, ZIP))
    fetch()
    assert (tmp_path / "data" / MINI).read_bytes() == whole
    assert all("Range" not in request.headers for request in server.asked(f"download/{MINI}"))


def test_the_length_is_compared_where_the_library_does_not(server, fetch, tmp_path, monkeypatch):
    whole, calls = requests.Response.iter_content, itertools.count()

    def shortened(response, size):
        cut = response.url.endswith(".zip") and next(calls) == 0
        return itertools.islice(whole(response, size), 2 if cut else None)

    monkeypatch.setattr(requests.Response, "iter_content", shortened)
    fetch()
    assert f"{MINI} ends too early; once more" in fetch.told[0]
    assert server.asked(f"download/{MINI}")[1].headers["Range"] == f"bytes={2 * PIECE}-"
    assert (tmp_path / "data" / MINI).read_bytes() == body(server)


def test_progress_counts_bytes_from_where_the_transfer_goes_on(server, fetch, monkeypatch):
    shown = []

    class Shown(Progress):
        def __exit__(self, *exception):
            shown.append((self.start, self.done, self.total))

    monkeypatch.setattr(download, "Progress", Shown)
    whole = server.answers[f"/download/{MINI}"][0]
    broken = Answer(whole.body, ZIP, headers=whole.headers, cut=100_000)
    server.put(f"download/{MINI}", broken, whole)
    fetch()
    size, there = len(whole.body), shown[0][1]
    assert 100_000 - PIECE <= there <= 100_000
    assert shown == [(0, there, size), (there, size, size), (0, len(GUIDE), len(GUIDE))]


def test_a_slow_answer_is_asked_for_again(server, fetch):
    quick = server.answers["/" + PAGES["mini"]][0]
    server.put(PAGES["mini"], Answer(quick.body, delay=0.4), quick)
    fetch(timeout=0.1)
    assert len(server.asked(PAGES["mini"])) == 2
    assert "does not answer in time; once more in 2 s" in fetch.told[0]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_failure_that_stays_is_one_sentence_after_growing_waits(
    server, fetch, refused, tmp_path, status
):
    server.put(f"download/{MINI}", Answer(status=status))
    text = refused(waits=(1.0, 4.0, 9.0))
    assert f"{MINI} answers {status}" in text
    assert by_hand(text, server, tmp_path / "data")
    assert [wait for wait in fetch.waited if wait] == [1.0, 4.0, 9.0]
    assert len(server.asked(f"download/{MINI}")) == 4
    assert len(fetch.told) == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", ["seconds", "date", "past", "nonsense"])
def test_the_wait_that_a_server_asks_for_is_kept(server, fetch, status, kind):
    value = {
        "seconds": "50",
        "date": email.utils.formatdate(time.time() + 50, usegmt=True),
        "past": email.utils.formatdate(time.time() - 50, usegmt=True),
        "nonsense": "soon",
    }[kind]
    good = server.answers["/" + PAGES["mini"]][0]
    server.put(PAGES["mini"], Answer(status=status, headers={"Retry-After": value}), good)
    fetch(waits=(2.0,))
    expected = 50 if kind in ("seconds", "date") else 2
    assert max(fetch.waited) == pytest.approx(expected, abs=3 if kind == "date" else 0)


def test_a_server_that_asks_for_too_long_a_wait_is_left_alone(server, fetch, refused):
    server.put(PAGES["mini"], Answer(status=503, headers={"Retry-After": "86400"}))
    assert "answers 503" in refused()
    assert len(server.requests) == 1
    assert not any(fetch.waited)


def test_without_a_network_there_is_one_sentence(server, refused, tmp_path, fetch):
    server.http.shutdown()
    server.http.server_close()
    text = refused()
    assert f"the connection to {server.url}{PAGES['mini']} fails" in text
    assert by_hand(text, server, tmp_path / "data")
    assert len(fetch.told) == 3


def test_a_connection_that_is_not_secure_is_not_used(server, fetch, refused):
    server.url = server.url.replace("http:", "https:")
    assert "the secure connection to https:" in refused()
    assert fetch.told == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>sorry</html>", "is no zip archive, or a damaged one"),
        (archive("a.xlsx")[:90_000], "is no zip archive, or a damaged one"),
        (archive("a.xlsx")[:99] + b"?" * 9 + archive("a.xlsx")[108:], "is damaged at a.xlsx"),
        (archive("readme.txt", size=9), "holds no spreadsheet"),
        (archive(size=0), "holds no spreadsheet"),
        (archive("a.xlsx", "b.xls", size=9), "holds several spreadsheets (a.xlsx, b.xls)"),
        (archive("../a.xlsx", size=9), "holds a file outside of its folder (../a.xlsx)"),
    ],
)
def test_a_bad_archive_is_named_and_not_kept(server, refused, tmp_path, data, reason):
    server.put(f"download/{MINI}", Answer(data, ZIP))
    text = refused()
    assert f"{server.url}download/{MINI} {reason}" in text
    assert "removed" in text
    assert by_hand(text, server, tmp_path / "data")
    assert files(tmp_path / "data") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence_and_loses_nothing(server, fetch, refused, tmp_path):
    fetch("idioms")
    before = files(tmp_path / "data")
    partial = tmp_path / "data" / f"{MINI}.partial"
    partial.symlink_to("/dev/full")
    text = refused()
    assert "No space left on device; make room or choose another --folder" in text
    assert server.url + PAGES["mini"] in text
    partial.unlink()
    (tmp_path / "data" / f"{MINI}.version").unlink()
    assert files(tmp_path / "data") == before


def test_a_folder_that_cannot_be_written_is_one_sentence(server, refused, tmp_path):
    place = tmp_path / "file"
    place.write_bytes(b"in the way")
    text = refused(folder=place)
    assert "another --folder" in text
    assert str(place) in text
    assert place.read_bytes() == b"in the way"


# Manners


def test_requests_are_spaced_and_never_overlap(server, fetch):
    for answers in server.answers.values():
        answers[0].delay = 0.01
    for dictionary in ("mini", "idioms"):
        fetch(dictionary, pause=0.05, sleep=time.sleep)
    assert len(server.requests) == 6
    for part in (server.requests[:3], server.requests[3:]):
        for before, after in itertools.pairwise(part):
            assert after.began - before.ended >= 0.045


def test_the_project_names_itself(server, fetch):
    fetch()
    agents = {request.headers["User-Agent"] for request in server.requests}
    assert agents == {f"hf-zh-dict/{__version__}"}


# The command


@pytest.fixture
def command(server, tmp_path, monkeypatch, capsys):
    """The command, at this server and without pauses; gives its code, output and errors."""
    monkeypatch.setenv("HF_ZH_DICT_MOE_URL", server.url.rstrip("/"))
    monkeypatch.setattr(download, "Patience", lambda: Patience(timeout=5.0, pause=0.0, waits=()))
    monkeypatch.chdir(tmp_path)

    def command(*words):
        code = main(["download", *words])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return command


def test_the_command_fetches_all_four_and_says_what_comes_next(command, tmp_path):
    code, out, err = command()
    assert (code, err) == (0, [])
    names = [f"data/dict_{dictionary}_2019_20260929.zip" for dictionary in TITLES]
    assert out[-1] == (
        "next: accelerate launch train.py --preset student --corpus.source spreadsheets "
        f"--corpus.files {' '.join(names)}"
    )
    assert list(read_records(tmp_path / "data")) == list(TITLES)


def test_one_that_fails_does_not_keep_the_others_back(server, command):
    server.put(PAGES["concised"], Answer(status=404))
    code, out, err = command("--dictionary", "concised", "mini", "mini", "--folder", "my data")
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith(
        f"error: {TITLES['concised']}: {server.url}{PAGES['concised']} answers"
    )
    assert shlex.split(out[-1])[-2:] == ["--corpus.files", f"my data/{MINI}"]
    assert len(server.asked(PAGES["mini"])) == 1


def test_when_nothing_is_kept_no_next_command_is_shown(server, command):
    server.put(PAGES["mini"], page())
    assert command("--dictionary", "mini")[:2] == (2, [])


def test_an_unknown_dictionary_is_refused(command):
    code, out, err = command("--dictionary", "hakka")
    assert (code, out) == (2, [])
    assert "hakka" in err[-1]
