"""A 注音 syllable in, its 漢語拼音 out (and whether either is well formed).

The table is the one that 注音符號 and 漢語拼音 share: an initial, a final, a tone. It exists
because a reading library guesses from characters, while a dictionary states its readings in
both systems: the two columns can be checked against each other.

Source: 中華民國教育部《國語注音符號手冊》 and ISO 7098:2015, section 11 (tone marks).
"""

import re
import unicodedata

INITIALS = dict(
    zip(
        "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒ",
        ["b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x"],
        strict=True,
    )
) | dict(zip("ㄓㄔㄕㄖㄗㄘㄙ", ["zh", "ch", "sh", "r", "z", "c", "s"], strict=True))

# final → (spelling after an initial, spelling on its own)
FINALS = {
    "ㄚ": ("a", "a"), "ㄛ": ("o", "o"), "ㄜ": ("e", "e"), "ㄝ": ("ê", "ê"),
    "ㄞ": ("ai", "ai"), "ㄟ": ("ei", "ei"), "ㄠ": ("ao", "ao"), "ㄡ": ("ou", "ou"),
    "ㄢ": ("an", "an"), "ㄣ": ("en", "en"), "ㄤ": ("ang", "ang"), "ㄥ": ("eng", "eng"),
    "ㄦ": ("er", "er"),
    "ㄧ": ("i", "yi"), "ㄧㄚ": ("ia", "ya"), "ㄧㄛ": ("io", "yo"), "ㄧㄝ": ("ie", "ye"),
    "ㄧㄞ": ("iai", "yai"), "ㄧㄠ": ("iao", "yao"), "ㄧㄡ": ("iu", "you"), "ㄧㄢ": ("ian", "yan"),
    "ㄧㄣ": ("in", "yin"), "ㄧㄤ": ("iang", "yang"), "ㄧㄥ": ("ing", "ying"),
    "ㄨ": ("u", "wu"), "ㄨㄚ": ("ua", "wa"), "ㄨㄛ": ("uo", "wo"), "ㄨㄞ": ("uai", "wai"),
    "ㄨㄟ": ("ui", "wei"), "ㄨㄢ": ("uan", "wan"), "ㄨㄣ": ("un", "wen"),
    "ㄨㄤ": ("uang", "wang"), "ㄨㄥ": ("ong", "weng"),
    "ㄩ": ("ü", "yu"), "ㄩㄝ": ("üe", "yue"), "ㄩㄢ": ("üan", "yuan"), "ㄩㄣ": ("ün", "yun"),
    "ㄩㄥ": ("iong", "yong"),
}  # fmt: skip

SYLLABIC = set("ㄓㄔㄕㄖㄗㄘㄙ")  # initials that stand alone as a syllable
TONES = {"": "\u0304", "ˊ": "\u0301", "ˇ": "\u030c", "ˋ": "\u0300", "˙": ""}

SYLLABLE = re.compile(r"(˙?)([ㄅ-ㄙ]?)([ㄚ-ㄥㄧ-ㄩ]{0,2})([ˊˇˋ]?)(ㄦ?)([ˊˇˋ]?)")


def spell_syllable(bopomofo: str) -> str | None:
    """Pinyin of one 注音 syllable (`˙` first for the light tone), or None when it is not one.

    A final ㄦ after a vowel is the retroflex suffix, spelled r, its tone written before it:
    ㄊㄡˊㄦ → tóur.
    """
    matched = SYLLABLE.fullmatch(bopomofo)
    if not bopomofo or not matched:
        return None
    light, initial, final, early_tone, suffix, late_tone = matched.groups()
    tone = light + early_tone + late_tone
    if suffix and not final and not initial:  # ㄦ on its own is the final itself
        final, suffix = suffix, ""
    if final in FINALS:
        base = INITIALS[initial] + FINALS[final][0] if initial else FINALS[final][1]
    elif initial in SYLLABIC and not final:
        base = INITIALS[initial] + "i"
    else:
        return None
    if tone not in TONES:  # two tone marks
        return None
    if initial and initial in "ㄐㄑㄒ":
        base = base.replace("ü", "u")
    return place_tone(base, TONES[tone]) + ("r" if suffix else "")


def place_tone(base: str, mark: str) -> str:
    """Put a combining tone mark on the vowel that carries it: a, o or e first, else the last."""
    for vowel in "aoeê":
        if vowel in base:
            position = base.index(vowel)
            break
    else:
        position = max(base.rfind(vowel) for vowel in "iuü")
    marked = base[: position + 1] + mark + base[position + 1 :]
    return unicodedata.normalize("NFC", marked)


def spell_reading(bopomofo: str) -> str | None:
    """Pinyin of a reading (syllables divided by white space), or None when one is malformed."""
    spelled = [spell_syllable(syllable) for syllable in bopomofo.split()]
    return None if None in spelled or not spelled else " ".join(map(str, spelled))
