"""A cell's text with the publisher's markup in, plain text out. Pure functions only.

The words are never rewritten: no NFKC (it would turn （１）：～ into ASCII), no conversion of
variants. What is removed or spelled out is markup, and docs/dictionaries.md lists all of it.
"""

import re
import unicodedata

from hf_zh_dict.dictionaries.entry import Passage

PLACEHOLDER = "〓"  # U+3013, the printer's sign for a character that the fount lacks

IMAGE = re.compile(r"&[0-9A-Za-z_]+\.(?:gif|jpg|png);", re.ASCII)
INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2028\u2029\u2060\x00-\x08\x0b-\x1f\x7f-\x9f]")
BLANKS = re.compile(r"[ \t\u3000\xa0]+")

# One syllable of ruby after its character; some are typed with the character 一 for ㄧ.
RUBY = re.compile(
    r"(?:&&)*[ \u3000]*([^\W\dㄅ-ㄩˊˇˋ˙]|〓)"
    r"(˙?(?:[ㄅ-ㄙ](?:[ㄧㄨㄩ]?[ㄚ-ㄦ]|[ㄧㄨㄩ]|一[ㄚ-ㄦ]|一(?=[ˊˇˋ&]))?"
    r"|[ㄧㄨㄩ]?[ㄚ-ㄦ]|[ㄧㄨㄩ]|一[ㄚ-ㄦ]|一(?=[ˊˇˋ]))[ˊˇˋ]?)"
)
CHANGED_READING = re.compile(r"(?<=\S)\([ㄅ-ㄩ一ˊˇˋ˙]+(?:[;；][ㄅ-ㄩ一ˊˇˋ˙]+)+\)")
ANCHOR = re.compile(r"\n?\*\d+\*([^\n*]*)\n?")
LOAN_SOURCE = re.compile(r"§([^\[。△◎→\n]+)")


def clean_line(text: str) -> str:
    """Images to the placeholder, invisible characters away, every run of blanks to one space."""
    text = INVISIBLE.sub("", IMAGE.sub(PLACEHOLDER, text))
    return BLANKS.sub(" ", text).strip()


def clean_lines(text: str) -> list[str]:
    """The cell's lines, each clean; empty ones left out."""
    lines = (clean_line(line) for line in re.split(r"\r\n|\r|\n", text))
    return [line for line in lines if line]


def clean_text(text: str) -> str:
    """The cell's lines as one line, divided by spaces."""
    return " ".join(clean_lines(text))


def strip_ruby(text: str) -> str:
    """國語小字典 writes a reading behind every character (`&&浮ㄈㄨˊ`): only the text stays.

    A reading that the text itself mentions (`音讀為&&ㄋㄚˊㄇㄛˊ`) stays too.
    """
    text = CHANGED_READING.sub("", IMAGE.sub(PLACEHOLDER, text))
    return RUBY.sub(r"\1", text).replace("&", "")


def strip_anchors(text: str) -> str:
    """成語典 marks annotated words (`\\n*1*楊子\\n取`) and context lines (`#…`): the text stays."""
    text = ANCHOR.sub(r"\1", text.replace("\r\n", "\n"))
    return re.sub(r"(?m)^#", "", text)


def unfold_table(text: str) -> list[str]:
    """形音辨誤's little table (tabs, ○ fits, ㄨ does not): one readable line for each sentence.

    `甲\\t乙` then `○\\tㄨ\\t句子` → `甲○乙ㄨ：句子`. Text without tabs comes back as its lines.
    """
    words: list[str] = []
    lines = []
    for row in text.replace("\r\n", "\n").split("\n"):
        cells = [clean_line(cell) for cell in row.split("\t")]
        if len(cells) >= 3 and set("".join(cells[:-1])) <= set("○ㄨ×"):
            lines.append(
                "".join(w + m for w, m in zip(words, cells, strict=False)) + "：" + cells[-1]
            )
        elif len(cells) >= 2:
            words = [cell for cell in cells if cell]
        else:
            lines.extend(cells)
    return [line for line in lines if line]


def expand_signs(text: str) -> str:
    """國語辭典簡編本's signs in words: [例] 例如：, §英bus （英bus）, △ 也稱, → 參見; ◎ is dropped."""
    text = LOAN_SOURCE.sub(lambda found: f"（{found.group(1).strip()}）", text)
    text = re.sub(r"[ \u3000]*\[例\]", "例如：", text)
    text = re.sub(r"[ \u3000]*◎", "", text)
    text = re.sub(r"[ \u3000]*△[ \u3000]*", "也稱：", text)
    return re.sub(r"→", "參見：", text)


def normalize_headword(headword: str) -> str:
    """The key under which equal headwords meet: NFKC, no blanks, no punctuation.

    A headword of punctuation alone is its own key.
    """
    text = unicodedata.normalize("NFKC", headword)
    key = "".join(c for c in text if unicodedata.category(c)[0] in "LNMCS" and not c.isspace())
    return key or headword


# Where a sentence can end: behind 。！？ or a closing quotation mark, outside all brackets.
OPENING, CLOSING = "「『《〈（(〔【", "」』》〉）)〕】"
SENTENCE_END = "。！？"

EXAMPLE = re.compile(r"(?:例|譬|比)?如：「|例如：")
QUOTATION = re.compile(
    r"[^「」。]*(?:《[^》]+》|〈[^〉]+〉|．(?:注|疏|箋|正義|索隱|集解))[^「」。]*：「"
)
RELATED = re.compile(
    r"(?:也|亦|又|或|今|通|同|俗|簡|舊|古|統|合)?(?:作|稱為|稱作|稱|叫做|叫|寫作|通)「[^」]+」"
    r"|(?:參見|見|通|同|反|相對於|為)：?「[^」]+」"
    r"|也稱：|參見：|「[^」]{1,4}」的(?:異體字|本字|古字|俗字|簡體字|簡化字)"
)


def split_sentences(text: str) -> list[str]:
    """Cut behind sentences at bracket depth 0; the pieces, joined, are the text."""
    pieces, start, depth = [], 0, 0
    for i, character in enumerate(text):
        if character in OPENING:
            depth += 1
        elif character in CLOSING:
            depth = max(0, depth - 1)
            inner_end = character in "」』" and text[:i].rstrip("」』")[-1:] in tuple(SENTENCE_END)
            if depth == 0 and inner_end and text[i + 1 : i + 2] not in tuple("、，。；：的等之一"):
                pieces.append(text[start : i + 1])
                start = i + 1
        elif depth == 0 and character in SENTENCE_END:
            pieces.append(text[start : i + 1])
            start = i + 1
        if depth == 0 and start <= i and text.startswith(("例如：", "也稱：", "參見："), i + 1):
            pieces.append(text[start : i + 1])
            start = i + 1
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def split_passages(text: str) -> tuple[Passage, ...]:
    """A sense's text as definition, example, quotation and related-word passages, in order.

    Joined, the passages are the text. `例如：` (the concise dictionary's [例]) holds until a
    related-word passage; every other lead holds for its sentence.
    """
    passages: list[Passage] = []
    listing = False
    for piece in split_sentences(text):
        if RELATED.match(piece):
            name, listing = "related", False
        elif EXAMPLE.match(piece):
            name, listing = (
                "example",
                piece.startswith("例如：") and not piece.startswith("例如：「"),
            )
        elif QUOTATION.match(piece):
            name, listing = "quotation", False
        else:
            name = "example" if listing else "definition"
        if passages and passages[-1].field == name:
            passages[-1] = Passage(name, passages[-1].text + piece)
        else:
            passages.append(Passage(name, piece))
    return tuple(passages)
