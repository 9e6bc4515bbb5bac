"""Ctrl-C or SIGTERM in, a request to stop behind the current step out; a second one quits at once."""

import signal
from types import FrameType, TracebackType


class StopRequest:
    """While entered, remembers the first signal instead of dying of it."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal = 0
        self.previous: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        for number in self.SIGNALS:
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
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells report it; 0 when there was none."""
        return 128 + self.signal if self.signal else 0
