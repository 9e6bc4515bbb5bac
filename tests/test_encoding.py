"""The quick way gives the ids of the saved tokenizer, in order, for any text and any tokenizer."""

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.tokens import encoding
from hf_zh_dict.tokens.encoding import (
    BLANKS,
    PATTERN_OF_LINES,
    DocumentEncoder,
    batch_texts,
    byte_alphabet,
    encode_documents,
    has_odd_blanks,
    quick_engine,
)
from hf_zh_dict.tokens.tokenizer import SPLIT_PATTERN, encode_texts, train_bpe

AWKWARD = [
    *("<s>", "</s>", "<pad>", "<s", " ", "  ", "\u3000", "\u3000\u3000", " \u3000", "\t", "\x0b"),
    *("\n", "\r", "\r\n", "。\n", "\x85", "\u2028", "\xa0", "\x1c", "\x00", "\ufeff", "Ġ", "Ċ"),
    *(
        "ㄕㄢˋ",
        "ˊˇˋ˙",
        "˙ㄇㄚ",
        "ㄅㄆㄇㄈ",
        "qiáo",
        "e\u0301",
        "\u0302",
        "橋",
        "青石橋",
        "1920",
        "ⅷ",
    ),
    *(
        "'s",
        "'S",
        "'ſ",
        "'ll",
        "，。",
        "「",
        "」。",
        "〓",
        "\U00020000",
        "\U0002a6d6",
        "\U000323b0",
    ),
    *("\U000f9006", "\U0010fffd", "👩\u200d🌾", "\ufffd", "ﬃ", "İ", "ß"),
]
any_text = st.text() | st.lists(st.sampled_from(AWKWARD)).map("".join)
line_text = any_text.map(lambda text: "".join(text.split()))  # the quick way's own ground


@pytest.fixture(scope="module")
def plain(tokenizer_folder):
    """The saved folder as a stranger loads it, by transformers alone."""
    return AutoTokenizer.from_pretrained(tokenizer_folder)


def documents(pairs):
    """The ids of each document, out of batches."""
    return [
        part.tolist()
        for ids, lengths in pairs
        for part in np.split(ids, np.cumsum(lengths)[:-1])
        if len(lengths)
    ]


@given(some=st.lists(any_text | line_text, min_size=1, max_size=8))
@example(some=["", ""])
@example(some=["<s>兩  個</s>", "\u3000<pad>ㄕㄢˋ\U0002a6d6", " 一 ", " ", "字"])
@example(some=["結尾。", "\n", "開頭\r", "\r"])
def test_ids_are_those_of_the_saved_tokenizer(tokenizer, plain, some):
    found = documents(encode_documents(tokenizer, some, num_workers=1))
    assert found == [[*plain(text)["input_ids"], plain.eos_token_id] for text in some]


@given(some=st.lists(line_text, min_size=1, max_size=8))
def test_the_quick_way_is_taken_for_lines_and_is_right(tokenizer, some):
    encoder = DocumentEncoder(tokenizer)
    quick, slow = encoder.encode_quickly(encoder.engine, some), encoder.encode_slowly(some)
    assert documents([quick]) == documents([slow])
    assert not any(has_odd_blanks(text, line_breaks=0) for text in some)


def test_the_embedded_dictionary_goes_the_quick_way_and_matches(
    tokenizer, embedded_corpus, monkeypatch
):
    texts = list(read_texts(embedded_corpus[0] / "train.parquet"))
    expected = [[0, *ids, 1] for ids in encode_texts(tokenizer, texts)]
    monkeypatch.setattr(DocumentEncoder, "encode_slowly", None)
    assert documents(encode_documents(tokenizer, texts)) == expected


def test_order_does_not_depend_on_the_number_of_workers(tokenizer, texts, monkeypatch):
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 50)
    mixed = [text + blanks for text in texts for blanks in ("", "  ", "\n")]
    one = documents(encode_documents(tokenizer, mixed, num_workers=1))
    assert len(one) == len(mixed)
    assert documents(encode_documents(tokenizer, mixed, num_workers=5)) == one


def test_texts_are_read_no_further_ahead_than_the_workers_need(tokenizer, monkeypatch):
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 10)
    taken = []
    endless = (taken.append(n) or "一二三四五六七八九十" for n in range(10_000))
    stream = encode_documents(tokenizer, endless, num_workers=2)
    next(stream)
    stream.close()
    assert len(taken) < 20


@given(items=st.lists(st.text(max_size=9)), size=st.integers(1, 40))
def test_batches_keep_order_and_are_as_large_as_asked_for(items, size):
    batches = list(batch_texts(items, size))
    assert [item for batch in batches for item in batch] == items
    assert all(sum(len(text) + 1 for text in batch) >= size for batch in batches[:-1])
    assert all(sum(len(text) + 1 for text in batch[:-1]) < size for batch in batches)


