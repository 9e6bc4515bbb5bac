"""The counted n-grams are interpolated Witten–Bell, and xz profits from what it has seen."""

import math
import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_zh_dict.evaluation.baselines import CODE_POINTS, ngram_bits_per_char, xz_bits_per_char

ORDERS = (1, 2, 3, 4, 5)
START, END = "START", "END"
few_characters = st.text(alphabet="山水火ab\U00020000", max_size=9)
some_texts = st.lists(few_characters, min_size=1, max_size=6)


class WittenBell:
    """The textbook, word for word: dictionaries of contexts, and a recursion over orders."""

    def __init__(self, train, order):
        self.order = order
        self.behind = defaultdict(Counter)  # context → characters seen behind it
        for text in train:
            for context, character in self.events(text):
                for length in range(order):
                    self.behind[context[len(context) - length :]][character] += 1

    def events(self, text):
        signs = [START] * (self.order - 1) + list(text) + [END]
        for place in range(self.order - 1, len(signs)):
            yield tuple(signs[place - self.order + 1 : place]), signs[place]

    def probability(self, character, context):
        lower = self.probability(character, context[1:]) if context else 1 / CODE_POINTS
        counts = self.behind[context]
        kinds = len(counts)
        if not kinds:
            return lower
        return (counts[character] + kinds * lower) / (counts.total() + kinds)

    def bits_per_char(self, held_out):
        bits = sum(-math.log2(self.probability(c, h)) for t in held_out for h, c in self.events(t))
        return bits / sum(map(len, held_out))


def reference(train, held_out, order):
    return WittenBell(train, order).bits_per_char(held_out)


@pytest.mark.parametrize("order", ORDERS)
def test_small_texts_need_the_bits_of_the_textbook(texts, order):
    train, held_out = texts[::2], texts[1::2]
    bits = ngram_bits_per_char(train, held_out, orders=(order,))
    assert bits == {order: pytest.approx(reference(train, held_out, order), rel=1e-9)}


def test_several_orders_at_once_are_those_of_each_alone(texts):
    train, held_out = texts[:20], texts[20:]
    together = ngram_bits_per_char(iter(train), held_out, orders=ORDERS)
    assert list(together) == list(ORDERS)
    for order in ORDERS:
        assert together[order] == pytest.approx(reference(train, held_out, order), rel=1e-9)


@given(train=some_texts, held_out=some_texts.filter(any))
def test_any_texts_need_the_bits_of_the_textbook(train, held_out):
    bits = ngram_bits_per_char(train, held_out, orders=ORDERS)
    for order in ORDERS:
        assert bits[order] == pytest.approx(reference(train, held_out, order), rel=1e-9)


@settings(max_examples=20)
@given(train=some_texts, order=st.integers(1, 5), context=few_characters)
def test_the_probabilities_behind_a_context_sum_to_one(train, order, context):
    model = WittenBell(train, order)
    signs = ([START] * order + list(context))[len(context) + 1 :]
    history = tuple(signs[-(order - 1) :]) if order > 1 else ()
    assert len(history) == order - 1
    alphabet = {character for text in train for character in text} | {END}
    seen = sum(model.probability(character, history) for character in alphabet)
    unseen = model.probability("沒見過", history) * (CODE_POINTS - len(alphabet))
    assert seen + unseen == pytest.approx(1, abs=1e-9)


def test_one_character_by_hand():
    """Train 山 and its end, hold out 山: order 1 gives both (1 + 2/N) / (2 + 2)."""
    expected = -2 * math.log2((1 + 2 / CODE_POINTS) / 4)
    assert ngram_bits_per_char(["山"], ["山"], orders=(1,))[1] == pytest.approx(expected)


def test_a_character_never_seen_costs_many_bits_but_not_all():
    bits = ngram_bits_per_char(["山水"] * 9, ["鳥"], orders=(1, 5))
    assert 15 < bits[1] < 60
    assert math.isfinite(bits[5])


def test_longer_contexts_help_on_regular_text(texts):
    bits = ngram_bits_per_char(texts * 3, texts, orders=(1, 2, 5))
    assert bits[1] > bits[2] > bits[5] > 0


def random_texts(seed, count=80):
    numbers = random.Random(seed)
    return [
        "".join(chr(numbers.randrange(0x4E00, 0x9FA5)) for _c in range(30)) for _t in range(count)
    ]


def test_xz_is_positive_and_lower_for_what_the_train_text_holds():
    train, fresh = random_texts(0), random_texts(1, 40)
    known = xz_bits_per_char(train, train[:40])
    unknown = xz_bits_per_char(train, fresh)
    assert 0 < known < unknown / 5
    assert unknown > math.log2(0x9FA5 - 0x4E00) * 0.95  # random characters cannot be told shorter


def test_xz_takes_any_stream_of_train_texts(texts):
    assert xz_bits_per_char(iter(texts), texts[:5]) == xz_bits_per_char(texts, texts[:5])


def test_xz_reaches_back_over_a_train_text_longer_than_its_usual_dictionary():
    """Preset 6 alone looks back 8 MiB."""
    train = random_texts(2, 100)
    filler = ["霧燈" * 1500] * 1000  # 9 MB that compress to nothing
    near = xz_bits_per_char(train, train[:60])
    far = xz_bits_per_char(train + filler, train[:60])
    assert far < near * 1.5
