"""A text in, its Simplified characters out."""

import unicodedata
from functools import cache
from typing import Any

# the 214 radicals of the Kangxi dictionary; 广, a radical, is a Simplified character as well
RADICALS = {unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}


@cache
def converter() -> Any:
    """OpenCC from Simplified to Traditional; its tables are read once."""
    import opencc

    return opencc.OpenCC("s2t")


@cache
def is_simplified(character: str) -> bool:
    """Whether a character is used in Simplified Chinese alone.

    OpenCC turns it into another one, and Big5, the code of Traditional text, does not have it: 后
    and 台, which Traditional text uses too, do not count, nor do radicals and compatibility forms.
    What is left of a dictionary are the variants that it lists (耻), in about 1 of 100 entries.
    """
    if character in RADICALS or not unicodedata.is_normalized("NFC", character):
        return False
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return bool(converter().convert(character) != character)
    return False


def simplified_characters(text: str) -> list[str]:
    """Those of a text, in order."""
    return [character for character in text if is_simplified(character)]
