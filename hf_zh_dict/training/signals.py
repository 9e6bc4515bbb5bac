"""Signals, a launcher's end or a time limit in, a request to stop behind the current micro-step out.

Schedulers send SIGTERM or SIGUSR1, to every process or to one; launchers pass some of them on, so
that one request may arrive twice. Only a second Ctrl-C quits at once.
"""

import os
import signal
import time
from types import FrameType, TracebackType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
)
SAME_REQUEST_SECONDS = 0.5  # a terminal and a launcher may both deliver one Ctrl-C
LAUNCHER_VARIABLES = ("TORCHELASTIC_RUN_ID", "ACCELERATE_MIXED_PRECISION")  # set for children only


class StopRequest:
    """While entered, remembers the first signal instead of dying of it.

    The time limit counts from when this is made.
    """

    def __init__(self, *, max_minutes: float = 0.0) -> None:
        self.signal = 0
        self.at = 0.0  # when the first signal came
        self.end = time.monotonic() + max_minutes * 60 if max_minutes else float("inf")
        launched = any(variable in os.environ for variable in LAUNCHER_VARIABLES)
        self.launcher = os.getppid() if launched else 0
        self.previous: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        for number in SIGNALS:
            self.previous[number] = signal.signal(number, self.remember)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def remember(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.signal:
            self.signal, self.at = number, now
        elif number == signal.SIGINT and now - self.at > SAME_REQUEST_SECONDS:
            raise KeyboardInterrupt

    def asks(self) -> int:
        """The signal that this process was stopped by, or 0.

        A launcher that dies without a word (`accelerate launch` hands no signal on to the one
        process that it starts) counts as SIGTERM.
        """
        if not self.signal and self.launcher and os.getppid() != self.launcher:
            return int(signal.SIGTERM)
        return self.signal

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether the time limit comes before something that takes so many seconds is done."""
        return time.monotonic() + seconds > self.end


def exit_code(number: int) -> int:
    """128 + the signal's number, as shells report it; 0 when there was none."""
    return 128 + number if number else 0
