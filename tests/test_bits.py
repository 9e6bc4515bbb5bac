"""The metric loads by its path, without a network, and gives numbers known by hand."""

import math
import socket

import evaluate
import pytest

from hf_zh_dict.evaluation.modules import METRICS_FOLDER


@pytest.fixture
def bits(monkeypatch):
    """The metric, loaded where no connection can be made."""

    def refuse(*_arguments, **_options):
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return evaluate.load(str(METRICS_FOLDER / "bits"))


TWO_TEXTS = {
    "nll": [6 * math.log(2), 10 * math.log(2)],
    "num_tokens": [3, 5],
    "num_chars": [2, 2],
    "num_bytes": [6, 2],
}


def test_hand_numbers(bits):
    assert bits.compute(**TWO_TEXTS) == {
        "bits_per_char": pytest.approx(4),
        "bits_per_byte": pytest.approx(2),
        "loss": pytest.approx(2 * math.log(2)),
        "perplexity": pytest.approx(4),
    }


def test_texts_may_come_in_batches_or_one_by_one(bits):
    whole = bits.compute(**TWO_TEXTS)
    for place in range(2):
        bits.add_batch(**{name: values[place : place + 1] for name, values in TWO_TEXTS.items()})
    assert bits.compute() == whole
    for place in range(2):
        bits.add(**{name: values[place] for name, values in TWO_TEXTS.items()})
    assert bits.compute() == whole


def test_it_explains_itself(bits):
    assert "bits_per_char" in bits.description
    assert "num_chars" in bits.inputs_description
    assert "Shannon" in bits.citation
    assert set(bits.features) == set(TWO_TEXTS)


def test_a_hopeless_model_gives_a_number(bits):
    result = bits.compute(nll=[1e6], num_tokens=[1], num_chars=[1], num_bytes=[1])
    assert math.isfinite(result["perplexity"])


def test_many_small_numbers_are_summed_exactly(bits):
    count = 20_000
    result = bits.compute(
        nll=[0.1] * count, num_tokens=[1] * count, num_chars=[1] * count, num_bytes=[3] * count
    )
    assert result["loss"] == pytest.approx(0.1, rel=1e-15)
