"""xz profits from what it has seen; what is measured once is kept."""

import math
import random

import pytest

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.baselines import (
    NGRAMS,
    measure_baselines,
    read_ngrams,
    xz_bits_per_char,
)
from hf_zh_dict.paths import RunPaths


def random_texts(seed, count=80):
    numbers = random.Random(seed)
    return [
        "".join(chr(numbers.randrange(0x4E00, 0x9FA5)) for _c in range(30)) for _t in range(count)
    ]


def test_xz_is_positive_and_lower_for_what_the_train_text_holds():
    train, fresh = random_texts(0), random_texts(1, 40)
    known = xz_bits_per_char(train, train[:40])
    unknown = xz_bits_per_char(train, fresh)
    assert 0 < known < unknown / 5
    assert unknown > math.log2(0x9FA5 - 0x4E00) * 0.95  # random characters cannot be told shorter


def test_xz_takes_any_stream_of_train_texts(texts):
    assert xz_bits_per_char(iter(texts), texts[:5]) == xz_bits_per_char(texts, texts[:5])


def test_xz_reaches_back_over_a_train_text_longer_than_its_usual_dictionary():
    """Preset 6 alone looks back 8 MiB."""
    train = random_texts(2, 100)
    filler = ["霧燈" * 1500] * 1000  # 9 MB that compress to nothing
    near = xz_bits_per_char(train, train[:60])
    far = xz_bits_per_char(train + filler, train[:60])
    assert far < near * 1.5


def test_what_is_measured_once_is_kept(make_run):
    paths = RunPaths(make_run())
    said = []
    first = measure_baselines(paths, "test", said.append)
    both = measure_baselines(paths, "test", said.append, with_xz=True)
    again = measure_baselines(paths, "test", said.append)
    assert len(said) == 2
    assert list(first) == list(NGRAMS)
    assert both == again == {**first, "xz": both["xz"]}
    assert first["character_5gram"] < first["character_bigram"]
    num_chars = sum(map(len, read_texts(paths.split("test"))))
    for name, bits in read_ngrams(paths.baselines / "test").items():
        assert bits.sum() / num_chars == pytest.approx(first[name])
