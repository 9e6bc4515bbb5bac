"""run.c's numbering of a vocabulary, and the ids that it makes of a prompt."""

import json
import struct

import pytest
import vocabularies
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from hf_zh_dict.formats.llama2c_checkpoint import load_vocabulary
from hf_zh_dict.formats.llama2c_vocabulary import (
    NEVER,
    Llama2cVocabulary,
    byte_level_alphabet,
    make_vocabulary,
)
from hf_zh_dict.messages import InputError


@pytest.fixture(scope="session")
def vocabulary(tokenizer):
    return make_vocabulary(tokenizer, len(tokenizer))


def test_ids_stand_where_run_c_wants_them(vocabulary, tokenizer):
    bos, eos, pad = (tokenizer.convert_tokens_to_ids(t) for t in ("<s>", "</s>", "<pad>"))
    assert vocabulary.inputs[:3] == [bos, bos, pad]
    assert vocabulary.outputs[:3] == [bos, eos, pad]
    assert vocabulary.pieces[3:259] == [bytes([byte]) for byte in range(256)]
    assert sorted(vocabulary.outputs) == list(range(300))
    assert vocabulary.inputs[2:] == vocabulary.outputs[2:]
    assert vocabulary.needs_own_output


@given(st.text(max_size=30))
def test_pieces_are_the_bytes_of_the_text(vocabulary, tokenizer, text):
    ids = vocabulary.translate(tokenizer(text)["input_ids"])
    assert ids[0] == 0
    assert b"".join(vocabulary.pieces[number] for number in ids[1:]) == text.encode()


def test_the_blank_in_front_is_gone(vocabulary, tokenizer):
    for prompt in ("橋", "青石橋\u3000", "見「茶壺」。", "a b", " x", "𠮷"):
        assert vocabulary.encode(prompt) == vocabulary.translate(tokenizer(prompt)["input_ids"])
    assert vocabulary.encode("") == [1]


def test_merges_are_done_by_score_across_all_borders():
    pieces = [b"<s> ", b"<s>", b"?", *(bytes([b]) for b in range(256)), b"ab", b"bc", b"abc"]
    scores = [1.0, NEVER, NEVER, *[NEVER] * 256, -2.0, -1.0, -3.0]
    numbers = list(range(len(pieces)))
    vocabulary = Llama2cVocabulary(pieces, scores, numbers, numbers)
    assert vocabulary.encode("abc") == [0, 261]  # b·c first, then a·bc
    assert vocabulary.encode("abab") == [0, 259, 259]
    assert vocabulary.encode("é") == [0, 0xC3 + 3, 0xA9 + 3]


def test_a_vocabulary_of_sentencepiece_keeps_its_ids(tmp_path):
    path = tmp_path / "tokenizer.model"
    theirs = vocabularies.train(path)
    vocabulary = make_vocabulary(load_vocabulary(path, context_length=64), 300)
    assert vocabulary.inputs == vocabulary.outputs == list(range(300))
    assert not vocabulary.needs_own_output
    for prompt in ("ab aab", "哈哈哈 x", "<s>ab</s>", "abba bab", "漢字", ""):
        assert vocabulary.encode(prompt) == [1, *theirs.encode(prompt)]


def test_the_file_holds_length_scores_and_pieces(vocabulary, tmp_path):
    vocabulary.write(tmp_path / "tokenizer.bin")
    data = (tmp_path / "tokenizer.bin").read_bytes()
    (longest,) = struct.unpack_from("<I", data)
    position, pieces = 4, []
    while position < len(data):
        score, length = struct.unpack_from("<fI", data, position)
        pieces.append(data[position + 8 : position + 8 + length])
        assert (
            score == struct.unpack("<f", struct.pack("<f", vocabulary.scores[len(pieces) - 1]))[0]
        )
        assert length  # run.c cannot read an empty piece
        position += 8 + length
    assert pieces == vocabulary.pieces
    assert longest == max(map(len, pieces))


def test_vocabulary_entries_without_a_token_have_a_piece(tokenizer):
    vocabulary = make_vocabulary(tokenizer, 305)
    assert len(vocabulary.pieces) == len(vocabulary.scores) == len(vocabulary.outputs) == 305
    assert all(vocabulary.pieces)
    assert vocabulary.scores[-1] == NEVER


def test_the_alphabet_of_bytes_is_that_of_the_library():
    from tokenizers import pre_tokenizers

    alphabet = byte_level_alphabet()
    assert set(alphabet) == set(pre_tokenizers.ByteLevel.alphabet())
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str
    for text in ("漢字 \n\x7f\xa0\xad", "é𠮷"):
        assert bytes(alphabet[character] for character in split(text)[0][0]) == text.encode()


def change(tokenizer, **changed):
    """The tokenizer with parts of its description replaced."""
    description = json.loads(tokenizer.backend_tokenizer.to_str()) | changed
    backend = type(tokenizer.backend_tokenizer).from_str(json.dumps(description))
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")


def test_another_kind_of_tokenizer_is_refused(tokenizer):
    word_level = {"type": "WordLevel", "vocab": {"<s>": 0, "</s>": 1}, "unk_token": "<s>"}
    with pytest.raises(InputError, match="neither a ByteLevel BPE nor"):
        make_vocabulary(change(tokenizer, model=word_level, added_tokens=[]), 2)
    with pytest.raises(InputError, match="neither a ByteLevel BPE nor"):
        make_vocabulary(change(tokenizer, pre_tokenizer={"type": "Whitespace"}), 300)


def test_one_token_for_both_ends_is_refused(tokenizer):
    same = change(tokenizer)
    same.eos_token = "<s>"
    with pytest.raises(InputError, match="bos and eos that differ"):
        make_vocabulary(same, 300)
