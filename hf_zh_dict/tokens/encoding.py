"""Texts and a tokenizer in, the token ids of whole documents out, on all cores.

`tokenizers` alone encodes a few megabytes a second. tiktoken's engine gives the same ids from the
same vocabulary several times faster, more so when many documents are one call: line breaks stand
between them, which no token reaches across. It works outside Python's lock, so the workers are
threads, on every system alike, and share one vocabulary.

The quick way is taken only where its ids are proven to be those of the saved tokenizer; every
other tokenizer, and every text with blanks or line breaks that the shorter pattern would cut
differently, goes through `tokenizers`.
"""

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.tokens.tokenizer import encode_texts, make_pre_tokenizer

if TYPE_CHECKING:
    from tiktoken import Encoding
    from transformers import PreTrainedTokenizerFast

BATCH_CHARACTERS = 200_000
Ids = npt.NDArray[np.int64]

# SPLIT_PATTERN for text without line breaks and without two blanks in a row: there its last three
# branches cut off one blank, and without a look ahead the engine runs through the text once.
# A line break between documents is a piece of its own, for no other branch takes it in.
PATTERN_OF_LINES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s"
)
# Unicode's White_Space, as both engines' \s; Python's own has four more.
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
LINE_BREAK = ord("\n")


def encode_documents(
    tokenizer: "PreTrainedTokenizerFast", texts: Iterable[str], *, num_workers: int = 0
) -> Iterator[tuple[Ids, Ids]]:
    """Batches of documents, in order: their ids side by side, and the length of each.

    Every document begins with bos and ends with eos, which its length counts. `num_workers` 0
    means one thread a core. Memory does not grow with the number of texts.
    """
    encoder = DocumentEncoder(tokenizer)
    num_workers = num_workers or count_cores()
    waiting: deque[Future[tuple[Ids, Ids]]] = deque()
    with ThreadPoolExecutor(num_workers) as pool:
        for batch in batch_texts(texts, BATCH_CHARACTERS):
            waiting.append(pool.submit(encoder.encode, batch))
            if len(waiting) > 2 * num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def count_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def batch_texts(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of texts with at least `size` characters each, but for the last."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text) + 1
        if characters >= size:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class DocumentEncoder:
    """Lists of texts as ids with bos and eos; `engine` is None where there is no quick way."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast") -> None:
        self.tokenizer = tokenizer
        self.ends = (tokenizer.bos_token_id, tokenizer.eos_token_id)
        self.engine = quick_engine(tokenizer)
        self.lock = Lock()

    def encode(self, texts: list[str]) -> tuple[Ids, Ids]:
        """The ids of all texts side by side, int64, and how many each has with bos and eos."""
        if self.engine is None:
            return self.encode_slowly(texts)
        if not has_odd_blanks("\n".join(texts), line_breaks=len(texts) - 1):
            return self.encode_quickly(self.engine, texts)
        odd = [has_odd_blanks(text, line_breaks=0) for text in texts]
        parts: list[tuple[Ids, Ids]] = []
        start = 0
        for end in range(1, len(texts) + 1):  # stretches of texts of one kind
            if end == len(texts) or odd[end] != odd[start]:
                stretch = texts[start:end]
                parts.append(
                    self.encode_slowly(stretch)
                    if odd[start]
                    else self.encode_quickly(self.engine, stretch)
                )
                start = end
        ids, lengths = zip(*parts, strict=True)
        return np.concatenate(ids), np.concatenate(lengths)

    def encode_quickly(self, engine: "Encoding", texts: list[str]) -> tuple[Ids, Ids]:
        """One call for all: a line break before and behind each text, where bos and eos go."""
        joined = "\n" + "\n\n".join(texts) + "\n"
        encoded = engine.encode_to_numpy(joined, allowed_special=set(), disallowed_special=())
        ids = encoded.astype(np.int64)
        breaks = np.flatnonzero(ids == engine.encode_single_token("\n"))
        assert len(breaks) == 2 * len(texts)
        ids[breaks[::2]], ids[breaks[1::2]] = self.ends
        return ids, breaks[1::2] - breaks[::2] + 1

    def encode_slowly(self, texts: list[str]) -> tuple[Ids, Ids]:
        """The same by the tokenizer itself, which has threads of its own."""
        bos, eos = self.ends
        with self.lock:
            rows = [[bos, *ids, eos] for ids in encode_texts(self.tokenizer, texts)]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        return np.concatenate([np.array(row, dtype=np.int64) for row in rows]), lengths


def has_odd_blanks(text: str, *, line_breaks: int) -> bool:
    """Whether there are two blanks in a row, or line breaks beyond those that join texts."""
    points = np.frombuffer(text.encode("utf-16-le"), dtype=np.uint16)
    blank = IS_BLANK[points]
    breaks = points == LINE_BREAK
    if np.count_nonzero(breaks) != line_breaks or (points == ord("\r")).any():
        return True
    blank &= ~breaks
    return bool((blank[1:] & blank[:-1]).any())


IS_BLANK = np.zeros(1 << 16, dtype=bool)
IS_BLANK[[ord(blank) for blank in BLANKS]] = True


def quick_engine(tokenizer: "PreTrainedTokenizerFast") -> "Encoding | None":
    """tiktoken's engine with the tokenizer's vocabulary, or None where its ids could differ.

    The two merge differently in one respect: `tokenizers` joins the pairs of its list, tiktoken
    any two tokens that together are one. They agree when ids ascend with the list and each token's
    own bytes, merged by the list, become that token. For let tiktoken join x and y to a token t
    that the list joins from others, for the first time: until then nothing reached across the ends
    of t, so within them the list, too, came to x and y, and merging t's bytes would have stopped
    there.
    """
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    model, merges = parts["model"], parts["model"].get("merges", [])
    vocabulary: dict[str, int] = dict(model["vocab"]) if model["type"] == "BPE" else {}
    for added in parts["added_tokens"]:
        vocabulary.pop(added["content"], None)
    alphabet = byte_alphabet()
    joined = [vocabulary.get("".join(merge), -1) for merge in merges]
    same = (
        parts["normalizer"] is None
        and parts["pre_tokenizer"] == own_pre_tokenizer()
        and all(added["special"] for added in parts["added_tokens"])
        and not any(model.get(name) for name in MODEL_EXTRAS)
        and alphabet.keys() <= vocabulary.keys()
        and sorted(set(joined)) == joined
        and len(vocabulary) == len(alphabet) + len(joined)
        and all(
            [piece.id for piece in tokenizer.backend_tokenizer.model.tokenize(token)] == [number]
            for token, number in vocabulary.items()
        )
    )
    if not same:
        return None
    from tiktoken import Encoding

    ranks = {bytes(alphabet[c] for c in token): rank for token, rank in vocabulary.items()}
    # With no special token at all the engine looks for one at every place; this one is never
    # allowed, so that it stays text.
    return Encoding(
        "lines",
        pat_str=PATTERN_OF_LINES,
        mergeable_ranks=ranks,
        special_tokens={tokenizer.eos_token: tokenizer.eos_token_id},
    )


MODEL_EXTRAS = (
    *("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"),
    "ignore_merges",
)


def own_pre_tokenizer() -> Any:
    """What `tokenizer.json` says of a text's pieces when they are cut by SPLIT_PATTERN."""
    from tokenizers import Tokenizer, models

    reference = Tokenizer(models.BPE())
    reference.pre_tokenizer = make_pre_tokenizer()
    return json.loads(reference.to_str())["pre_tokenizer"]


def byte_alphabet() -> dict[str, int]:
    """The letter that stands for each byte in a ByteLevel vocabulary, and its byte.

    Printable Latin-1 stands for itself; the other bytes, in order, are the letters from U+0100 on.
    """
    plain = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in plain]
    letters = {chr(byte): byte for byte in plain}
    return letters | {chr(0x100 + place): byte for place, byte in enumerate(others)}
