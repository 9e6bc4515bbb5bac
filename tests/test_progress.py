"""Progress counts right, estimates right, speaks seldom, and only from the main process."""

import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict import progress as progress_module
from hf_zh_dict.progress import Progress, format_seconds, track


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.delenv("RANK", raising=False)
    return clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A stderr that is a terminal."""
    terminal = Terminal()
    monkeypatch.setattr(progress_module, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    return terminal


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (75, "1:15"), (3599.7, "1:00:00"),
        (3675, "1:01:15"), (360_000, "100:00:00"),
    ],
)  # fmt: skip
def test_seconds_are_shown_as_on_a_clock(seconds, text):
    assert format_seconds(seconds) == text


@given(seconds=st.floats(0, 1e7))
def test_shown_seconds_read_back(seconds):
    parts = [int(part) for part in format_seconds(seconds).split(":")]
    assert sum(part * 60**place for place, part in enumerate(reversed(parts))) == round(seconds)
    assert all(part < 60 for part in parts[1:])


def test_the_time_left_is_that_of_the_mean_speed(clock):
    progress = Progress("blocks", total=100)
    clock.now += 5
    progress.advance(10)
    assert progress.line() == "blocks  10/100  0:45 left"
    clock.now += 5
    progress.advance(40, details="loss 3.2")
    assert progress.line() == "blocks  50/100  loss 3.2  0:10 left"
    progress.advance(50)
    assert progress.line() == "blocks  100/100  loss 3.2  0:00 left"


def test_a_resumed_count_estimates_from_what_was_done_since(clock):
    progress = Progress("training", total=1000, start=900)
    assert progress.line() == "training  900/1,000"
    clock.now += 10
    progress.advance(50)
    assert progress.line() == "training  950/1,000  0:10 left"


def test_without_a_total_there_is_no_estimate(clock):
    progress = Progress("corpus")
    clock.now += 5
    progress.advance(1234)
    assert progress.line() == "corpus  1,234"


def test_more_than_the_total_gives_no_estimate(clock):
    progress = Progress("corpus", total=3)
    clock.now += 5
    progress.advance(4)
    assert progress.line() == "corpus  4/3"


def test_in_a_log_plain_lines_come_at_intervals(clock, capsys):
    with Progress("corpus", total=100) as progress:
        for _second in range(40):
            clock.now += 1
            progress.advance()
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert output.out == ""
    assert [line.split("  ")[1] for line in lines] == ["2/100", "12/100", "22/100", "32/100"]
    assert "\r" not in output.err
    assert "\x1b" not in output.err


def test_quick_work_says_nothing_in_a_log(clock, capsys):
    with Progress("corpus", total=3) as progress:
        for _item in range(3):
            clock.now += 0.5
            progress.advance()
    assert capsys.readouterr().err == ""


def test_on_a_terminal_one_line_moves_and_is_ended(clock, terminal):
    with Progress("corpus", total=3) as progress:
        for _item in range(3):
            clock.now += 1
            progress.advance()
    shown = terminal.getvalue()
    assert shown.count("\n") == 1
    assert shown.endswith("corpus  3/3  0:00 left\n")
    assert "1/3" in shown


def test_a_terminal_is_not_redrawn_more_often_than_the_eye_follows(clock, terminal):
    with Progress("corpus", total=10_000) as progress:
        for _item in range(10_000):
            clock.now += 0.0001
            progress.advance()
    assert 5 <= terminal.getvalue().count("corpus") <= 15
    assert "10,000/10,000" in terminal.getvalue()


def test_a_line_of_its_own_stands_above_the_moving_one(clock, terminal):
    with Progress("training", total=2) as progress:
        clock.now += 1
        progress.advance()
        progress.interrupt("step 1: 5.0 bits")
        clock.now += 1
        progress.advance()
    assert "\r\x1b[Kstep 1: 5.0 bits\n" in terminal.getvalue()


def test_a_line_of_its_own_is_plain_in_a_log(clock, capsys):
    Progress("training").interrupt("step 1")
    assert capsys.readouterr().err == "step 1\n"


def test_other_processes_are_silent(clock, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with Progress("training", total=2) as progress:
        clock.now += 100
        progress.advance(2)
        progress.interrupt("step 1")
    output = capsys.readouterr()
    assert output.err == output.out == ""
    assert progress.done == 2


def test_track_passes_every_item_on_and_counts_it(clock, terminal):
    def items():
        for letter in "甲乙丙":
            clock.now += 1
            yield letter

    assert list(track(items(), "items", total=3)) == ["甲", "乙", "丙"]
    assert terminal.getvalue().endswith("items  3/3  0:00 left\n")


def test_track_is_lazy(clock):
    taken = []
    tracked = track((taken.append(n) or n for n in range(9)), "items")
    assert taken == []
    assert next(tracked) == 0
    assert taken == [0]


def test_a_notebook_keeps_all_that_is_written_so_its_lines_are_plain(clock, terminal, monkeypatch):
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    with Progress("training", total=2) as progress:
        clock.now += 9
        progress.advance()
        clock.now += 1
        progress.advance()
    assert terminal.getvalue() == "training  1/2  0:09 left\n"
