"""Whatever goes wrong with the Hub is one sentence, without the token."""

import errno

import pytest

from hf_zh_dict.hub_errors import explain_reading, explain_writing, hub_errors_as_sentences
from hf_zh_dict.messages import InputError


def test_the_token_is_not_shown_though_an_error_quotes_it(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    error = ValueError("header 'Bearer hf_secret' is not ASCII")
    for sentence in (explain_writing(error, "a/b"), explain_reading(error, "a/b", "main")):
        assert "header 'Bearer …' is not ASCII" in sentence


def test_a_full_disk_is_named_wherever_it_stands_behind_an_error():
    error = RuntimeError("while generating")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device", "cache/blob")
    with (
        pytest.raises(InputError, match=r"cache/blob: No space left on device; make room.*HF_HOME"),
        hub_errors_as_sentences(lambda error: explain_reading(error, "a/b", "main")),
    ):
        raise error


def test_a_sentence_of_ours_stays_as_it_is():
    with (
        pytest.raises(InputError, match=r"^said already$"),
        hub_errors_as_sentences(lambda error: "other"),
    ):
        raise InputError("said already")
