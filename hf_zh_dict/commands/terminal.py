"""Lines and tables for the user in, stdout out: from one process, no library speaking between."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_zh_dict.messages import InputError, _
from hf_zh_dict.progress import is_main_process


def say(text: str) -> None:
    """A line for the user, from one process only."""
    if is_main_process():
        print(text, flush=True)


def complain(error: InputError) -> None:
    """What the user gave cannot be used: its one sentence, on stderr."""
    if is_main_process():
        print(_("error: {message}").format(message=error), file=sys.stderr, flush=True)


def show_table(table: Any) -> None:
    """A table as wide as it needs to be, also where the width of the terminal is not known."""
    from rich.console import Console

    Console(width=max(Console().width, 130)).print(table)


def quieten_libraries() -> None:
    """Our own lines tell what happens; libraries' progress bars and notices stay silent."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextmanager
def disk_errors_as_sentences(folder: Path) -> Iterator[None]:
    """A full disk or a read-only folder is told in one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(
            _("{file}: {reason}.").format(
                file=error.filename or folder, reason=error.strerror or error
            )
        ) from error
