"""Every character has its block, and the inventory's counts are those of the text."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus.characters import COVERED, find_block, take_inventory


@pytest.mark.parametrize(
    ("block", "characters"),
    [
        ("basic", "一龥鿿〇"), ("extension_a", "㐀䶿"), ("extension_b", "\U00020000𠮷"),
        ("extension_c", "\U0002a700"), ("extension_d", "\U0002b740"), ("extension_e", "\U0002b820"),
        ("extension_f", "\U0002ceb0"), ("extension_g", "\U00030000"), ("extension_h", "\U00031350"),
        ("extension_i", "\U0002ebf0"), ("extension_j", "\U000323b0"),
        ("compatibility", "\uf900\U0002f800"), ("radicals", "⼀⺀㇀"), ("bopomofo", "ㄅㄩㆠˊˇˋ˙"),
        ("marked_latin", "āǎüê\u0304"), ("latin", "aZＡ"), ("digits", "0９①"),
        ("punctuation", "，。「《·.=＝～"), ("blanks", " \u3000\xa0\0"), ("placeholder", "〓"),
        ("private_use", "\ue000\U000fd1c5"), ("other", "αのД"),
    ],
)  # fmt: skip
def test_a_character_has_its_block(block, characters):
    assert {character: find_block(character) for character in characters} == dict.fromkeys(
        characters, block
    )


def test_the_inventory_of_a_few_words():
    found = take_inventory(
        {
            "train": Counter("水水水水火火。 \ue000\ue000"),
            "validation": Counter("水土土"),
            "test": Counter("木。"),
        }
    )
    assert found == {
        "distinct": 7,
        "once": 2,  # the blank and 木
        "blocks": {
            "basic": {"distinct": 4, "characters": 10},
            "punctuation": {"distinct": 1, "characters": 2},
            "private_use": {"distinct": 1, "characters": 2},
            "blanks": {"distinct": 1, "characters": 1},
        },
        "frequent": [("水", 5), ("土", 2), ("火", 2), ("木", 1)],
        "private_use": [["U+E000", 2]],
        "unseen": {"distinct": 2, "characters": 3, "listed": [("土", 2), ("木", 1)]},
        "coverage": [[500, 3], [900, 6], [990, 7], [999, 7]],  # 5 7 9 11 13 14 15 of 15
        "curve": [
            [1, 0.33333], [2, 0.46667], [3, 0.6], [4, 0.73333], [5, 0.86667], [6, 0.93333], [7, 1.0],
        ],
    }  # fmt: skip


def test_a_corpus_without_characters_has_an_inventory():
    nothing = take_inventory({"train": Counter(), "validation": Counter(), "test": Counter()})
    assert (nothing["distinct"], nothing["coverage"], nothing["curve"]) == (0, [], [])


@given(st.lists(st.text(), min_size=3, max_size=3))
def test_the_counts_add_up(texts):
    counts = dict(zip(("train", "validation", "test"), map(Counter, texts), strict=True))
    found = take_inventory(counts)
    text = "".join(texts)
    assert sum(block["distinct"] for block in found["blocks"].values()) == found["distinct"]
    assert sum(block["characters"] for block in found["blocks"].values()) == len(text)
    assert found["distinct"] == len(set(text))
    assert found["unseen"]["distinct"] == len(set(text) - set(texts[0]))
    ranked = [count for _character, count in Counter(text).most_common()]
    for (per_mille, needed), expected in zip(found["coverage"], COVERED, strict=False):
        assert per_mille == expected
        assert 1000 * sum(ranked[:needed]) >= per_mille * len(text)
        assert 1000 * sum(ranked[: needed - 1]) < per_mille * len(text)
