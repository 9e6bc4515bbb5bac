"""`demo RUN_OR_MODEL`: a page in the browser on which people try a model."""

import argparse
import importlib.util
import threading
from dataclasses import replace
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.generate import find_model
from hf_zh_dict.commands.options import add_run_argument
from hf_zh_dict.commands.terminal import disk_errors_as_sentences, quieten_libraries, say
from hf_zh_dict.messages import N_, InputError, _
from hf_zh_dict.paths import SPLITS, RunPaths
from hf_zh_dict.settings import DEFAULT_PRESET, load_config


def add_options(command: argparse.ArgumentParser) -> None:
    add_run_argument(command)
    command.add_argument(
        "--corpus", type=Path, metavar="RUN_OR_FOLDER",
        help=_("the corpus to compare with, of another run or in a folder of its own"),
    )  # fmt: skip
    command.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS",
        help=_("address to listen at; 0.0.0.0 lets other machines in (127.0.0.1)"),
    )  # fmt: skip
    command.add_argument(
        "--port", type=int, metavar="NUMBER", help=_("port (default: the first free one from 7860)")
    )
    command.add_argument(
        "--share", action="store_true",
        help=_("also make a public link through Gradio's servers, for a week at most"),
    )  # fmt: skip
    command.add_argument(
        "--no-browser", action="store_true", help=_("do not open the page in the browser")
    )


def run_demo(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    check_gradio()
    from hf_zh_dict.corpus.prompts import make_prompt
    from hf_zh_dict.pipeline.judging import find_corpus
    from hf_zh_dict.sharing.demo_page import build_page, launch_page, load_writer

    paths = RunPaths(Path(arguments.run or Path("runs") / DEFAULT_PRESET))
    folder = find_model(arguments.run, paths)
    own = folder == paths.model and all(paths.split(name).is_file() for name in SPLITS)
    corpus = find_corpus(arguments.corpus or paths.root) if arguments.corpus or own else None
    quieten_libraries()
    with disk_errors_as_sentences(paths.root):
        writer = load_writer(folder, name=str(arguments.run or paths.root), corpus=corpus)
    if folder == paths.model and paths.config.is_file():
        config = load_config(path=paths.config).corpus
        writer = replace(writer, ending=make_prompt(config, ""))
    page = build_page(writer)
    try:
        local, shared = launch_page(
            page, server_name=arguments.host, server_port=arguments.port,
            share=arguments.share, inbrowser=not arguments.no_browser,
        )  # fmt: skip
    except OSError as error:
        raise InputError(
            _("{host}: no page can be served there at port {port}; choose another --port or --host.").format(
                host=arguments.host, port=arguments.port or "7860–7959"
            )
        ) from error  # fmt: skip
    say(_("page: {page}").format(page=local))
    if arguments.share:
        say(_("shared: {page}").format(page=shared) if shared else _("Gradio gave no public link; the page is here only"))  # fmt: skip
    say(_("Ctrl-C ends it"))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        page.close(verbose=False)
        say(_("the page is closed"))
    return 0


def check_gradio() -> None:
    """Refuse to go on without what draws the page."""
    if importlib.util.find_spec("gradio") is None:
        raise InputError(_('the page needs Gradio; install it with pip install -e ".[demo]".'))


DEMO = Command(
    "demo",
    N_("open a page in the browser on which to try a run, or any Llama folder or Hub id"),
    run_demo,
    add_options,
    usage="[RUN_OR_MODEL] [--corpus RUN_OR_FOLDER] [--port NUMBER] [--host ADDRESS] [--share] "
    "[--no-browser]",
)
