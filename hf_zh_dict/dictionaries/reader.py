"""A table of one of the four dictionaries in (.xlsx, .xls, .zip, .csv), `Entry` records out.

Rows of one headword are its readings: they become one entry. A row that gives none is yielded
as `Dropped`, with the reason.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.layouts import Layout, recognise_layout
from hf_zh_dict.dictionaries.normalize import (
    clean_lines,
    clean_text,
    expand_signs,
    split_passages,
    strip_anchors,
    strip_ruby,
    unfold_table,
)
from hf_zh_dict.dictionaries.published import BadArchive, read_archive
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.progress import track

Row = dict[str, str]  # our column name → cell text, as published

PART_OF_SPEECH = re.compile(
    r"\[([名動形副助代連介歎嘆擬量綴數]|[名動形副助代連介歎嘆擬量綴]、.)\] ?"
)
SENSE_NUMBER = re.compile(r"(?:(\d{1,2})\.(?!\d)|\((\d{1,2})\)|(?<!\d)(\d{1,2})\)) ?")
OTHER_READING = re.compile(r" ?（(變|又音|語音|讀音)） ?")
VARIANT_KINDS = {"1": "變", "2": "又音", "3": "語音", "4": "讀音"}

# Sections of an idiom, in the order in which they are read.
IDIOM_SECTIONS = (
    "source", "source_text", "source_notes", "source_references", "story", "quotations",
    "usage_meaning", "usage_category", "usage_examples", "form_and_sound", "alike", "different",
    "discrimination_examples", "synonyms", "antonyms", "variants", "rank",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dropped:
    """What did not become a document, where it stood, and why."""

    reason: str
    source: str
    row: int
    text: str


def read_entries(path: Path) -> Iterator[Entry | Dropped]:
    """All entries of one table, each when the last row of its headword has been read.

    The table is read twice, first for its headwords alone: only headwords with several rows then
    wait in memory, and the time left is known.

    Raises:
        InputError: the file is missing, unreadable, or not one of the four dictionaries.
    """
    layout, rows = read_rows(path)
    waiting: Counter[str] = Counter()
    shifted = False
    for row in rows:
        waiting[clean_text(row["headword"])] += 1
        shifted = shifted or (layout.dictionary == "idioms" and "\t" in row["form_and_sound"])
    held: dict[str, list[Row]] = {}
    layout, rows = read_rows(path)
    for number, row in enumerate(track(rows, path.name, total=waiting.total()), start=2):
        headword = clean_text(row["headword"])
        waiting[headword] -= 1
        if not headword or not row["definition"].strip():
            if any(cell.strip() for cell in row.values()):
                reason = "no definition" if headword else "no headword"
                yield Dropped(reason, path.name, number, " ".join(row.values()).strip()[:200])
        else:
            row["row"] = str(number)
            held.setdefault(headword, []).append(mend_shifted_columns(row) if shifted else row)
        if not waiting[headword] and headword in held:
            yield from join_rows(layout, headword, held.pop(headword), path.name)


def join_rows(
    layout: Layout, headword: str, rows: list[Row], source: str
) -> Iterator[Entry | Dropped]:
    """The rows of one headword as one entry with a reading for each."""
    rows.sort(key=lambda row: as_number(row.get("order", "")))
    readings: list[Reading] = []
    kept: list[Row] = []
    for row in rows:
        reading = read_reading(layout, row)
        if not reading.senses:
            yield Dropped("no definition", source, int(row["row"]), headword)
        elif reading in readings:
            text = " ".join((headword, reading.bopomofo))
            yield Dropped("reading repeated", source, int(row["row"]), text)
        else:
            readings.append(reading)
            kept.append(row)
    if readings:
        yield make_entry(layout, headword, kept, tuple(readings))


def read_rows(path: Path) -> tuple[Layout, Iterator[Row]]:
    """The table's layout and its rows, each cell as text."""
    if not path.is_file():
        raise InputError(_("{path}: there is no such file.").format(path=path))
    if path.suffix.lower() == ".csv":
        source, sheet, table = path.name, path.stem, read_csv(path)
    else:
        source, sheet, table = read_spreadsheet(path)
    header = next(table, [])
    first = list(itertools.islice(table, 50))
    sample = "\n".join(str(cell) for row in first for cell in row)
    layout, places = recognise_layout(header, source=source, sheet=sheet, sample=sample)

    def rows() -> Iterator[Row]:
        for cells in itertools.chain(first, table):
            yield {
                name: cell_text(cells[place]) if place < len(cells) else ""
                for name, place in places.items()
            }

    return layout, rows()


