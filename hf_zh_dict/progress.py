"""Work done so far in, a line on the terminal with an estimate of the end out (on stderr).

On a terminal it is one line that moves; anywhere else (a log, a notebook's cell, CI) plain lines
come at intervals. Only the main process shows anything.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from hf_zh_dict.messages import _

T = TypeVar("T")
PLAIN_SECONDS = 10.0  # between plain lines
MOVING_SECONDS = 0.1  # between redraws on a terminal


def is_main_process() -> bool:
    """Whether this process may speak; launchers set RANK before anything is imported."""
    return os.environ.get("RANK", "0") == "0"


def has_moving_line() -> bool:
    """Whether stderr is a terminal; a notebook's `!` looks like one, and is a log that keeps all."""
    return sys.stderr.isatty() and "JPY_PARENT_PID" not in os.environ


def format_seconds(seconds: float) -> str:
    """75 → 1:15, 3675 → 1:01:15."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Progress:
    """Counts towards `total` (0: unknown) and shows the count, details and the time left."""

    def __init__(self, description: str, *, total: int = 0, start: int = 0) -> None:
        self.description, self.total, self.done, self.start = description, total, start, start
        self.details = ""
        self.began = time.monotonic()
        self.moving = is_main_process() and has_moving_line()
        self.shown = self.began - (PLAIN_SECONDS - 2 if not self.moving else MOVING_SECONDS)
        self.dirty = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.moving and self.dirty:
            self.show()
            sys.stderr.write("\n")

    def advance(self, count: int = 1, *, details: str = "") -> None:
        """Add to the count; `details` stand behind it."""
        self.done += count
        self.details = details or self.details
        now = time.monotonic()
        if now - self.shown >= (MOVING_SECONDS if self.moving else PLAIN_SECONDS):
            self.shown = now
            self.show()

    def show(self) -> None:
        if not is_main_process():
            return
        self.dirty = True
        text = self.line()
        sys.stderr.write(f"\r\x1b[K{text}" if self.moving else text + "\n")
        sys.stderr.flush()

    def line(self) -> str:
        """One line: description, count, details, time left."""
        elapsed = time.monotonic() - self.began
        parts = [self.description, f"{self.done:,}" + (f"/{self.total:,}" if self.total else "")]
        if self.details:
            parts.append(self.details)
        moved = self.done - self.start
        if self.total and moved and self.done <= self.total:
            left = elapsed / moved * (self.total - self.done)
            parts.append(_("{time} left").format(time=format_seconds(left)))
        return "  ".join(parts)

    def interrupt(self, text: str) -> None:
        """Print a line of its own above the moving one."""
        if is_main_process():
            sys.stderr.write(f"\r\x1b[K{text}\n" if self.moving else text + "\n")
            sys.stderr.flush()


def track(items: Iterable[T], description: str, *, total: int = 0) -> Iterator[T]:
    """The items, counted on the terminal as they pass."""
    with Progress(description, total=total) as progress:
        for item in items:
            yield item
            progress.advance()