def test_no_texts_give_no_batch(tokenizer):
    assert list(encode_documents(tokenizer, [])) == []


def test_the_alphabet_is_that_of_byte_level():
    alphabet = byte_alphabet()
    assert sorted(alphabet) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(alphabet.values()) == list(range(256))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for text in ("橋 ˇ\n", "\x00\x7f\xa0\xad\xff", "\U0010ffff"):
        [(letters, _span)] = level.pre_tokenize_str(text)
        assert bytes(alphabet[letter] for letter in letters) == text.encode()


def test_blanks_are_those_of_the_pattern():
    cut = pre_tokenizers.Split(Regex(r"\s"), behavior="removed")
    every = (chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    assert "".join(c for c in every if not cut.pre_tokenize_str(c)) == BLANKS


# One of each kind of character, and some that Unicode has named lately or not at all.
KINDS = [
    next(chr(p) for p in range(0x80, 0x20000) if unicodedata.category(chr(p)) == kind)
    for kind in "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Cf Co Cn".split()
] + ["\U0002ebf0", "\U00031350", "\U000323b0", "\U0001c7ff", "\U00016d40", "\U00010d4a", "\ufdd0"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"U+{ord(kind):04X}")
def test_both_engines_cut_alike(kind):
    from tiktoken import Encoding

    cut = pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated")
    for pattern in ("字{}字", "1{}1", "。{}。", "a'{}b", " {}", "{} ", "{}{}", "'{}"):
        text = pattern.replace("{}", kind)
        if has_odd_blanks(text, line_breaks=0):
            continue
        pieces = [piece for piece, _span in cut.pre_tokenize_str(text)]
        ranks = {bytes([byte]): byte for byte in range(256)}
        for piece in pieces:  # a whole piece that is a token is taken as it is
            ranks.setdefault(piece.encode(), len(ranks))
        engine = Encoding(
            "pieces", pat_str=PATTERN_OF_LINES, mergeable_ranks=ranks, special_tokens={}
        )
        assert engine.encode_ordinary(text) == [ranks[piece.encode()] for piece in pieces]


def with_json(tokenizer, change):
    """The tokenizer with its tokenizer.json changed."""
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    change(parts)
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(parts)), bos_token="<s>", eos_token="</s>"
    )


def swap_two_merges(parts):
    merges = parts["model"]["merges"]
    merges[0], merges[-1] = merges[-1], merges[0]


def add_a_word(parts):
    parts["added_tokens"].append(
        {"id": 300, "content": "青石", "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": False}
    )  # fmt: skip


CHANGES = {
    "another order of merges": swap_two_merges,
    "a merge taken away": lambda parts: parts["model"]["merges"].pop(),
    "a word added": add_a_word,
    "dropout": lambda parts: parts["model"].update(dropout=0.5),
    "whole pieces first": lambda parts: parts["model"].update(ignore_merges=True),
    "another pattern": lambda parts: parts["pre_tokenizer"]["pretokenizers"][0].update(
        pattern={"Regex": r"\p{N}|\P{N}+"}
    ),
    "lower case": lambda parts: parts.update(
        normalizer=json.loads(normalizers.Lowercase().__getstate__())
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_tokenizer_that_could_differ_goes_the_slow_way(tokenizer, texts, change):
    other = with_json(tokenizer, change)
    assert quick_engine(tokenizer) is not None
    assert quick_engine(other) is None
    if change is not CHANGES["dropout"]:
        found = documents(encode_documents(other, texts))
        assert found == [[0, *ids, 1] for ids in encode_texts(other, texts)]


def test_another_model_than_bpe_goes_the_slow_way():
    words = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "橋": 2}, unk_token="橋"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="橋"
    )
    assert quick_engine(tokenizer) is None
    assert documents(encode_documents(tokenizer, ["橋"])) == [[0, 2, 1]]


@pytest.mark.real_data
def test_every_real_line_has_the_ids_of_the_saved_tokenizer(real_documents, tmp_path):
    texts = [document.text for document in real_documents]
    backend = train_bpe(texts[::5], vocab_size=13_304)
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>"
    ).save_pretrained(tmp_path / "tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert quick_engine(tokenizer) is not None
    start = 0
    for ids, lengths in encode_documents(tokenizer, texts):
        batch = texts[start : start + len(lengths)]
        expected = [[0, *row, 1] for row in encode_texts(tokenizer, batch)]
        assert documents([(ids, lengths)]) == expected
        start += len(lengths)
    assert start == len(texts) > 100_000
