"""Entries that a dictionary could hold, built from plausible pieces, for hypothesis."""

from hypothesis import strategies as st

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.reader import IDIOM_SECTIONS
from hf_zh_dict.dictionaries.syllables import spell_reading

SYLLABLES = (
    "ㄕㄢ ㄕㄨㄟˇ ㄏㄨㄚ ㄩˊ ㄋㄩˇ ㄖˋ ㄔㄨㄢˊ ˙ㄗ ˙ㄉㄜ ㄏㄨㄚㄦ ㄦˊ ㄜˊ ㄩㄥˇ ㄌㄩㄝˋ".split()
)
SENTENCES = """
{}。 {}、{}，{}。 形容{}！ 約24小時的{}。 （原「{}」字可讀輕聲。） 〓，{}的{}。 (歇後語){}。
[ｆ]音的{}。 （１）{}：2.5公里。
如：「{}」、「{}。」 例如：{}、{} 例如：「{}」。
唐．{}〈{}〉詩：「{}，{}。」 《{}．{}》：「{}？『{}！』」 語本《{}》。
也作「{}」。 參見「{}」條。 「{}」的異體字。 也稱：{}、{} 參見：{} 反「{}」。
""".split()

words = st.text("山水風雨花草魚鳥石木船燈橋米茶的不一有", min_size=1, max_size=4)


@st.composite
def sentences(draw):
    """One sentence, its gaps filled with words."""
    pattern = draw(st.sampled_from(SENTENCES))
    return pattern.format(*(draw(words) for _ in range(pattern.count("{}"))))


texts = st.lists(sentences(), min_size=1, max_size=4).map("".join)
syllables = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=4).map(" ".join)


@st.composite
def pronunciations(draw):
    """注音 and 漢語拼音: both, 注音 alone (國語小字典), or none (a variant character)."""
    parts = draw(st.lists(syllables, max_size=2))
    pinyin = "，".join(spell_reading(part) for part in parts)
    return "，".join(parts), pinyin if draw(st.booleans()) else ""


senses = st.builds(
    Sense,
    passages=texts.map(split_passages),
    number=st.integers(0, 30),
    part_of_speech=st.sampled_from(["", "名", "動", "代、介"]),
)


@st.composite
def readings(draw):
    """A pronunciation with senses, and what belongs to it alone."""
    sections = {
        "variant_reading": syllables.map(lambda syllables: f"又音 {syllables}"),
        "synonyms": words.map(lambda word: f"1.{word}、山嶺 2.{word}"),
        "antonyms": words,
    }
    return Reading(
        *draw(pronunciations()),
        senses=tuple(draw(st.lists(senses, min_size=1, max_size=4))),
        sections=tuple(
            Passage(name, draw(text)) for name, text in sections.items() if draw(st.booleans())
        ),
    )


many_readings = st.builds(
    lambda reading, count: [reading] * count, reading=readings(), count=st.integers(3, 12)
)


@st.composite
def entries(draw):
    """A headword with one to twelve readings, with or without radical and sections."""
    names = draw(st.lists(st.sampled_from(("alias", *IDIOM_SECTIONS)), unique=True, max_size=5))
    radical = draw(st.sampled_from(["", "", "水", "艸", "部", "\U0002f800"]))
    return Entry(
        headword=draw(words | st.sampled_from(["一不做，二不休", "ＡＢ制", "\U000f9006"])),
        readings=tuple(draw(st.lists(readings(), min_size=1, max_size=2) | many_readings)),
        radical=radical,
        residual_strokes=draw(st.integers(0, 30)) if radical else 0,
        strokes=draw(st.integers(0, 60)) if radical else 0,
        sections=tuple(Passage(name, draw(texts)) for name in names),
        dictionary=draw(st.sampled_from(["revised", "concised", "idioms", "mini"])),
        entry_id=draw(st.integers(1, 999).map(str)),
    )
