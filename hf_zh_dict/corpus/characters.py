"""How often each character stands in each split in, the inventory of the script out.

A character is a Unicode code point. Chinese text has a long tail: a few hundred characters make
up most of it, thousands occur once; the inventory says how long the tail is and what lies in it.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

RANGES = (  # first to last code point; what lies in none is told by its category and name
    ("placeholder", 0x3013, 0x3013),
    ("basic", 0x4E00, 0x9FFF),
    ("basic", 0x3007, 0x3007),  # 〇, a character among the punctuation
    ("extension_a", 0x3400, 0x4DBF),
    ("extension_b", 0x20000, 0x2A6DF),
    ("extension_c", 0x2A700, 0x2B73F),
    ("extension_d", 0x2B740, 0x2B81F),
    ("extension_e", 0x2B820, 0x2CEAF),
    ("extension_f", 0x2CEB0, 0x2EBEF),
    ("extension_g", 0x30000, 0x3134F),
    ("extension_h", 0x31350, 0x323AF),
    ("extension_i", 0x2EBF0, 0x2EE5F),
    ("extension_j", 0x323B0, 0x3347F),
    ("compatibility", 0xF900, 0xFAFF),
    ("compatibility", 0x2F800, 0x2FA1F),
    ("radicals", 0x2E80, 0x2FDF),
    ("radicals", 0x31C0, 0x31EF),
    ("bopomofo", 0x3100, 0x312F),
    ("bopomofo", 0x31A0, 0x31BF),
    ("bopomofo", 0x02C7, 0x02CB),  # ˇ ˉ ˊ ˋ
    ("bopomofo", 0x02D9, 0x02D9),  # ˙
    ("private_use", 0xE000, 0xF8FF),
    ("private_use", 0xF0000, 0x10FFFD),
)
COVERED = (500, 900, 990, 999)  # per mille of the text
LISTED = 60  # characters named one by one
CURVE_POINTS = 60


def take_inventory(counts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    """The characters of all splits together, and those that train has not.

    Args:
        counts: of each split, how often it holds each character.
    """
    total: Counter[str] = Counter()
    for characters in counts.values():
        total.update(characters)
    unseen = Counter({c: n for c, n in total.items() if c not in counts["train"]})
    block_of = {character: find_block(character) for character in total}
    return {
        "distinct": len(total),
        "once": sum(count == 1 for count in total.values()),
        "blocks": count_blocks(total, block_of),
        "frequent": rank({c: n for c, n in total.items() if is_ideograph(block_of[c])})[:LISTED],
        "private_use": [
            [f"U+{ord(c):04X}", n] for c, n in rank(total) if block_of[c] == "private_use"
        ],
        "unseen": {
            "distinct": len(unseen),
            "characters": unseen.total(),
            "listed": rank(unseen)[:LISTED],
        },
        **measure_coverage(total),
    }


def find_block(character: str) -> str:
    """The part of the script that a character belongs to."""
    point = ord(character)
    for block, first, last in RANGES:
        if first <= point <= last:
            return block
    category = unicodedata.category(character)
    if "LATIN" in unicodedata.name(character, ""):
        plain = unicodedata.normalize("NFKD", character).isascii()
        return "latin" if plain else "marked_latin"
    groups = {"M": "marked_latin", "N": "digits", "P": "punctuation", "S": "punctuation"}
    return groups.get(category[0], "blanks" if category[0] in "ZC" else "other")


def is_ideograph(block: str) -> bool:
    return block in ("basic", "compatibility") or block.startswith("extension")


def rank(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, equally frequent ones by code point."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def count_blocks(
    counts: Mapping[str, int], block_of: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Of each block, how many distinct characters there are, and how many in all."""
    blocks: dict[str, dict[str, int]] = {}
    for character, count in rank(counts):
        block = blocks.setdefault(block_of[character], {"distinct": 0, "characters": 0})
        block["distinct"] += 1
        block["characters"] += count
    return dict(sorted(blocks.items(), key=lambda item: -item[1]["characters"]))


def measure_coverage(counts: Mapping[str, int]) -> dict[str, Any]:
    """How much of the text the most frequent characters make up.

    Returns:
        "coverage": [[per mille of the text, fewest distinct characters that cover it], …];
        "curve": [[distinct characters, share of the text], …], evenly on a log scale.
    """
    reached = np.cumsum([count for _character, count in rank(counts)], dtype=np.int64)
    if not len(reached):
        return {"coverage": [], "curve": []}
    total = int(reached[-1])
    needed = [-(-total * per_mille // 1000) for per_mille in COVERED]
    enough = (np.searchsorted(reached, needed) + 1).tolist()
    points = np.unique(np.geomspace(1, len(reached), CURVE_POINTS).round().astype(np.int64))
    shares = (reached[points - 1] / total).round(5)
    return {
        "coverage": [list(pair) for pair in zip(COVERED, enough, strict=True)],
        "curve": [list(pair) for pair in zip(points.tolist(), shares.tolist(), strict=True)],
    }
