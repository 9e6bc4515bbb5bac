"""Train and held-out texts in, what character n-grams need for each held-out character out (bits).

Interpolated Kneser–Ney with three discounts (Chen and Goodman 1998, section 3; estimated from the
train text as Heafield et al. 2013, section 3.3). Each text is scored alone, with an end sign.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

CODE_POINTS = 0x110000  # any character has at least 1/CODE_POINTS of the lowest order
START, END = CODE_POINTS, CODE_POINTS + 1
FALLBACK_DISCOUNTS = (0.0, 0.5, 1.0, 1.5)  # of a text too small to estimate them

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


def ngram_bits(
    train: Iterable[str], held_out: Iterable[str], *, orders: Sequence[int]
) -> dict[int, Floats]:
    """−log₂ P of every held-out character and end, text after text, for each order.

    P_n(c|h) = (count(h,c) − D)/count(h) + γ(h)·P_{n−1}(c|h′), h′ the context one shorter, D the
    discount of once, twice and oftener seen, γ(h) the share that discounts took; below order 1
    stands 1/1,114,112. The highest order counts occurrences; lower ones count the different
    characters in front, but occurrences where h begins a text. Memory: some numbers for each
    character of both texts.
    """
    codes, first = to_codes(train, held_out)
    begins = np.maximum.accumulate(np.where(codes == START, np.arange(len(codes)), 0))
    depth = (np.arange(len(codes)) - begins).astype(np.int32)  # characters since the start sign
    del begins
    alphabet, characters = number(codes)
    targets = np.flatnonzero(depth[first:] > 0)
    lower = np.full(len(codes) - first, 1 / CODE_POINTS)  # of held-out places, as is `bits`
    grams = np.zeros(len(codes), dtype=np.int32)  # number of the n-gram that ends here
    bits: dict[int, Floats] = {}
    for order in range(1, max(orders) + 1):
        places = np.flatnonzero(depth >= max(1, order - 1))
        keys = characters[places].astype(np.int64)
        if order > 1:
            keys += grams[places - 1].astype(np.int64) * len(alphabet)
        found, numbers = number(keys)
        context_of = found // len(alphabet)
        split = int(np.searchsorted(places, first))  # held-out places begin here
        counts = np.bincount(numbers[:split], minlength=len(found))
        asked, behind = numbers[split:], places[split:] - first
        if order in orders:
            probability = lower.copy()
            probability[behind] = interpolate(counts, context_of, asked, lower[behind])
            bits[order] = -np.log2(probability[targets])
        if order < max(orders):
            preceded = np.flatnonzero(depth[places[:split]] >= order)
            pairs = numbers[preceded] * np.int64(len(alphabet))
            pairs += characters[places[preceded] - order]
            varied = np.bincount(unique(pairs) // len(alphabet), minlength=len(found))
            adjusted = np.where(varied > 0, varied, counts)
            lower[behind] = interpolate(adjusted, context_of, asked, lower[behind])
            grams[places] = numbers + 1  # 0 is the start sign
    return bits


def number(keys: Integers) -> tuple[Integers, npt.NDArray[np.int32]]:
    """The different keys, sorted, and which of them each key is."""
    order = np.argsort(keys)
    new = np.diff(keys[order], prepend=-1) > 0
    numbers = np.empty(len(keys), dtype=np.int32)
    numbers[order] = np.cumsum(new, dtype=np.int32) - 1
    return keys[order[new]], numbers


def unique(keys: Integers) -> Integers:
    """The different keys, sorted; `keys` itself is left sorted (np.unique would take a copy)."""
    keys.sort()
    return keys[np.diff(keys, prepend=-1) > 0]


def to_codes(train: Iterable[str], held_out: Iterable[str]) -> tuple[Integers, int]:
    """All texts' code points, a start sign before and an end sign after each; where held-out begins."""
    start, end = np.array([START], dtype=np.int32), np.array([END], dtype=np.int32)
    parts, sizes = [np.zeros(0, dtype=np.int32)], list[int]()
    for texts in (train, held_out):
        for text in texts:
            parts += [start, np.frombuffer(text.encode("utf-32-le"), dtype="<i4"), end]
        sizes.append(sum(map(len, parts)) - sum(sizes))
    return np.concatenate(parts), sizes[0]


def interpolate(counts: Integers, context_of: Integers, asked: Integers, lower: Floats) -> Floats:
    """The probability of the n-grams `asked`, whose last characters are `lower` one order down.

    counts and context_of: of every n-gram, how often it counts, and the number of its context.
    """
    discounts = np.array(estimate_discounts(counts))[np.minimum(counts, 3)]
    totals = np.bincount(context_of, weights=counts)
    taken = np.bincount(context_of, weights=discounts)
    total = totals[context_of[asked]]
    known = total > 0
    kept = (counts - discounts)[asked] + taken[context_of[asked]] * lower
    return np.where(known, kept / np.where(known, total, 1), lower)


def estimate_discounts(counts: Integers) -> tuple[float, ...]:
    """What to take from n-grams that count 0, 1, 2 and 3 or more, from n₁ … n₄ of them."""
    _, n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[:5].tolist()
    if not all((n1, n2, n3, n4)):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    estimated = (0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return estimated if min(estimated[1:]) > 0 else FALLBACK_DISCOUNTS
