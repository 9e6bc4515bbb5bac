"""A model and its corpus, if there is one, in; a Gradio page on which people try it, out.

A word goes in, its entry streams out; then it is set like a dictionary's, checked, and shown
beside the true entry. Nothing is fetched from outside: fonts are the reader's, and whatever Gradio
would ask its makers is turned off.
"""

import dataclasses
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.evaluation.known_entries import KnownEntries
from hf_zh_dict.evaluation.written_entry import examine_entry
from hf_zh_dict.messages import LANGUAGE, InputError, _
from hf_zh_dict.model.generate import stream_text
from hf_zh_dict.model.loading import load_model_folder
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.dataset_card import attribute
from hf_zh_dict.sharing.entry_html import render_growing, render_message, render_written
from hf_zh_dict.sharing.page import TEMPLATES
from hf_zh_dict.stages import read_stage

if TYPE_CHECKING:
    import gradio
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

EXAMPLES = ("膝蓋", "颱風", "彩虹", "安步當車", "漂")
NUM_EXAMPLES = 5
SECONDS_BETWEEN = 0.05  # two pictures of a growing text
LEAST_ROOM = 8  # tokens that must be left to write
USERS_AT_ONCE = 8
SEEDS = 1_000_000
FONTS = ("Noto Sans TC", "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei", "sans-serif")


@dataclass(frozen=True)
class Writer:
    """A model that writes entries, with what there is to compare them to. Shared by all users."""

    name: str
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerFast"
    known: KnownEntries | None = None
    ending: str = SEPARATOR  # stands behind a headword in the model's own corpus
    attributions: Sequence[str] = ()  # what the corpus's licence asks to be shown with its text

    def write(self, word: str, sampling: Sampling) -> Iterator[str]:
        """The text as it grows, some times a second, and whole at the end.

        Raises:
            InputError: the word is longer than the model can see.
        """
        prompt = self.make_prompt(word)
        self.check_length(prompt)
        text, shown = "", 0.0
        for piece in stream_text(self.model, self.tokenizer, prompt, sampling):
            text += piece
            if time.monotonic() - shown >= SECONDS_BETWEEN:
                shown = time.monotonic()
                yield text
        yield text

    def make_prompt(self, word: str) -> str:
        """A headword as its document begins; any other text as it is."""
        is_headword = re.fullmatch(r"\w+", word) or (self.known and self.known.find(word))
        return word + self.ending if is_headword else word

    def check_length(self, prompt: str) -> None:
        """Refuse a beginning that leaves no room to write."""
        count = len(self.tokenizer(prompt)["input_ids"])
        context = int(self.model.config.max_position_embeddings)
        if count + LEAST_ROOM > context:
            raise InputError(
                _(
                    "This is too long: {count:,} tokens, and the model sees {context:,} at once, "
                    "with what it writes. Shorten it and try again."
                ).format(count=count, context=context)
            )

    def show(self, word: str, text: str, sampling: Sampling, *, stopped: bool = False) -> str:
        """The finished, or stopped, text as HTML with all that was found out about it."""
        return render_written(
            examine_entry(word, text, self.known),
            settings=describe_sampling(sampling),
            stopped=stopped,
            has_corpus=self.known is not None,
            attributions=self.attributions,
        )

    @cached_property
    def examples(self) -> list[str]:
        """Words to begin with: of the corpus, held-out ones among them, or some of our own."""
        if not self.known or not self.known.held_out:
            return list(EXAMPLES)
        choice = random.Random(0)
        short = [word for word in self.known.held_out if 2 <= len(word) <= 4]
        drawn = choice.sample(short, min(NUM_EXAMPLES, len(short)))
        return drawn or list(EXAMPLES)


@dataclass
class Turn:
    """One writing of one user's."""

    stopped: bool = False  # by its user
    over: bool = False  # another of the same user's has begun


class Turns:
    """Who writes at the moment: for each user, the last that they asked for."""

    def __init__(self) -> None:
        self.of: dict[str | None, Turn] = {}

    @contextmanager
    def take(self, user: str | None) -> Iterator[Turn]:
        """A new turn, which ends the one that the user still has."""
        if user in self.of:
            self.of[user].over = True
        turn = self.of[user] = Turn()
        try:
            yield turn
        finally:
            if self.of.get(user) is turn:
                del self.of[user]

    def stop(self, user: str | None) -> None:
        if user in self.of:
            self.of[user].stopped = True


