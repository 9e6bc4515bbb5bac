"""A line of text in, its `Document` out: the entry that it renders, or a line with its headword."""

import re
from dataclasses import replace

from hf_zh_dict.dictionaries.entry import Document, Span
from hf_zh_dict.dictionaries.normalize import clean_line
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.reader import Dropped
from hf_zh_dict.dictionaries.render import render_document

# A line's headword is the text before the first of these; brackets around it do not count.
HEADWORD_END = re.compile(r"[\s\u3000：:，,、。．；;！？!?（(〔\[「『《〈|｜=＝\t-]")
OPENING_BRACKETS = "【「『《〈[（(〔"
LONGEST_HEADWORD = 20


def make_document(line: str, dictionary: str, source: str, number: int) -> Document | Dropped:
    """A line of text as a document; a rendered entry keeps its fields' spans, and its links."""
    text = line.strip("\r\n\ufeff ")
    text = text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    if not text.strip("\u3000 "):
        return Dropped("empty line", source, number, "")
    try:
        rendered = render_document(parse_document(text))
    except NotAnEntry:
        rendered = None
    if rendered and rendered.text == text and any(s.field == "bopomofo" for s in rendered.spans):
        return replace(rendered, dictionary=dictionary, entry_id=str(number), view="line")
    headword = headword_of(text)
    if headword not in text:
        text = clean_line(text)
    start = text.index(headword)
    span = Span("headword", start, start + len(headword))
    return Document(text, headword, dictionary, str(number), "line", (span,))


def headword_of(text: str) -> str:
    """A line's headword: the text before the first blank, punctuation or bracket.

    Opening brackets at the start of the line are passed over; a text without any separator gives
    its first 20 characters, so that lines of one long beginning share a group.
    """
    start = len(text) - len(text.lstrip(OPENING_BRACKETS + " \u3000"))
    found = HEADWORD_END.search(text, start)
    close = re.search(r"[】」』》〉\]）)〕]", text[start:])
    end = min(
        found.start() if found else len(text),
        start + close.start() if close else len(text),
        start + LONGEST_HEADWORD,
    )
    return clean_line(text[start:end]) or text[:1]
