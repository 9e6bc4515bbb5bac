"""The fields read from tokenizer.model are those that SentencePiece itself reports."""

import pytest
import vocabularies

from hf_zh_dict.formats.sentencepiece_file import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    read_message,
    read_sentencepiece,
)
from hf_zh_dict.messages import InputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokenizer.model"


def test_pieces_scores_and_kinds_are_sentencepieces(path):
    theirs = vocabularies.train(path)
    ours = read_sentencepiece(path).pieces
    assert len(ours) == len(theirs) == 300
    for number, piece in enumerate(ours):
        assert piece.text == theirs.id_to_piece(number)
        assert piece.score == theirs.get_score(number)
        assert (piece.kind == CONTROL) == theirs.is_control(number)
        assert (piece.kind == UNKNOWN) == theirs.is_unknown(number)
        assert (piece.kind == BYTE) == theirs.is_byte(number)
    assert ours[-1].kind == NORMAL


@pytest.mark.parametrize("name", ["byte_fallback", "add_dummy_prefix", "remove_extra_whitespaces"])
@pytest.mark.parametrize("value", [True, False])
def test_settings_are_those_it_was_trained_with(path, name, value):
    vocabularies.train(path, **{name: value})
    assert getattr(read_sentencepiece(path), name) is value


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"model_type": "unigram"}, "it is not a BPE model"),
        (
            {"normalization_rule_name": "nmt_nfkc"},
            "its normalization rule nmt_nfkc is not identity",
        ),
        ({"treat_whitespace_as_suffix": True}, "it puts blanks behind words"),
    ],
)
def test_what_is_not_encoded_exactly_is_refused(path, options, reason):
    vocabularies.train(path, **options)
    with pytest.raises(InputError, match=rf"tokenizer\.model: cannot be taken over: {reason}\.$"):
        read_sentencepiece(path)


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\xff" * 30, b"no message", b"\x0a\x02\x08\x01"])
def test_another_file_is_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(InputError, match="is not a SentencePiece model"):
        read_sentencepiece(path)


def test_an_empty_file_and_a_missing_one_are_refused(path):
    with pytest.raises(InputError, match="No such file"):
        read_sentencepiece(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="it has no pieces"):
        read_sentencepiece(path)


def test_a_message_is_taken_apart():
    # field 1: 300; field 2: "ab"; field 3: four bytes; field 1 again: 1
    data = bytes([0x08, 0xAC, 0x02, 0x12, 0x02, 0x61, 0x62, 0x1D, 1, 2, 3, 4, 0x08, 1])
    assert read_message(data) == {1: [300, 1], 2: [b"ab"], 3: [bytes([1, 2, 3, 4])]}
    with pytest.raises(ValueError, match="cut off"):
        read_message(bytes([0x12, 0x05, 0x61]))
