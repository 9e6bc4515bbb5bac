"""A vocabulary taken over gives the ids that SentencePiece gives, for any text."""

import dataclasses

import pytest
import vocabularies
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_zh_dict.formats.sentencepiece_bpe import BLANK, check_pieces, list_merges
from hf_zh_dict.formats.sentencepiece_file import (
    NORMAL,
    USER_DEFINED,
    Piece,
    SentencePieceModel,
    read_sentencepiece,
)
from hf_zh_dict.messages import InputError

KINDS = {
    "llama2.c": {},
    "blanks kept": {"remove_extra_whitespaces": False},
    "no blank in front": {"add_dummy_prefix": False},
    "blanks inside pieces": {"split_by_whitespace": False, "remove_extra_whitespaces": False},
    "no byte pieces": {"byte_fallback": False, "vocab_size": 60},
}
STUMBLING_BLOCKS = [
    "a", "b", "ab", "aa", " ", "  ", "\u2581", "\u2581 ", "<s>", "</s>", "<unk>", "<0x41>", "\n",
    "\t", "\u3000", "\u00a0", "\0", "哈", "哈哈", "é", "e\u0301", "𠮷", "\U0001f600", "12", "\u200d",
    "\ufeff", "\r\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(STUMBLING_BLOCKS) | st.text(max_size=3)).map("".join)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def both(request, tmp_path_factory):
    """SentencePiece's processor and our tokenizer of one vocabulary."""
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"
    return vocabularies.train_both(path, **request.param)


def ids_of(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


@settings(max_examples=400)
@given(TEXTS)
def test_ids_are_sentencepieces(both, text):
    theirs, ours = both
    assert ids_of(ours, text) == theirs.encode(text)


@settings(max_examples=200)
@given(TEXTS.filter(lambda text: BLANK not in text))
def test_texts_come_back_as_from_sentencepiece(both, text):
    theirs, ours = both
    ids = theirs.encode(text)
    if theirs.unk_id() not in ids:
        assert ours.decode(ids) == theirs.decode(ids)


def test_dictionary_lines_have_sentencepieces_ids(texts, tmp_path):
    theirs, ours = vocabularies.train_both(tmp_path / "tokenizer.model", texts, vocab_size=600)
    for text in texts:
        assert ids_of(ours, text) == theirs.encode(text)
        assert ours.decode(ids_of(ours, text)) == text


@pytest.mark.real_data
def test_every_real_line_has_sentencepieces_ids(real_documents, tmp_path):
    lines = [document.text for document in real_documents]
    theirs, ours = vocabularies.train_both(
        tmp_path / "tokenizer.model", lines[::8], vocab_size=13_304, max_sentence_length=100_000
    )
    wrong = 0
    for start in range(0, len(lines), 5000):
        part = lines[start : start + 5000]
        encoded = ours.encode_batch_fast(part, add_special_tokens=False)
        wrong += sum(a.ids != b for a, b in zip(encoded, theirs.encode(part), strict=True))
    assert len(lines) > 100_000
    assert wrong == 0


def model_of(*pieces):
    return SentencePieceModel(tuple(pieces), True, True, True)


def test_ways_to_join_are_listed_best_piece_first():
    texts = {"x": -9, "y": -9, "xy": -1, "yx": -2, "xyx": 0}
    model = model_of(*(Piece(text, score, NORMAL) for text, score in texts.items()))
    # in xy·x·yx the left xyx is taken, so (xy, x) stands before (x, yx)
    assert list_merges(model) == [("xy", "x"), ("x", "yx"), ("x", "y"), ("y", "x")]


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ([Piece("x", 0, USER_DEFINED)], "“x” cannot be taken over: it is user-defined"),
        ([Piece("a", -9, NORMAL), Piece("aa", -1, NORMAL), Piece("aaa", -1, NORMAL)], "same score"),
        ([Piece("a", -9, NORMAL), Piece("ab", -1, NORMAL)], "one of its characters is not a piece"),
    ],
)
def test_pieces_that_merges_cannot_express_are_refused(pieces, problem):
    with pytest.raises(InputError, match=problem):
        check_pieces(model_of(*pieces))


def test_a_trained_model_passes_until_it_has_user_defined_pieces(tmp_path):
    path = tmp_path / "tokenizer.model"
    vocabularies.train(path)
    model = read_sentencepiece(path)
    check_pieces(model)
    changed = dataclasses.replace(model.pieces[-1], kind=USER_DEFINED)
    with pytest.raises(InputError, match="user-defined"):
        check_pieces(dataclasses.replace(model, pieces=(*model.pieces[:-1], changed)))
