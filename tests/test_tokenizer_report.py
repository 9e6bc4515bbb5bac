"""The report counts what tokenizers do; the page shows it."""

import sys

import pytest

from hf_zh_dict.corpus.build import read_rows, read_texts
from hf_zh_dict.evaluation import tokenizer_report
from hf_zh_dict.evaluation.fields import FIELD_GROUPS
from hf_zh_dict.evaluation.tokenizer_report import Coder, measure, report_tokenizer
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.tokenizer_page import draw_tokenizer_page


def by_character(size=100):
    """One token for a character; 𠀀 is four; the ids are places in an alphabet."""
    alphabet = list("山水　ㄕㄢ ㄨˇ。。")

    def encode(texts):
        found = []
        for text in texts:
            ids, offsets = [], []
            for place, character in enumerate(text):
                times = 4 if character == "𠀀" else 1
                number = alphabet.index(character) if character in alphabet else 50
                ids += [number] * times
                offsets += [(place, place + 1)] * times
            found.append((ids, offsets))
        return found

    return Coder("tokenizer", size, encode, lambda ids: "?" * len(ids))


def test_numbers_by_hand():
    spans = [
        {"field": "headword", "start": 0, "end": 2},
        {"field": "bopomofo", "start": 3, "end": 8},
    ]
    rows = [{"text": "山𠀀　ㄕㄢ ㄨˇ", "spans": spans}]
    found = measure(by_character(), rows, ["山山水"])
    assert found["characters_per_token"] == pytest.approx(8 / 11)
    assert found["fields"]["headword"] == pytest.approx(2 / 5)
    assert found["fields"]["bopomofo"] == 1
    assert found["tokens_per_syllable"] == pytest.approx(5 / 2)
    assert found["split_characters"] == pytest.approx(1 / 8)
    assert found["round_trip"] == 0
    assert found["dead"]["count"] == 98
    assert found["blocks"]["basic"]["one_token"] == 1
    assert found["blocks"]["extension_b"] == {
        "distinct": 1, "occurrences": 1, "tokens": 4, "one_token": 0, "one_token_occurrences": 0,
    }  # fmt: skip


@pytest.fixture
def paths(make_run, tokenizer_folder):
    root = make_run()
    (root / "tokenizer").symlink_to(tokenizer_folder)
    return RunPaths(root)


def test_our_tokenizer_loses_nothing(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    report = report_tokenizer(paths)
    assert list(report) == ["tokenizer"]
    found = report["tokenizer"]
    assert found["round_trip"] == 1
    assert all(found["probes"].values())
    assert set(found["fields"]) <= set(FIELD_GROUPS)
    assert 0 < found["dead"]["count"] < found["size"]
    texts = [row["text"] for row in read_rows(paths.split("test"), ["text"])]
    texts += [row["text"] for row in read_rows(paths.split("validation"), ["text"])]
    coder = tokenizer_report.wrap_tokenizer(tokenizer_report.load_tokenizer(paths.tokenizer))
    num_tokens = sum(len(ids) for ids, _offsets in coder.encode(texts))
    assert found["characters_per_token"] == pytest.approx(sum(map(len, texts)) / num_tokens)
    page = draw_tokenizer_page(report)
    assert "沒有 SentencePiece 對照" in page


def test_sentencepiece_of_the_same_size_stands_beside(paths):
    pytest.importorskip("sentencepiece")
    assert (
        tokenizer_report.train_sentencepiece(lambda: read_texts(paths.split("train")), 600) is None
    )
    coder = tokenizer_report.train_sentencepiece(lambda: read_texts(paths.split("train")), 8000)
    assert 4000 < coder.size <= 8000
    found = measure(coder, list(read_rows(paths.split("test"), ["text", "spans"])), ["山"])
    assert not found["probes"]["兩個  空白"]
    assert 0.3 < found["characters_per_token"] < 3
