"""The first signal is remembered, a second Ctrl-C ends at once, and the old handlers come back."""

import os
import signal
import time

import pytest

from hf_zh_dict.training import signals
from hf_zh_dict.training.signals import LAUNCHER_VARIABLES, SIGNALS, StopRequest, exit_code

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 138}


@pytest.fixture(autouse=True)
def _handlers(monkeypatch):
    """Handlers of our own, so that a mistake here does not end the tests; and no launcher."""

    def unexpected(number, _frame):
        raise AssertionError(f"signal {number} came through")

    for variable in LAUNCHER_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    before = {number: signal.signal(number, unexpected) for number in CODES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told to."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(signals, "time", clock)
    return clock


def test_these_signals_are_known():
    assert set(SIGNALS) == set(CODES)


def test_without_a_signal_nothing_is_asked():
    with StopRequest() as stop:
        assert stop.asks() == 0
    assert exit_code(stop.signal) == 0


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_the_first_signal_is_remembered(number, code):
    with StopRequest() as stop:
        signal.raise_signal(number)
        assert stop.asks() == number
    assert exit_code(stop.signal) == code


@pytest.mark.parametrize("first", CODES)
def test_a_second_ctrl_c_ends_at_once(clock, first):
    with StopRequest() as stop:
        signal.raise_signal(first)
        clock.now += 0.6
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert stop.signal == first


def test_one_ctrl_c_that_arrives_twice_is_one(clock):
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        clock.now += 0.4
        signal.raise_signal(signal.SIGINT)
    assert stop.signal == signal.SIGINT


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("first", CODES)
def test_a_second_signal_of_a_scheduler_or_launcher_changes_nothing(clock, first, second):
    with StopRequest() as stop:
        signal.raise_signal(first)
        clock.now += 60
        signal.raise_signal(second)
    assert stop.signal == first


@pytest.mark.parametrize("number", CODES)
def test_behind_it_the_old_handlers_stand_again(number):
    before = signal.getsignal(number)
    with StopRequest():
        assert signal.getsignal(number) != before
    assert signal.getsignal(number) is before


def test_an_error_inside_passes_and_restores_the_handlers_too():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), StopRequest():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("variable", LAUNCHER_VARIABLES)
def test_a_launcher_that_dies_counts_as_sigterm(monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    stop = StopRequest()
    assert stop.asks() == 0
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert stop.asks() == signal.SIGTERM
    stop.signal = signal.SIGUSR1
    assert stop.asks() == signal.SIGUSR1


def test_without_a_launcher_a_parent_may_go(monkeypatch):
    stop = StopRequest()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert stop.asks() == 0


def test_the_time_limit_counts_from_the_start_and_looks_ahead(clock):
    stop = StopRequest(max_minutes=2)
    assert not stop.is_over(119)
    assert stop.is_over(121)
    clock.now += 100
    assert not stop.is_over(19)
    assert stop.is_over(21)
    clock.now += 21
    assert stop.is_over()


def test_without_a_limit_time_is_never_over():
    assert not StopRequest().is_over(1e9)
    assert time.monotonic() < StopRequest().end
