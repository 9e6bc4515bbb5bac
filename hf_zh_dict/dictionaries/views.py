"""An `Entry` in, its `Document` in every view out: the recipe `extended`.

A small model meets each word from several sides: the whole entry (`plain`), word → definition,
definition → word, its reading, the words around it, its use, its story. Each view is one line of plain prose
in a dictionary's manner; what an entry does not have gives no line. All views of an entry share
its `entry_id`, so a split never parts them.
"""

import re
from collections.abc import Callable, Iterator

from hf_zh_dict.dictionaries.entry import Document, Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.links import linked_headwords
from hf_zh_dict.dictionaries.render import Line, ordinal, render_document

MASK = "～"  # stands for the headword where a line must not give it away
KEYED = re.compile(r"(?<!\S)(?:\[([^\[\]]+)\])?(\d{1,2})\.")  # `[形]1.甲、乙 2.丙`: of which sense
INNER_QUOTES = str.maketrans("「」『』", "『』「」")  # a quotation inside a quotation
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff〓]")
OTHER_READING = re.compile(r"\([一二三四五六七八九十]+\)[\d.]*[之的](?:又音|語音|讀音)。?")
CLOSED = re.compile(r"[。！？…：；，、][」』〉》）)】]*\Z")  # what needs no full stop behind it

RELATED_WORDS = {"synonyms": "相似詞", "antonyms": "相反詞", "alias": "別名", "variants": "異體"}
RELATED_IDIOMS = {**RELATED_WORDS, "synonyms": "近義成語", "antonyms": "反義成語"}
USAGE_SECTIONS = (
    "usage_meaning", "usage_category", "usage_examples", "quotations",
    "alike", "different", "discrimination_examples", "form_and_sound",
)  # fmt: skip
STORY_SECTIONS = ("source", "source_text", "story")


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


def add_sentence(line: Line, text: str, field: str) -> None:
    """A passage, closed by a full stop when its own text is not."""
    line.add(text, field)
    close(line, text)


def close(line: Line, text: str) -> None:
    """A full stop behind a text that does not end as a sentence does, closing brackets aside."""
    if text and not CLOSED.search(text):
        line.add("。")


def render_definition(line: Line, entry: Entry) -> None:
    """Word → definition: every reading's senses, with their examples and quotations.

    An entry that only says where to look has none; its `related` view says that.
    """
    readings = [reading for reading in entry.readings if reading.senses]
    if not any(tells(sense) for reading in readings for sense in reading.senses):
        return
    add_headword(line, entry)
    before = ""
    for index, reading in enumerate(readings):
        spoken = reading.bopomofo not in ("", before)
        before = reading.bopomofo
        if spoken:
            line.add("又讀作" if index else "讀作")
            line.add(reading.bopomofo, "bopomofo")
            line.add("，")
        elif index:
            line.add("又")
        if any(tells(sense) for sense in reading.senses):
            line.add("意思是：" if spoken or not index else "指：")
        elif reading.senses[0].text.startswith(("「", "(")):  # 「島」的異體字。 (一)之又音。
            line.add("是")
        add_senses(line, reading.senses)


def add_senses(line: Line, senses: tuple[Sense, ...]) -> None:
    """`［名］（一）….（二）…［動］（一）…`: numbered as the dictionary numbers them."""
    part_of_speech = ""
    for sense in senses:
        if sense.part_of_speech not in ("", part_of_speech):
            line.add("［")
            line.add(sense.part_of_speech, "part_of_speech")
            line.add("］")
        part_of_speech = sense.part_of_speech
        if sense.number and len(senses) > 1:
            line.add(f"（{ordinal(sense.number - 1)}）")
        for passage in sense.passages:
            line.add(passage.text, passage.field)
        close(line, sense.text)


def tells(sense: Sense) -> bool:
    """Whether the sense has words of its own, not only where to look."""
    fields = [passage.field for passage in sense.passages]
    return not OTHER_READING.fullmatch(sense.text) and not {"definition", "quotation"}.isdisjoint(
        fields
    )


def render_headword(line: Line, entry: Entry) -> None:
    """Definition → word: the headword is masked until the end of the line."""
    said: set[tuple[Passage, ...]] = set()
    described: list[list[tuple[Passage, ...]]] = []
    for reading in entry.readings:
        told = dict.fromkeys(guessable(sense) for sense in reading.senses if describes(sense))
        described.append([passages for passages in told if passages not in said])
        said.update(told)
    described = [senses for senses in described if senses]
    if not described:
        return
    line.add("有個字，" if len(entry.headword) == 1 else "有個詞語，")
    for index, senses in enumerate(described):
        for number, passages in enumerate(senses):
            line.add("；也是「" if number else "；又指「" if index else "意思是「")
            texts = [p.text.replace(entry.headword, MASK) for p in passages]
            texts[-1] = texts[-1].removesuffix("。")  # a quotation inside a sentence
            for passage, text in zip(passages, texts, strict=True):
                line.add(text.translate(INNER_QUOTES), passage.field)
            line.add("」")
    line.add("，就是")
    add_headword(line, entry)
    line.add("。")
    if "".join(line.parts).index(entry.headword) < line.spans[-1].start:
        line.parts.clear()  # 「有」, 「意思」: the frame itself gives it away


