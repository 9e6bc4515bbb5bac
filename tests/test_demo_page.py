"""People type, watch, stop and compare in a real browser; nobody outside is asked for anything."""

import dataclasses
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator

import pytest

from hf_zh_dict.evaluation.known_entries import KnownEntries
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.generate import generate_texts
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing import demo_page
from hf_zh_dict.sharing.demo_page import Turns, Writer, build_page, launch_page, read_seed
from hf_zh_dict.sharing.entry_html import show_controls

gradio = pytest.importorskip("gradio")
sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = [
    # what Gradio asks of pandas 3, pandas 3 is about to drop
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # the socket with which Gradio finds a port taken is left to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHROMIUM = os.environ.get("HF_ZH_DICT_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
LONG_WAIT = (
    60_000  # milliseconds; a busy machine is slow, and a test that passes never waits so long
)
ENTRY = "ㄘㄜˋ ㄕˋ　cè shì　[動]　1.試試看。如：「測試網頁。」　2.考驗。　相似詞：試驗"
EVIL = "<b id=evil>粗</b><img src=x onerror=\"document.title='evil'\">{{value}}${1+1}"

needs_browser = pytest.mark.skipif(
    not CHROMIUM, reason="needs Chromium: install it, or name it in HF_ZH_DICT_CHROMIUM"
)


@pytest.fixture(scope="module")
def writer(tiny_config, tokenizer, embedded_corpus):
    """An untrained model that sees 256 tokens at once, with the embedded corpus."""
    from hf_zh_dict.model.llama import build_model

    blocks = dataclasses.replace(tiny_config.blocks, block_size=256)
    model = build_model(dataclasses.replace(tiny_config, blocks=blocks), tokenizer).eval()
    folder = embedded_corpus[0]
    return Writer("tiny", model, tokenizer, KnownEntries.read(RunPaths(folder.parent, folder)))


class Pen:
    """Stands in for the model where its text matters: what it writes, and how far at once."""

    def __init__(self) -> None:
        self.text = ENTRY
        self.held = threading.Event()  # set: the text goes on to its end
        self.closed = threading.Semaphore(0)  # one for each writing that was left off

    def stream(self, _model: object, _tokenizer: object, prompt: str, _sampling: Sampling) -> Iterator[str]:  # fmt: skip
        yield prompt
        try:
            if not self.held.is_set():
                yield from self.text[:8]
            while not self.held.wait(0.02):
                yield "…"  # still at it
            yield self.text
        except GeneratorExit:
            self.closed.release()
            raise


@pytest.fixture
def pen(monkeypatch):
    pen = Pen()
    pen.held.set()
    monkeypatch.setattr(demo_page, "stream_text", pen.stream)
    yield pen
    pen.held.set()


@pytest.fixture(scope="module")
def asked_hosts():
    """Every host that this process asks for while the page is served."""
    hosts = set()
    look_up = socket.getaddrinfo

    def record(host, *args, **kwargs):
        hosts.add(host)
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", record)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield hosts


@pytest.fixture(scope="module")
def served(writer, asked_hosts):
    """The address of the page."""
    page = build_page(writer)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    local, shared = launch_page(page, share=False, server_port=port)
    assert shared == ""
    yield local
    page.close(verbose=False)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("needs Chromium: install it, or name it in HF_ZH_DICT_CHROMIUM")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """Someone with a browser of their own before the page."""

    def __init__(self, browser, address):
        self.context = browser.new_context()
        self.context.set_default_timeout(LONG_WAIT)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.word = self.page.locator("#word").locator("input, textarea")
        self.result = self.page.locator("#result")
        self.stop = self.page.locator("#stop")
        self.word.wait_for()

    def ask(self, word):
        self.word.fill(word)
        self.word.press("Enter")

    def see(self, text):
        sync_api.expect(self.result).to_contain_text(text, timeout=LONG_WAIT)

    def see_finished(self):
        self.page.locator(".remarks").wait_for()


@pytest.fixture
def visit(browser, served):
    """Opens the page for a visitor; in the end nobody has asked for anything outside."""
    visitors = []

    def open_page():
        visitors.append(Visitor(browser, served))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.context.close()
        assert visitor.errors == []
        assert len(visitor.requests) > 5
        strange = [u for u in visitor.requests if not u.startswith((served, "data:", "blob:"))]
        assert strange == []


def test_a_word_is_typed_and_its_entry_set_checked_and_compared(visit, pen, writer):
    word = next(e for e in writer.known.held_out if len(e) == 2)
    pen.text = writer.known.find(word)[0].text.split("　", 1)[1]
    visitor = visit()
    visitor.see("The entry appears here.")
    visitor.ask(word)
    visitor.see_finished()
    written, known = visitor.page.locator(".written"), visitor.page.locator(".known")
    for card in (written, known):
        assert card.locator(".headword").first.inner_text().startswith(word[0])
        assert card.locator(".zhuyin").count() >= 2
    assert written.locator(".remarks .bad").count() == 0
    assert "not seen in training" in known.locator(".mark").first.inner_text()
    assert written.locator(".figure").inner_text().endswith("%")
    sync_api.expect(visitor.stop).to_be_disabled()


def test_the_real_model_streams_and_settings_count(visit, writer):
    visitor = visit()
    visitor.page.locator("#settings button").first.click()
    seed = visitor.page.get_by_label("seed")
    seed.fill("7")
    visitor.ask("茶壺")
    visitor.see_finished()
    visitor.see("seed 7")
    (text,) = generate_texts(writer.model, writer.tokenizer, ["茶壺　"], Sampling(seed=7))
    kept = visitor.page.locator(".written .entry").inner_text()
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", show_controls(text))
    seed.fill("seven")
    visitor.ask("茶壺")
    visitor.see("must be a whole number")


def test_stop_ends_the_writing_at_once_and_keeps_what_there_is(visit, pen):
    pen.held.clear()
    visitor = visit()
    visitor.ask("測試")
    visitor.see("測試　ㄘㄜˋ")
    sync_api.expect(visitor.stop).to_be_enabled(timeout=LONG_WAIT)
    visitor.stop.click()
    visitor.see_finished()
    visitor.see("stopped")
    visitor.see("測試　ㄘㄜˋ")
    assert pen.closed.acquire(timeout=LONG_WAIT / 1000)  # the model is not at it any more
    pen.held.set()
    visitor.ask("測試")
    visitor.see("試試看。")
    sync_api.expect(visitor.result).not_to_contain_text("stopped")


def test_a_new_word_ends_the_writing_of_the_last(visit, pen):
    pen.held.clear()
    visitor = visit()
    visitor.ask("前一個")
    visitor.see("前一個　ㄘㄜˋ")
    visitor.ask("後一個")
    visitor.see("後一個　ㄘㄜˋ")
    assert pen.closed.acquire(timeout=LONG_WAIT / 1000)
    pen.held.set()
    visitor.see_finished()
    visitor.see("後一個")


def test_without_a_word_the_page_says_what_to_do(visit, pen):
    visitor = visit()
    for word in ("", "  　 "):
        visitor.ask(word)
        visitor.see("Type a word first, or let a random one be drawn.")


def test_two_thousand_characters_are_answered_in_a_sentence(visit):
    visitor = visit()
    visitor.ask("字" * 2000)
    visitor.see("This is too long")
    visitor.see("256 at once")
    visitor.ask("字")
    visitor.see_finished()


def test_markup_that_is_typed_or_written_is_shown_as_text(visit, pen):
    pen.text = f"{EVIL}　ㄘˊ　釋義。{EVIL}"
    visitor = visit()
    visitor.ask(EVIL)
    visitor.see_finished()
    assert visitor.page.locator(".written .entry").inner_text().count(EVIL) == 3
    assert visitor.page.locator("#evil, #result img").count() == 0
    assert visitor.page.title() != "evil"


def test_two_people_are_served_at_once(visit, pen):
    pen.held.clear()
    one, other = visit(), visit()
    one.ask("甲方")
    one.see("甲方　ㄘㄜˋ")
    other.ask("乙方")
    other.see("乙方　ㄘㄜˋ")
    one.see("…")
    pen.held.set()
    for visitor, word, alien in ((one, "甲方", "乙方"), (other, "乙方", "甲方")):
        visitor.see_finished()
        text = visitor.page.locator(".written").inner_text()
        assert word[0] in text
        assert alien[0] not in text


def test_examples_and_random_words_are_written_at_a_click(visit, pen, writer):
    visitor = visit()
    visitor.page.locator(".example").first.click()
    visitor.see_finished()
    sync_api.expect(visitor.word).to_have_value(writer.examples[0])
    visitor.page.locator("#draw").click()
    sync_api.expect(visitor.word).not_to_have_value(writer.examples[0], timeout=LONG_WAIT)
    visitor.see("not seen in training")
    assert visitor.word.input_value() in writer.known.held_out


def test_on_a_phone_nothing_lies_beside_the_screen(visit, pen):
    visitor = visit()
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.ask("測試")
    visitor.see_finished()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    written = visitor.page.locator(".written").bounding_box()
    assert written["x"] >= 0
    assert written["x"] + written["width"] <= 390


@needs_browser
def test_the_server_asks_nobody_outside(visit, pen, asked_hosts):
    visitor = visit()
    visitor.ask("茶壺")
    visitor.see_finished()
    assert {str(host) for host in asked_hosts} <= {"127.0.0.1", "localhost", "None"}


def test_without_a_corpus_the_page_says_so_and_offers_words(writer):
    alone = dataclasses.replace(writer, known=None)
    assert "There is no corpus here" in demo_page.render_footing(alone)
    assert alone.examples == list(demo_page.EXAMPLES)
    assert "random" not in demo_page.ask_for_a_word(alone)
    shown = alone.show("茶壺", "茶壺　ㄔㄚˊ ㄏㄨˊ　泡茶的器具。", Sampling())
    assert "the dictionary says" not in shown
    assert "novelty" not in shown


def test_a_headword_is_begun_as_its_document_and_other_text_as_it_is(writer):
    assert writer.make_prompt("茶壺") == "茶壺　"
    assert writer.make_prompt("茶壺　ㄔㄚˊ") == "茶壺　ㄔㄚˊ"
    assert dataclasses.replace(writer, ending="").make_prompt("茶壺") == "茶壺"


def test_what_fills_the_context_is_refused(writer):
    with pytest.raises(InputError, match="the model sees 256 at once"):
        next(writer.write("字" * 2000, Sampling()))
    *_growing, text = writer.write("字" * 20, Sampling(max_new_tokens=4))
    assert text.startswith("字" * 20)


def test_several_write_at_once_what_each_would_write_alone(writer):
    words = ["茶壺", "霧燈", "青石橋", "斑鳩"]

    def write(word):
        return list(writer.write(word, Sampling(max_new_tokens=60)))[-1]

    alone, together = {word: write(word) for word in words}, {}
    threads = [
        threading.Thread(target=lambda word=word: together.__setitem__(word, write(word)))
        for word in words
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_user_has_one_turn_and_stops_only_their_own():
    turns = Turns()
    with turns.take("one") as first, turns.take("other") as other, turns.take("one") as second:
        turns.stop("one")
        assert (first.over, first.stopped) == (True, False)
        assert (second.over, second.stopped) == (False, True)
        assert (other.over, other.stopped) == (False, False)
    turns.stop("one")  # nothing is left to stop
    assert turns.of == {}


def test_a_seed_is_read_or_drawn():
    import random

    assert read_seed(" 12 ", random.Random()) == 12
    assert read_seed("", random.Random(0)) == read_seed(" ", random.Random(0))
    for text in ("x", "-1", "1.5", "9" * 30):
        with pytest.raises(InputError, match="whole number"):
            read_seed(text, random.Random())