def mend_shifted_columns(row: Row) -> Row:
    """Put four columns of 成語典's 2025 edition back under their names.

    That edition has each of 形音辨誤, 辨識-同, 辨識-異, 辨識-例句 under the name of the one before, the
    first under the last; the little table of examples (tabs), found under 形音辨誤, gives it away.
    """
    names = ("form_and_sound", "alike", "different", "discrimination_examples")
    found = ("alike", "different", "discrimination_examples", "form_and_sound")
    return {**row, **{name: row[place] for name, place in zip(names, found, strict=True)}}


def read_csv(path: Path) -> Iterator[list[object]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file, strict=True):
                yield list(row)
    except UnicodeDecodeError as error:
        lines = enumerate(path.read_bytes().split(b"\n"), start=1)
        number = next(number for number, line in lines if not is_utf8(line))
        raise not_utf8(path, number) from error
    except csv.Error as error:
        raise InputError(
            _("{path}: not a CSV table: {error}").format(path=path, error=error)
        ) from error


def not_utf8(path: Path, number: int) -> InputError:
    """The error that names a line of a file that is not UTF-8."""
    return InputError(
        _("{path}: line {line} is not UTF-8; save the file as UTF-8.").format(
            path=path, line=number
        )
    )


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_spreadsheet(path: Path) -> tuple[str, str, Iterator[list[object]]]:
    """A file's name, its first sheet's name and rows; a .zip is read as the spreadsheet in it."""
    from python_calamine import CalamineError, CalamineWorkbook

    place = path
    file: str | BytesIO = str(path)
    try:
        if path.suffix.lower() == ".zip":
            member, content = read_archive(path)
            place, file = path / member, BytesIO(content)
        workbook = CalamineWorkbook.from_object(file)
        name = workbook.sheet_names[0]
        sheet = workbook.get_sheet_by_name(name)
    except BadArchive as error:
        raise InputError(_("{path}: {reason}.").format(path=path, reason=error)) from error
    except (CalamineError, IndexError, ValueError) as error:
        raise InputError(
            _(
                "{path}: not a spreadsheet that can be read (.xlsx, .xls, .zip or .csv): {error}"
            ).format(path=place, error=error)
        ) from error
    source = place.relative_to(path.parent).as_posix()
    return source, name, (list(row) for row in sheet.iter_rows())


