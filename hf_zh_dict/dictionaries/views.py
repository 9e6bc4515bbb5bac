"""An `Entry` in, its `Document` in every view out: the recipe `extended`.

A small model meets each word from several sides: the whole entry (`plain`), word → definition,
definition → word, its reading, the words around it, its use, its story. Each view is one line of plain prose
in a dictionary's manner; what an entry does not have gives no line. All views of an entry share
its `entry_id`, so a split never parts them.
"""

import re
from collections.abc import Callable, Iterator

from hf_zh_dict.dictionaries.entry import Document, Entry, Reading, Sense
from hf_zh_dict.dictionaries.links import linked_headwords
from hf_zh_dict.dictionaries.render import Line, ordinal, render_document

MASK = "～"  # stands for the headword where a line must not give it away
KEYED = re.compile(r"(?<!\S)(\d{1,2})\.")  # `1.甲、乙 2.丙`: what goes with which sense
INNER_QUOTES = str.maketrans("「」『』", "『』「」")  # a quotation inside a quotation
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff〓]")

RELATED_WORDS = (
    ("synonyms", "相似的詞有"),
    ("antonyms", "相反的詞有"),
)
RELATED_IDIOMS = (
    ("synonyms", "近義的成語有"),
    ("antonyms", "反義的成語有"),
)
USAGE_SECTIONS = ("usage_meaning", "usage_category", "usage_examples", "quotations")
STORY_SECTIONS = ("source", "source_text", "story")
DIFFERENCE_SECTIONS = ("alike", "different", "discrimination_examples", "form_and_sound")


def render_views(entry: Entry) -> Iterator[Document]:
    """The entry's plain document, then every other view that it has something for."""
    yield render_document(entry)
    links = linked_headwords(entry)
    for view, render in VIEWS.items():
        line = Line()
        render(line, entry)
        if line.parts:
            yield line.document(entry, view=view, links=links)


def add_headword(line: Line, entry: Entry) -> None:
    line.add("「")
    line.add(entry.headword, "headword")
    line.add("」")


def add_pronunciation(line: Line, reading: Reading) -> None:
    """`ㄆㄧㄠ（piāo）`."""
    line.add(reading.bopomofo, "bopomofo")
    if reading.pinyin:
        line.add("（")
        line.add(reading.pinyin, "pinyin")
        line.add("）")


def add_sentence(line: Line, text: str, field: str, *, end: str = "。") -> None:
    """A passage, closed by punctuation when its own text is not."""
    line.add(text, field)
    if text and text[-1] not in "。！？；：，、」』…":
        line.add(end)


def render_definition(line: Line, entry: Entry) -> None:
    """Word → definition: every reading's senses, with their examples and quotations."""
    if not any(reading.senses for reading in entry.readings):
        return
    for index, reading in enumerate(entry.readings):
        if index == 0:
            add_headword(line, entry)
        if reading.bopomofo:
            line.add("讀作" if index == 0 else "又讀作")
            line.add(reading.bopomofo, "bopomofo")
            line.add("，")
        elif index:
            line.add("又")
        line.add("意思是：")
        several = len(reading.senses) > 1
        for number, sense in enumerate(reading.senses):
            if several:
                line.add(f"（{ordinal(number)}）")
            if sense.part_of_speech:
                line.add(f"［{sense.part_of_speech}］")
            for passage in sense.passages:
                line.add(passage.text, passage.field)
            if sense.text[-1:] not in "。！？」』":
                line.add("。")


def render_headword(line: Line, entry: Entry) -> None:
    """Definition → word: the headword is masked until the end of the line."""
    described = [
        (reading, [sense for sense in reading.senses if describes(sense)])
        for reading in entry.readings
    ]
    described = [(reading, senses) for reading, senses in described if senses]
    if not described:
        return
    line.add("有個字，" if len(entry.headword) == 1 else "有個詞語，")
    for index, (_reading, senses) in enumerate(described):
        line.add("意思是" if index == 0 else "又有" if index == 1 else "還有")
        for number, sense in enumerate(senses):
            line.add("「" if number == 0 else "；也是「")
            for passage in sense.passages:
                if passage.field in ("definition", "example"):
                    text = passage.text.replace(entry.headword, MASK)
                    line.add(text.translate(INNER_QUOTES), passage.field)
            line.add("」")
        line.add("的意思，" if index else "，")
    line.add("就是")
    add_headword(line, entry)
    line.add("。")


