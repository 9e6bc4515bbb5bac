"""SentencePiece models as llama2.c trains them, of a few invented lines."""

import io
import random

import sentencepiece

from hf_zh_dict.formats.sentencepiece_bpe import make_tokenizer
from hf_zh_dict.formats.sentencepiece_file import read_sentencepiece

LLAMA2C = {
    "model_type": "bpe", "character_coverage": 1.0, "split_digits": True, "byte_fallback": True,
    "allow_whitespace_only_pieces": True, "unk_surface": r" \342\201\207 ",
    "normalization_rule_name": "identity", "minloglevel": 2,
}  # fmt: skip


def repetitive_lines():
    """Lines whose pieces overlap in many ways."""
    choice = random.Random(0).choice
    lines = ["".join(choice("ab 哈") for _place in range(length % 50 + 3)) for length in range(900)]
    lines += ["哈" * n for n in range(1, 30)] + ["ab" * n for n in range(1, 20)]
    return lines + ["<s>x</s>", "<0x41>", "<unk>"] * 20


def train(path, lines=None, *, vocab_size=300, **options):
    """Write `tokenizer.model` to `path`; returns SentencePiece's own processor of it."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines or repetitive_lines()),
        model_writer=written,
        vocab_size=vocab_size,
        **LLAMA2C | options,
    )
    path.write_bytes(written.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


def train_both(path, lines=None, **options):
    """SentencePiece's processor, and the tokenizer made of its file."""
    return train(path, lines, **options), make_tokenizer(read_sentencepiece(path))
