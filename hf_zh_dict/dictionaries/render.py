"""An `Entry` in, its `Document` out: one line that a person can read and `parse.py` can read back.

    漂　水部11畫，共14畫　(一)　ㄆㄧㄠ　1.浮在水面上。如：「漂浮」。　2.…　(二)　ㄆㄧㄠˇ　…

Fields are divided by one full-width space (U+3000), which no field contains. Behind the headword
stand the radical, then for each reading its ordinal (when there are several), 注音, 漢語拼音,
parts of speech, senses and labelled sections; the entry's own labelled sections close the line.
"""

from hf_zh_dict.dictionaries.entry import Document, Entry, Reading, Span
from hf_zh_dict.dictionaries.links import linked_headwords

SEPARATOR = "\u3000"
ORDINALS = "一二三四五六七八九十"

# Section names (spans carry them) and the labels that a reader of the line sees.
READING_LABELS = {"variant_reading": "另讀：", "synonyms": "相似詞：", "antonyms": "相反詞："}
ENTRY_LABELS = {
    "alias": "別名：",
    "variants": "異體：",
    "source": "典源：",
    "source_text": "典源內容：",
    "source_notes": "典源註解：",
    "source_references": "典源參考：",
    "story": "典故說明：",
    "quotations": "書證：",
    "usage_meaning": "語意說明：",
    "usage_category": "使用類別：",
    "usage_examples": "例句：",
    "form_and_sound": "形音辨誤：",
    "alike": "辨識同：",
    "different": "辨識異：",
    "discrimination_examples": "辨識例句：",
    "synonyms": "近義成語：",
    "antonyms": "反義成語：",
    "rank": "條目：",
}


class Line:
    """A line under construction: text with the spans of its fields."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.spans: list[Span] = []
        self.length = 0

    def add(self, text: str, field: str = "") -> None:
        """Append text, as a field when it has a name."""
        if field and text:
            self.spans.append(Span(field, self.length, self.length + len(text)))
        self.parts.append(text)
        self.length += len(text)

    def document(self, entry: Entry, *, view: str, links: tuple[str, ...]) -> Document:
        """The finished line as the entry's document."""
        return Document(
            text="".join(self.parts),
            headword=entry.headword,
            dictionary=entry.dictionary,
            entry_id=entry.entry_id,
            view=view,
            spans=tuple(self.spans),
            links=links,
        )


def render_document(entry: Entry) -> Document:
    """The entry as one line, every field of it included, with the fields' spans."""
    line = Line()
    line.add(entry.headword, "headword")
    if entry.radical:
        line.add(SEPARATOR)
        line.add(render_radical(entry), "radical")
    for index, reading in enumerate(entry.readings):
        if len(entry.readings) > 1:
            line.add(f"{SEPARATOR}({ordinal(index)})")
        add_reading(line, reading)
    for section in entry.sections:
        line.add(SEPARATOR + ENTRY_LABELS[section.field])
        line.add(section.text, section.field)
    return line.document(entry, view="plain", links=linked_headwords(entry))


def add_reading(line: Line, reading: Reading) -> None:
    """One pronunciation and all that belongs to it."""
    for text, field in ((reading.bopomofo, "bopomofo"), (reading.pinyin, "pinyin")):
        if text:
            line.add(SEPARATOR)
            line.add(text, field)
    part_of_speech = ""
    for sense in reading.senses:
        if sense.part_of_speech != part_of_speech:
            part_of_speech = sense.part_of_speech
            line.add(SEPARATOR + "[")
            line.add(part_of_speech, "part_of_speech")
            line.add("]")
        line.add(SEPARATOR + (f"{sense.number}." if sense.number else ""))
        if sense.number and sense.text[:1].isdecimal():
            line.add(" ")
        for passage in sense.passages:
            line.add(passage.text, passage.field)
    for section in reading.sections:
        line.add(SEPARATOR + READING_LABELS[section.field])
        line.add(section.text, section.field)


def render_radical(entry: Entry) -> str:
    """`水部11畫，共14畫`: the radical, the strokes besides it, the strokes in all."""
    text = f"{entry.radical}部{entry.residual_strokes}畫"
    return f"{text}，共{entry.strokes}畫" if entry.strokes else text


def ordinal(index: int) -> str:
    """0 → 一, 9 → 十, 10 → 十一: how dictionaries number readings."""
    tens, ones = divmod(index + 1, 10)
    lead = "" if tens == 0 else "十" if tens == 1 else ORDINALS[tens - 1] + "十"
    return lead + (ORDINALS[ones - 1] if ones else "")
