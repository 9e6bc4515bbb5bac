"""Train and held-out texts in, what simple models need for the held-out ones out (bits a character).

Interpolated Witten–Bell character n-grams (Witten and Bell 1991; Chen and Goodman 1998, eq. 17),
and xz with the train text in front. They are scored as the model is: each text alone, an end sign
counted, divided by the characters of the text.
"""

import lzma
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.subject import identify_corpus
from hf_zh_dict.messages import _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.stages import build_stage, fingerprint, is_current, read_stage

CODE_POINTS = 0x110000  # any character has at least 1/CODE_POINTS of the lowest order
START, END = CODE_POINTS, CODE_POINTS + 1

Codes = npt.NDArray[np.int64]


def to_codes(texts: Iterable[str], padding: int) -> Codes:
    """All texts as one array of code points, `padding` start signs before and an end sign after."""
    parts = []
    head, tail = np.full(padding, START, dtype=np.int64), np.array([END], dtype=np.int64)
    for text in texts:
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
        parts += [head, points, tail]
    return np.concatenate(parts)


def ngram_bits_per_char(
    train: Iterable[str], held_out: Sequence[str], *, orders: Sequence[int]
) -> dict[int, float]:
    """Bits a character of interpolated Witten–Bell n-grams, one number for each order.

    P_n(c|h) = (count(h,c) + T(h)·P_{n−1}(c|h′)) / (count(h) + T(h)), T(h) the number of different
    characters seen behind h, h′ the context one shorter; below order 1 stands 1/1,114,112. Only
    what the held-out text asks for is counted, order by order, so memory follows the held-out
    text and one order of the train text.
    """
    highest = max(orders)
    train_codes, test_codes = to_codes(train, highest - 1), to_codes(held_out, highest - 1)
    train_targets = np.flatnonzero(train_codes != START)
    test_targets = np.flatnonzero(test_codes != START)
    num_chars = sum(map(len, held_out))

    train_context = np.zeros(len(train_targets), dtype=np.int64)
    test_context = np.zeros(len(test_targets), dtype=np.int64)
    train_next, test_next = train_codes[train_targets], test_codes[test_targets]
    probability = np.full(len(test_targets), 1 / CODE_POINTS)
    bits: dict[int, float] = {}
    for order in range(1, highest + 1):
        if order > 1:  # reach one character further back
            train_context, test_context, keep = extend_contexts(
                train_context, train_codes[train_targets - order + 1],
                test_context, test_codes[test_targets - order + 1],
            )  # fmt: skip
            train_targets, train_next = train_targets[keep], train_next[keep]
        counts, totals, kinds = count_needed(train_context, train_next, test_context, test_next)
        denominator = totals + kinds
        seen = denominator > 0
        probability[seen] = (counts[seen] + kinds[seen] * probability[seen]) / denominator[seen]
        if order in orders:
            bits[order] = float(-np.log2(probability).sum() / num_chars)
    return bits


def extend_contexts(
    train_context: Codes, train_before: Codes, test_context: Codes, test_before: Codes
) -> tuple[Codes, Codes, Codes]:
    """New context numbers one character longer; train positions no test context needs are dropped.

    Returns the kept train contexts, the test contexts, and the indices of the kept positions.
    """
    width = CODE_POINTS + 2
    needed, test_number = np.unique(test_context * width + test_before, return_inverse=True)
    train_key = train_context * width + train_before
    place = np.minimum(np.searchsorted(needed, train_key), len(needed) - 1)
    keep = np.flatnonzero(needed[place] == train_key)
    return place[keep], test_number, keep


def count_needed(
    train_context: Codes, train_next: Codes, test_context: Codes, test_next: Codes
) -> tuple[Codes, Codes, Codes]:
    """For each test position: count(h,c), count(h) and T(h) in the train text."""
    width = CODE_POINTS + 2
    pairs, pair_counts = np.unique(train_context * width + train_next, return_counts=True)
    contexts = pairs // width
    size = int(max(test_context.max(), contexts.max() if len(contexts) else 0)) + 1
    totals = np.bincount(contexts, weights=pair_counts, minlength=size).astype(np.int64)
    kinds = np.bincount(contexts, minlength=size)
    key = test_context * width + test_next
    place = np.minimum(np.searchsorted(pairs, key), max(len(pairs) - 1, 0))
    found = (pairs[place] == key) if len(pairs) else np.zeros(len(key), dtype=bool)
    counts = np.where(found, pair_counts[place], 0) if len(pairs) else np.zeros(len(key), np.int64)
    return counts, totals[test_context], kinds[test_context]


def xz_bits_per_char(train: Iterable[str], held_out: Sequence[str]) -> float:
    """How many bits longer xz gets for each character when the held-out text follows the train text.

    One dictionary reaches over all of it. The texts are lines; line ends are counted.
    """
    first = "".join(text + "\n" for text in train).encode("utf-8")
    second = "".join(text + "\n" for text in held_out).encode("utf-8")
    size = 1 << max(20, math.ceil(math.log2(len(first) + len(second) + 1)))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": min(size, 1 << 30)}]

    def compressed(data: bytes) -> int:
        return len(lzma.compress(data, format=lzma.FORMAT_XZ, filters=filters))

    with ThreadPoolExecutor(2) as threads:  # lzma lets go of the interpreter
        alone, both = threads.map(compressed, (first, first + second))
    return (both - alone) * 8 / sum(map(len, held_out))


def measure_baselines(
    paths: RunPaths, split: str, say: Callable[[str], None], *, with_xz: bool = False
) -> dict[str, float]:
    """Bits a character that simple models need for a split; measured once for each corpus."""
    folder = paths.baselines / split
    wanted = fingerprint(corpus=identify_corpus(paths), split=split)
    numbers: dict[str, float] = {}
    if is_current(folder, wanted):
        numbers = read_stage(folder)["bits_per_char"]
        if "xz" in numbers or not with_xz:
            return numbers
    say(_("baselines: measuring simple models on {split}").format(split=split))
    held_out = list(read_texts(paths.split(split)))
    if not numbers:
        bits = ngram_bits_per_char(read_texts(paths.split("train")), held_out, orders=(2, 5))
        numbers = {"character_bigram": bits[2], "character_5gram": bits[5]}
    if with_xz:
        numbers["xz"] = xz_bits_per_char(read_texts(paths.split("train")), held_out)
    with build_stage(folder, wanted) as (_new, facts):
        facts["bits_per_char"] = numbers
    return numbers
