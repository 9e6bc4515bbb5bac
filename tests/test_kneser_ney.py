"""The counted n-grams are interpolated Kneser–Ney, word for word as the textbook has it."""

import math
import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_zh_dict.evaluation.kneser_ney import CODE_POINTS, estimate_discounts, ngram_bits

ORDERS = (1, 2, 3, 4, 5)
START, END = "START", "END"
few_characters = st.text(alphabet="山水火ab\U00020000", max_size=9)
some_texts = st.lists(few_characters, min_size=1, max_size=6)


class KneserNey:
    """Dictionaries of n-grams, and a recursion over orders."""

    def __init__(self, train, order):
        self.order = order
        occurrences, in_front = Counter(), defaultdict(set)
        for text in train:
            signs = (START, *text, END)
            for end in range(1, len(signs)):
                for length in range(1, min(order, end + 1) + 1):
                    gram = signs[end + 1 - length : end + 1]
                    occurrences[gram] += 1
                    if end >= length:
                        in_front[gram].add(signs[end - length])
        self.counts = [defaultdict(dict) for _length in range(order + 1)]
        for gram, count in occurrences.items():
            raw = len(gram) == order or gram[0] == START
            self.counts[len(gram)][gram[:-1]][gram[-1]] = count if raw else len(in_front[gram])
        self.discounts = []
        for behind in self.counts:
            found = [count for characters in behind.values() for count in characters.values()]
            self.discounts.append(estimate_discounts(np.array(found, dtype=np.int64)))

    def probability(self, character, history):
        lower = self.probability(character, history[1:]) if history else 1 / CODE_POINTS
        counts = self.counts[len(history) + 1].get(history)
        if not counts:
            return lower
        total = sum(counts.values())
        discount = self.discounts[len(history) + 1]
        taken = sum(discount[min(count, 3)] for count in counts.values())
        count = counts.get(character, 0)
        return (count - discount[min(count, 3)] + taken * lower) / total

    def bits(self, texts):
        for text in texts:
            signs = (START, *text, END)
            for end in range(1, len(signs)):
                history = signs[max(0, end - self.order + 1) : end] if self.order > 1 else ()
                yield -math.log2(self.probability(signs[end], history))


@given(train=some_texts, held_out=some_texts)
def test_any_texts_need_the_bits_of_the_textbook(train, held_out):
    bits = ngram_bits(train, held_out, orders=ORDERS)
    for order in ORDERS:
        assert bits[order] == pytest.approx(list(KneserNey(train, order).bits(held_out)), rel=1e-9)


def test_so_do_texts_with_discounts_of_their_own():
    numbers = random.Random(0)
    texts = ["".join(numbers.choices("一二三四五六七八", range(1, 9), k=12)) for _ in range(300)]
    model = KneserNey(texts[:200], 3)
    assert model.discounts[2] != model.discounts[3]
    bits = ngram_bits(iter(texts[:200]), iter(texts[200:]), orders=(3,))[3]
    assert bits == pytest.approx(list(model.bits(texts[200:])), rel=1e-9)


def test_every_character_and_every_end_has_its_bits(texts):
    bits = ngram_bits(texts[::2], texts[1::2], orders=(2,))[2]
    assert len(bits) == sum(len(text) + 1 for text in texts[1::2])
    assert (bits > 0).all()


@settings(max_examples=20)
@given(train=some_texts, order=st.integers(1, 5), text=few_characters)
def test_the_probabilities_behind_a_context_sum_to_one(train, order, text):
    model = KneserNey(train, order)
    signs = (START, *text)
    history = signs[-(order - 1) :] if order > 1 else ()
    alphabet = {character for text in train for character in text} | {END}
    seen = sum(model.probability(character, history) for character in alphabet)
    unseen = model.probability("沒見過", history) * (CODE_POINTS - len(alphabet))
    assert seen + unseen == pytest.approx(1, abs=1e-9)


def test_discounts_are_those_of_chen_and_goodman():
    """n₁ … n₄ = 8, 4, 2, 1: Y = 1/2; 1 − 2·½·4/8, 2 − 3·½·2/4, 3 − 4·½·1/2."""
    counts = np.array([1] * 8 + [2] * 4 + [3] * 2 + [4] + [9])
    assert estimate_discounts(counts) == (0.0, 0.5, 1.25, 2.0)
    assert estimate_discounts(np.array([1, 1, 2, 3])) == (0.0, 0.5, 1.0, 1.5)


def test_a_character_never_seen_costs_many_bits_but_not_all():
    bits = ngram_bits(["山水"] * 9, ["鳥"], orders=(1, 5))
    assert 15 < bits[1][0] < 60
    assert np.isfinite(bits[5]).all()
