"""The first signal is remembered, the second ends at once, and the old handlers come back."""

import signal

import pytest

from hf_zh_dict.training.signals import StopRequest

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(autouse=True)
def _handlers():
    """Handlers of our own, so that a mistake here does not end the tests."""

    def unexpected(number, _frame):
        raise AssertionError(f"signal {number} came through")

    before = {number: signal.signal(number, unexpected) for number in CODES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_without_a_signal_nothing_is_asked():
    with StopRequest() as stop:
        assert stop.signal == 0
    assert stop.exit_code == 0


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_the_first_signal_is_remembered(number, code):
    with StopRequest() as stop:
        signal.raise_signal(number)
        assert stop.signal == number
    assert stop.exit_code == code


@pytest.mark.parametrize("second", CODES)
@pytest.mark.parametrize("first", CODES)
def test_a_second_signal_ends_at_once(first, second):
    with StopRequest() as stop:
        signal.raise_signal(first)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(second)
    assert stop.exit_code == CODES[first]


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