def describes(sense: Sense) -> bool:
    """Whether the sense says something of its own, not only where to look."""
    return any(passage.field == "definition" for passage in sense.passages)


def render_reading(line: Line, entry: Entry) -> None:
    """How it is read, sound by sound, and for a character how it is written."""
    spoken = [reading for reading in entry.readings if reading.bopomofo]
    if spoken:
        add_headword(line, entry)
        for index, reading in enumerate(spoken):
            line.add("讀作" if index == 0 else "，又讀作")
            add_pronunciation(line, reading)
        line.add("。")
        add_characters(line, entry.headword, spoken[0])
        for reading in spoken:
            for section in reading.sections:
                if section.field == "variant_reading":
                    line.add("另讀：")
                    add_sentence(line, section.text, section.field)
    if entry.radical and entry.strokes:
        if not spoken:
            add_headword(line, entry)
        line.add("部首是")
        line.add(
            f"{entry.radical}部，部首外{entry.residual_strokes}畫，共{entry.strokes}畫", "radical"
        )
        line.add("。")


def add_characters(line: Line, headword: str, reading: Reading) -> None:
    """`「漂」音ㄆㄧㄠ，「流」音ㄌㄧㄡˊ。`, when there is one syllable for each character."""
    syllables = reading.bopomofo.replace("，", " ").split()
    characters = HAN.findall(headword)
    if 1 < len(characters) == len(syllables):
        pairs = zip(characters, syllables, strict=True)
        line.add("，".join(f"「{character}」音{syllable}" for character, syllable in pairs) + "。")


def render_related(line: Line, entry: Entry) -> None:
    """Its synonyms, antonyms and other forms; keyed to their senses where the dictionary does."""
    names = RELATED_IDIOMS if entry.dictionary == "idioms" else RELATED_WORDS
    sections = [*entry.sections, *(s for reading in entry.readings for s in reading.sections)]
    found = [(lead, s) for field, lead in names for s in sections if s.field == field and s.text]
    for index, (lead, section) in enumerate(found):
        if index == 0:
            add_headword(line, entry)
        for key, words in split_keyed(section.text):
            if line.parts[-1] not in ("」", "。"):
                line.add("；")
            line.add(f"在第{ordinal(key - 1)}義，{lead}" if key else lead)
            line.add(words, section.field)
    if line.parts:
        line.add("。")
    forms = [
        passage.text
        for reading in entry.readings
        for sense in reading.senses
        for passage in sense.passages
        if passage.field == "related"
    ]
    if forms:
        add_headword(line, entry)
    for text in dict.fromkeys(forms):
        if text.startswith("「"):  # 「島」的異體字。
            line.add("是")
        add_sentence(line, text, "related")


def split_keyed(text: str) -> list[tuple[int, str]]:
    """`1.甲、乙 2.丙` → [(1, 甲、乙), (2, 丙)]; a text without numbers has the key 0."""
    first, *rest = KEYED.split(text)
    keyed = [(0, first.strip())] if first.strip() else []
    keyed += [(int(n), words.strip()) for n, words in zip(rest[::2], rest[1::2], strict=True)]
    return [(key, words) for key, words in keyed if words]


def render_usage(line: Line, entry: Entry) -> None:
    """How it is used: examples, quotations, an idiom's sections on use and confusion."""
    passages = [
        passage
        for reading in entry.readings
        for sense in reading.senses
        for passage in sense.passages
        if passage.field in ("example", "quotation")
    ]
    wanted = (*USAGE_SECTIONS, *DIFFERENCE_SECTIONS)
    passages += [section for section in entry.sections if section.field in wanted]
    if not passages:
        return
    line.add("怎麼用")
    add_headword(line, entry)
    line.add("？")
    for passage in passages:
        add_sentence(line, passage.text, passage.field)


def render_story(line: Line, entry: Entry) -> None:
    """Where an idiom comes from: its source, the source's words, the story told anew."""
    sections = {section.field: section for section in entry.sections}
    told = [sections[name] for name in STORY_SECTIONS if name in sections]
    if not told:
        return
    add_headword(line, entry)
    line.add("的典故：")
    for section in told:
        add_sentence(line, section.text, section.field)


VIEWS: dict[str, Callable[[Line, Entry], None]] = {
    "definition": render_definition,
    "headword": render_headword,
    "reading": render_reading,
    "related": render_related,
    "usage": render_usage,
    "story": render_story,
}