def guessable(sense: Sense) -> tuple[Passage, ...]:
    """What the reverse view tells of a sense."""
    return tuple(p for p in sense.passages if p.field in ("definition", "example"))


def describes(sense: Sense) -> bool:
    """Whether the sense can be guessed from: it has a definition that says something."""
    return tells(sense) and any(
        passage.field == "definition" and passage.text.strip("。") for passage in sense.passages
    )


def render_reading(line: Line, entry: Entry) -> None:
    """How it is read, sound by sound, and for a character how it is written."""
    spoken: dict[str, Reading] = {}
    for reading in entry.readings:
        if reading.bopomofo:
            spoken.setdefault(reading.bopomofo, reading)
    for index, reading in enumerate(spoken.values()):
        if index == 0:
            add_headword(line, entry)
        line.add("，又讀作" if index else "讀作")
        add_pronunciation(line, reading)
    if spoken:
        line.add("。")
        if len(spoken) == 1:
            add_characters(line, entry.headword, *spoken)
        sections = (section for reading in entry.readings for section in reading.sections)
        for section in dict.fromkeys(sections):
            if section.field == "variant_reading":
                line.add("另讀：")
                add_sentence(line, section.text, section.field)
    if entry.radical and entry.strokes:
        if not spoken:
            add_headword(line, entry)
        if len(entry.headword) > 1:  # the dictionary gives a word the radical of its beginning
            line.add(f"首字「{entry.headword[0]}」")
        line.add("部首是" if spoken and len(entry.headword) == 1 else "的部首是")
        line.add(
            f"{entry.radical}部，部首外{entry.residual_strokes}畫，共{entry.strokes}畫", "radical"
        )
        line.add("。")


def add_characters(line: Line, headword: str, bopomofo: str) -> None:
    """`「漂」音ㄆㄧㄠ，「流」音ㄌㄧㄡˊ。`, when there is one syllable for each character."""
    syllables = bopomofo.replace("，", " ").split()
    characters = HAN.findall(headword)
    if 1 < len(characters) == len(syllables):
        pairs = dict.fromkeys(zip(characters, syllables, strict=True))
        line.add("，".join(f"「{character}」音{syllable}" for character, syllable in pairs) + "。")


def render_related(line: Line, entry: Entry) -> None:
    """Its synonyms, antonyms and other forms; keyed to their senses where the dictionary does."""
    names = RELATED_IDIOMS if entry.dictionary == "idioms" else RELATED_WORDS
    several = len({reading.bopomofo for reading in entry.readings}) > 1
    owned = [("", entry.sections)]
    owned += [(reading.bopomofo if several else "", reading.sections) for reading in entry.readings]
    said = ""
    for bopomofo, sections in owned:
        for section in sections:
            for place, words in split_keyed(section.text) if section.field in names else ():
                if line.parts:
                    line.add("；")
                else:
                    add_headword(line, entry)
                    if not (place or bopomofo):
                        line.add("的")
                if bopomofo != said:
                    line.add("讀作")
                    line.add(bopomofo, "bopomofo")
                    line.add("時，")
                    said = bopomofo
                line.add(f"{place}的" if place else "")
                line.add(f"{names[section.field]}有")
                line.add(words, section.field)
    if line.parts:
        line.add("。")
    forms = dict.fromkeys(
        passage.text
        for reading in entry.readings
        for sense in reading.senses
        for passage in sense.passages
        if passage.field == "related"
    )
    if forms:
        add_headword(line, entry)
    for text in forms:
        if text.startswith("「"):  # 「島」的異體字。
            line.add("是")
        add_sentence(line, text, "related")


def split_keyed(text: str) -> Iterator[tuple[str, str]]:
    """`[形]1.甲、乙 2.丙` → (［形］第一義, 甲、乙), (［形］第二義, 丙); without numbers the place is empty."""
    first, *rest = KEYED.split(text)
    place = part_of_speech = ""
    if first.strip():
        yield place, first.strip()
    for mark, number, words in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        part_of_speech = f"［{mark}］" if mark else part_of_speech
        place = f"{part_of_speech}第{ordinal(int(number) - 1)}義"
        if words.strip():
            yield place, words.strip()


def render_usage(line: Line, entry: Entry) -> None:
    """How it is used: examples, quotations, an idiom's sections on use and confusion."""
    passages = [
        passage
        for reading in entry.readings
        for sense in reading.senses
        for passage in sense.passages
        if passage.field in ("example", "quotation")
    ]
    sections = [section for section in entry.sections if section.field in USAGE_SECTIONS]
    passages += sorted(sections, key=lambda section: USAGE_SECTIONS.index(section.field))
    if not passages:
        return
    line.add("怎麼用")
    add_headword(line, entry)
    line.add("？")
    for passage in dict.fromkeys(passages):
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