def cell_text(cell: object) -> str:
    """A cell as text; a whole number without its `.0`."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def as_number(text: str) -> int:
    """The number in a cell such as `07` or `1 `; 0 when there is none."""
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0


def clean_reading(text: str) -> str:
    """Syllables divided by one space, commas as published."""
    return (
        clean_text(text)
        .replace(" ，", "，")
        .replace("， ", "，")
        .replace(" ；", "；")
        .replace("； ", "；")
    )


def read_reading(layout: Layout, row: Row) -> Reading:
    """One row's pronunciation with the senses and sections that belong to it."""
    bopomofo, pinyin = clean_reading(row["bopomofo"]), clean_text(row.get("pinyin", ""))
    sections: list[Passage] = []
    # other pronunciations may stand in the same cell: 注音（變）注音
    bopomofo, *others = OTHER_READING.split(bopomofo)
    pinyin, *other_pinyin = OTHER_READING.split(pinyin)
    if not bopomofo and others:  # the cell begins with its kind
        bopomofo, pinyin = others[1], (other_pinyin or ["", pinyin])[1]
        others, other_pinyin = others[2:], other_pinyin[2:]
    spelled = itertools.chain(other_pinyin[1::2], itertools.repeat(""))
    for kind, other, spelling in zip(others[::2], others[1::2], spelled, strict=False):
        sections.append(Passage("variant_reading", f"{kind} {other} {spelling}".strip()))
    if row.get("variant_bopomofo", "").strip():
        kind = clean_text(row.get("variant_kind", ""))
        parts = (
            VARIANT_KINDS.get(kind, kind),
            clean_reading(row["variant_bopomofo"]),
            clean_text(row.get("variant_pinyin", "")),
        )
        sections.append(Passage("variant_reading", " ".join(part for part in parts if part)))
    if layout.dictionary in ("revised", "concised"):
        for name in ("synonyms", "antonyms"):
            text = re.sub(r"\[[似反]\] ?", "", clean_text(row.get(name, "")))
            if text:
                sections.append(Passage(name, text))
    return Reading(bopomofo, pinyin, read_senses(layout, row["definition"]), tuple(sections))


def read_senses(layout: Layout, definition: str) -> tuple[Sense, ...]:
    """A definition cell's lines as senses: `[名]` holds for the senses behind it, `1.` numbers."""
    if layout.dictionary == "mini":
        definition = re.sub(r"([A-Z])>", r"\1.", strip_ruby(definition))
    elif layout.dictionary == "concised":
        definition = expand_signs(definition)
    elif layout.dictionary == "idioms":
        definition = re.sub(r"[ \u3000]*△", "參見：", strip_anchors(definition)).replace("＃", "")
    elif layout.dictionary == "revised":
        definition = re.sub(r"(?m)^(\d*\.?)→", r"\1參見：", definition)
    senses: list[Sense] = []
    part_of_speech = ""
    for line in clean_lines(definition):
        marked = PART_OF_SPEECH.match(line)
        if marked:
            part_of_speech = marked.group(1)
            line = line[marked.end() :]
        number = 0
        numbered = SENSE_NUMBER.match(line)
        if numbered and layout.dictionary != "idioms":
            number = int(next(group for group in numbered.groups() if group))
            line = line[numbered.end() :]
            marked = PART_OF_SPEECH.match(line)
            if marked:
                part_of_speech = marked.group(1)
                line = line[marked.end() :]
        if line:
            senses.append(Sense(split_passages(line), number, part_of_speech))
    return tuple(senses)


def make_entry(
    layout: Layout, headword: str, rows: list[Row], readings: tuple[Reading, ...]
) -> Entry:
    """What the rows of one headword share, and their readings, as one entry."""
    first = rows[0]
    names = IDIOM_SECTIONS if layout.dictionary == "idioms" else ("alias", "variants")
    sections: dict[Passage, None] = {}  # a set that keeps the order
    for name in names:
        for row in rows:
            text = read_section(name, row.get(name, ""))
            if text:
                sections[Passage(name, text)] = None
    return Entry(
        headword=headword,
        readings=readings,
        radical=clean_text(first.get("radical", "")),
        residual_strokes=as_number(first.get("residual_strokes", "")),
        strokes=as_number(first.get("strokes", "")),
        sections=tuple(sections),
        dictionary=layout.dictionary,
        entry_id=clean_text(first.get("entry_id", "")) or first["row"],
    )


def read_section(name: str, cell: str) -> str:
    """A column that is a section of its own (most are 成語典's) as one line of plain text."""
    if name == "source_text":
        return clean_text(strip_anchors(cell))
    if name == "source":
        return clean_text(re.sub(r"\*\d+\*|^＃", "", cell))
    if "\t" in cell:
        return clean_text("\n".join(unfold_table(cell)))
    return clean_text(cell)
