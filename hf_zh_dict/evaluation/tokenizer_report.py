"""A corpus and its tokenizer in, what the tokenizer makes of the held-out text out, in numbers.

Beside it stands a SentencePiece BPE of the same size, trained on the same text, when the package
`sentencepiece` is installed.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_zh_dict.corpus.build import read_rows, read_texts
from hf_zh_dict.corpus.characters import find_block, is_ideograph
from hf_zh_dict.evaluation.fields import (
    FIELD_GROUPS,
    count_fields,
    label_characters,
    spread_tokens,
    sum_fields,
)
from hf_zh_dict.evaluation.readings import split_syllables
from hf_zh_dict.messages import _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import track
from hf_zh_dict.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Tokens = tuple[list[int], list[tuple[int, int]]]  # ids, and the characters that each covers
BATCH = 1000
LEAST_COVERAGE = 0.98
PROBES = (
    "兩個  空白",
    " 頭尾有空白 ",
    "<s>不是標記</s>",
    "▁底線",
    "𠀀𪜀",
    "全形　空格",
    "ａ～（）",
    "a\tb",
)


@dataclass(frozen=True)
class Coder:
    """A tokenizer: encodes texts with offsets, and decodes ids."""

    name: str
    size: int
    encode: Callable[[list[str]], list[Tokens]]
    decode: Callable[[list[int]], str]


def report_tokenizer(paths: RunPaths) -> dict[str, Any]:
    """The measures of each tokenizer, by its name."""
    coders = [wrap_tokenizer(load_tokenizer(paths.tokenizer))]
    other = train_sentencepiece(partial(read_texts, paths.split("train")), coders[0].size)
    coders += [other] if other else []
    columns = ["text", "spans"]
    rows = [
        row for split in ("validation", "test") for row in read_rows(paths.split(split), columns)
    ]
    return {coder.name: measure(coder, rows, read_texts(paths.split("train"))) for coder in coders}


def wrap_tokenizer(tokenizer: "PreTrainedTokenizerFast") -> Coder:
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True

    def encode(texts: list[str]) -> list[Tokens]:
        found = backend.encode_batch(texts, add_special_tokens=False)
        return [(item.ids, item.offsets) for item in found]

    def decode(ids: list[int]) -> str:
        return str(backend.decode(ids, skip_special_tokens=False))

    return Coder("tokenizer", len(tokenizer), encode, decode)


def train_sentencepiece(read: Callable[[], Iterable[str]], size: int) -> Coder | None:
    """A byte-fallback BPE with llama2.c's settings, but for the blank it puts before a text.

    None when the package is missing, or when half of the vocabulary is too small for the
    characters of `LEAST_COVERAGE` of the text, the fewest that SentencePiece can be told to keep.
    """
    try:
        import sentencepiece
    except ImportError:
        return None
    characters: Counter[str] = Counter()
    for text in read():
        characters.update(text)
    kept = sum(count for _character, count in characters.most_common(max(1, size // 2 - 256)))
    coverage = min(0.9995, kept / max(1, characters.total()))
    if coverage < LEAST_COVERAGE:
        return None
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(read()), model_writer=model, vocab_size=size, model_type="bpe",
        byte_fallback=True, character_coverage=coverage, normalization_rule_name="identity",
        add_dummy_prefix=False, split_digits=True, allow_whitespace_only_pieces=True, max_sentence_length=1 << 20,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())

    def encode(texts: list[str]) -> list[Tokens]:
        return [locate(processor.encode(text, return_type="proto").pieces) for text in texts]

    return Coder("sentencepiece", processor.get_piece_size(), encode, processor.decode)


def locate(pieces: Iterable[Any]) -> Tokens:
    """SentencePiece's pieces, their places counted in characters instead of bytes.

    Only the last of a character's bytes has a surface.
    """
    ids, offsets, place = [], [], 0
    for piece in pieces:
        ids.append(piece.id)
        offsets.append((place, place + len(piece.surface)))
        place += len(piece.surface)
    return ids, offsets


def measure(coder: Coder, rows: Sequence[dict[str, Any]], train: Iterable[str]) -> dict[str, Any]:
    """Everything about one tokenizer; `rows` are the held-out documents."""
    tokens_in, chars_in = np.zeros(len(FIELD_GROUPS)), np.zeros(len(FIELD_GROUPS))
    round_trips = num_syllables = num_split = 0
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        texts = [row["text"] for row in batch]
        for row, (ids, offsets) in zip(batch, coder.encode(texts), strict=True):
            round_trips += coder.decode(ids) == row["text"]
            labels = label_characters(row)
            ones = np.array([*np.ones(len(ids)), 0.0])
            tokens_in += sum_fields(labels, spread_tokens(ones, offsets, len(row["text"])))
            chars_in += count_fields(labels)
            covered = Counter(begin for begin, end in offsets if end - begin <= 1)
            num_split += sum(count > 1 for count in covered.values())
            num_syllables += sum(
                len(split_syllables(row["text"][span["start"] : span["end"]]))
                for span in row["spans"]
                if span["field"] == "bopomofo"
            )
    bopomofo = FIELD_GROUPS.index("bopomofo")
    characters = Counter(character for row in rows for character in row["text"])
    return {
        "size": coder.size,
        "characters_per_token": float(chars_in.sum() / tokens_in.sum()),
        "fields": {
            name: float(chars_in[place] / tokens_in[place])
            for place, name in enumerate(FIELD_GROUPS)
            if tokens_in[place] and chars_in[place]
        },
        "split_characters": num_split / max(1, characters.total()),
        "tokens_per_syllable": float(tokens_in[bopomofo]) / max(1, num_syllables),
        "blocks": measure_blocks(coder, characters),
        "round_trip": round_trips / len(rows),
        "probes": {probe: coder.decode(coder.encode([probe])[0][0]) == probe for probe in PROBES},
        "dead": count_dead(coder, train),
    }


def measure_blocks(coder: Coder, characters: Counter[str]) -> dict[str, dict[str, float]]:
    """Of each part of the script: distinct characters, tokens for one, the share that is one token.

    Ideographs alone; the shares are of distinct characters and of occurrences.
    """
    blocks: dict[str, list[tuple[int, int]]] = {}
    distinct = [c for c in characters if is_ideograph(find_block(c)) or ord(c) > 0xFFFF]
    for character, (ids, _offsets) in zip(distinct, coder.encode(distinct), strict=True):
        blocks.setdefault(find_block(character), []).append((len(ids), characters[character]))
    return {
        block: {
            "distinct": len(found),
            "occurrences": sum(count for _pieces, count in found),
            "tokens": sum(p * count for p, count in found) / sum(count for _, count in found),
            "one_token": sum(pieces == 1 for pieces, _count in found) / len(found),
            "one_token_occurrences": sum(count for p, count in found if p == 1)
            / sum(count for _, count in found),
        }
        for block, found in sorted(blocks.items())
    }


def count_dead(coder: Coder, train: Iterable[str]) -> dict[str, Any]:
    """How many entries of the vocabulary the train split never uses; some of them, decoded."""
    used = np.zeros(coder.size, dtype=bool)
    batch: list[str] = []
    for text in track(train, _("tokenizer report: {name}").format(name=coder.name)):
        batch.append(text)
        if len(batch) == BATCH:
            mark(used, coder, batch)
            batch = []
    mark(used, coder, batch)
    dead = np.flatnonzero(~used).tolist()
    texts = [coder.decode([token]) for token in dead]
    shown = [text for text in texts if len(text) > 1 and text.isprintable() and "�" not in text]
    return {"count": len(dead), "share": len(dead) / coder.size, "examples": shown[:20]}


def mark(used: "np.ndarray[Any, np.dtype[np.bool_]]", coder: Coder, texts: list[str]) -> None:
    for ids, _offsets in coder.encode(texts):
        used[ids] = True