def load_writer(model: Path | str, *, name: str, corpus: Path | None = None) -> Writer:
    """A model in a folder or on the Hub, with the corpus in a folder of its own.

    Raises:
        InputError: there is no model that can be loaded.
    """
    loaded, tokenizer = load_model_folder(model)
    if corpus is None:
        return Writer(name, loaded, tokenizer)
    facts = read_stage(corpus)
    licensed = facts.get("source") == "spreadsheets"
    return Writer(
        name,
        loaded,
        tokenizer,
        KnownEntries.read(RunPaths(corpus.parent, corpus)),
        attributions=attribute(facts.get("inputs") or []) if licensed else (),
    )


def describe_sampling(sampling: Sampling) -> str:
    """The settings in one line, so that a text can be had again."""
    if sampling.temperature == 0:
        return _("always the likeliest token")
    return _("temperature {temperature}, top-k {top_k}, top-p {top_p}, seed {seed}").format(
        **dataclasses.asdict(sampling)
    )


def build_page(writer: Writer) -> "gradio.Blocks":
    """The page, ready to be launched."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    choice, turns = random.Random(), Turns()

    def write(
        word: str | None,
        temperature: float, top_k: float, top_p: float, max_new_tokens: float, seed: str | None,
        request: gr.Request,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        may_stop, may_not = gr.update(interactive=True), gr.update(interactive=False)
        word = (word or "").strip()
        if not word:
            yield render_message(ask_for_a_word(writer)), may_not
            return
        try:
            sampling = Sampling(
                int(max_new_tokens), float(temperature), int(top_k), float(top_p),
                read_seed(seed or "", choice),
            )  # fmt: skip
            with turns.take(request.session_hash) as turn:
                text = ""
                for text in writer.write(word, sampling):
                    if turn.over:
                        return
                    if turn.stopped:
                        break
                    yield render_growing(text), may_stop
                yield writer.show(word, text, sampling, stopped=turn.stopped), may_not
        except InputError as error:
            yield render_message(str(error)), may_not

    def stop(request: gr.Request) -> None:
        turns.stop(request.session_hash)

    def draw(word: str | None) -> str:
        assert writer.known is not None
        standing = word or ""
        return writer.known.draw_held_out(choice, besides=standing) or standing

    title = _("hf_zh_dict: a model writes dictionary entries")
    page: gradio.Blocks = gr.Blocks(title=title, analytics_enabled=False)
    with page:
        gr.HTML(render_heading(writer), padding=False, apply_default_css=False)
        with gr.Row(elem_id="asking", equal_height=True):
            word = gr.Textbox(
                label=_("word"), show_label=False, placeholder=_("a word, such as 膝蓋"),
                lines=1, max_lines=1, autofocus=True, elem_id="word", scale=6, min_width=160,
                container=False,
            )  # fmt: skip
            go = gr.Button(_("Write"), variant="primary", elem_id="write", scale=1, min_width=88)
            halt = gr.Button(_("Stop"), interactive=False, elem_id="stop", scale=1, min_width=72)
        with gr.Row(elem_id="examples"):
            examples = [
                gr.Button(text, size="sm", min_width=0, scale=0, elem_classes="example")
                for text in writer.examples
            ]
            drawn = gr.Button(
                _("a random word that it has not seen"), size="sm", min_width=0, scale=0,
                elem_id="draw", visible=bool(writer.known and writer.known.held_out),
            )  # fmt: skip
        result = gr.HTML(
            render_message(_("The entry appears here.")),
            padding=False,
            apply_default_css=False,
            elem_id="result",
        )
        with gr.Accordion(_("settings"), open=False, elem_id="settings"):
            default = Sampling()
            with gr.Row():
                temperature = gr.Slider(
                    0, 2, default.temperature, step=0.05, label=_("temperature"),
                    info=_("how freely the next token is chosen (0: always the likeliest)"),
                )  # fmt: skip
                max_new_tokens = gr.Slider(
                    1, int(writer.model.config.max_position_embeddings), default.max_new_tokens,
                    step=1, label=_("longest continuation, in tokens"), info=" ",
                )  # fmt: skip
            with gr.Row():
                top_k = gr.Slider(
                    0, 200, default.top_k, step=1, label="top-k",
                    info=_("choose among the k likeliest tokens (0: all)"),
                )  # fmt: skip
                top_p = gr.Slider(
                    0.05, 1, default.top_p, step=0.05, label="top-p",
                    info=_("choose among the likeliest tokens of this total probability"),
                )  # fmt: skip
                seed = gr.Textbox(
                    label=_("seed"), placeholder=_("a new one each time"), max_lines=1,
                    info=_("seed of the choice"),
                )  # fmt: skip
        gr.HTML(render_footing(writer), padding=False, apply_default_css=False)

        settings = [temperature, top_k, top_p, max_new_tokens, seed]
        asked: dict[str, Any] = {
            "fn": write, "inputs": [word, *settings], "outputs": [result, halt],
            "show_progress": "hidden", "concurrency_limit": USERS_AT_ONCE,
            "concurrency_id": "write", "api_visibility": "private",
            "trigger_mode": "multiple",  # a new word is not kept waiting: it ends the last turn
        }  # fmt: skip
        quick: dict[str, Any] = {
            "show_progress": "hidden", "queue": False, "api_visibility": "private",
        }  # fmt: skip
        go.click(**asked)
        word.submit(**asked)
        for button, text in zip(examples, writer.examples, strict=True):
            button.click(lambda text=text: text, outputs=word, **quick).then(**asked)
        drawn.click(draw, inputs=word, outputs=word, **quick).then(**asked)
        halt.click(stop, **quick)
    page.queue(default_concurrency_limit=USERS_AT_ONCE)
    return page


def read_seed(text: str, choice: random.Random) -> int:
    """The seed that was typed; a new one where none was.

    Raises:
        InputError: it is no number.
    """
    if not text.strip():
        return choice.randrange(SEEDS)
    if not re.fullmatch(r"\d{1,18}", text.strip()):
        raise InputError(
            _("The seed must be a whole number, or left empty for a new one each time.")
        )
    return int(text)


def launch_page(page: "gradio.Blocks", **options: Any) -> tuple[str, str]:
    """Serve the page in threads of its own; returns its address here, and the one it is shared at.

    Raises:
        OSError: the port is taken.
    """
    import gradio as gr

    css = (TEMPLATES / "demo.css").read_text(encoding="utf-8")
    theme = gr.themes.Base(font=list(FONTS), font_mono=["ui-monospace", "monospace"])
    _app, local, shared = page.launch(
        theme=theme,
        head=f"<style>{css}</style>",
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        inline=False,
        **options,
    )
    return local, shared or ""


def serve_space(model: str, *, ending: str, corpus: Path = Path("corpus")) -> None:
    """What a Space runs: the page about a model on the Hub, with the corpus beside it if it is there.

    A model that cannot be loaded is one sentence in the Space's log.
    """
    try:
        writer = load_writer(model, name=model, corpus=corpus if corpus.is_dir() else None)
    except InputError as error:
        sys.exit(str(error))
    page = build_page(dataclasses.replace(writer, ending=ending))
    launch_page(page)
    page.block_thread()


def ask_for_a_word(writer: Writer) -> str:
    if writer.known and writer.known.held_out:
        return _("Type a word first, or let a random one be drawn.")
    return _("Type a word first.")


def render_heading(writer: Writer) -> str:
    from markupsafe import Markup

    return str(
        Markup(
            '<header class="heading" lang="{}"><h1><span class="seal">{}</span>{}</h1>'
            '<p class="lead">{}</p><p class="warning">{}</p></header>'
        ).format(
            "zh-Hant-TW" if LANGUAGE == "zh_TW" else "en",
            "試寫",
            _("A small model writes dictionary entries"),
            _("Type a word and watch the model write its entry, in the manner of a dictionary."),
            _("What it writes is made up by a small model. It is no dictionary: do not cite it."),
        )
    )


def render_footing(writer: Writer) -> str:
    from markupsafe import Markup

    parameters = sum(p.numel() for p in writer.model.parameters())
    corpus = (
        _("Compared with its corpus of {count:,} train entries.").format(
            count=len(writer.known.train)
        )
        if writer.known
        else _("There is no corpus here: entries cannot be compared, nor novelty measured.")
    )
    return str(
        Markup('<footer class="footing"><p>{}</p><p>{}</p></footer>').format(
            _("Model: {name}, {parameters:,} parameters.").format(
                name=writer.name, parameters=parameters
            ),
            corpus,
        )
    )
