"""The Ministry's own files are read whole, leave no markup behind, and share no text with ours.

They are not part of the project: HF_ZH_DICT_DATA names the folder that holds them as .xlsx, and
`pytest -m real_data -s` prints what was counted.
"""

import dataclasses
import re
from collections import Counter

import pytest

from hf_zh_dict.corpus.catalogue import PRIVATE_USE
from hf_zh_dict.corpus.sources import EMBEDDED_FOLDER
from hf_zh_dict.dictionaries.normalize import IMAGE, PLACEHOLDER, clean_text, strip_ruby
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.reader import Dropped, read_rows
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.dictionaries.syllables import spell_syllable

pytestmark = pytest.mark.real_data

# What no document may hold, and what none of one dictionary may, where others use it as a word.
REMNANTS = {
    "ruby mark": r"&&",
    "end of an image": r"\.(?:gif|jpg|png);",
    "image": r"&\w+\.",
    "example mark": r"\[例\]",
    "synonym or antonym mark": r"\[[似反]\]",
    "note anchor": r"\*\d+\*",
    "literal \\n": r"\\n",
    "tab": r"\t",
    "line break": "[\n\r\x0b\x0c\x85\u2028\u2029]",
    "control character": r"[\x00-\x1f\x7f-\x9f]",
    "invisible character": "[\ufeff\u200b-\u200f\u2060]",
    "no-break space": "\xa0",
    "doubled blank": r"  |\u3000\u3000",
    "blank beside a separator": r" \u3000|\u3000 |^\s|\s$",
    "part of speech inside a sense": r"\u3000\[[名動形副助代連介歎嘆擬量綴]\](?!\u3000)",
    "number in brackets": r"\u3000\(\d+\)",
}
REMNANTS_OF_ONE = {
    ("concised", "loan source"): "§",
    ("concised", "editorial mark"): "◎",
    ("concised", "also-called mark"): "△",
    ("concised", "see-also mark"): "→",
    ("revised", "see-also mark"): r"\d\.→",
    ("idioms", "related mark"): "△",
    ("idioms", "source remark"): "＃",
    ("idioms", "context mark"): "#",
    ("idioms", "changed reading"): "（變）",
    ("mini", "letter of a part"): r"[A-Z]>",
    ("mini", "changed reading"): r"\([˙ㄅ-ㄩ一ˊˇˋ]+[;；]",
}
RUBY_BEHIND_A_CHARACTER = re.compile(r"(?<!讀為)(?<!注音)(?<=[\u3400-\u9fff〓])[˙ㄅ-ㄩ]")
HAN = re.compile("[〇\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
RUBY_CHARACTERS = re.compile("[&ㄅ-ㄩˊˇˋ˙]+")
NOT_HAN = re.compile(r"[^\u3400-\u9fff\U00020000-\U0003ffff]")
READINGS = {
    *("bopomofo", "pinyin", "variant_bopomofo", "variant_pinyin", "variant_kind", "other_readings"),
}
LENGTH = 12  # characters in a row that no two texts have by chance


@pytest.fixture(scope="module")
def entries(real_records):
    return [r for found in real_records.values() for r in found if not isinstance(r, Dropped)]


@pytest.fixture(scope="module")
def rows(real_files, real_records):
    """(dictionary, row as published, its entry's line) of every row that has an entry."""
    found = []
    for path in real_files:
        layout, table = read_rows(path)
        entries = (r for r in real_records[path.name] if not isinstance(r, Dropped))
        lines = {entry.headword: render_document(entry).text for entry in entries}
        found += [(layout.dictionary, row, lines[clean_text(row["headword"])]) for row in table]
    return found


def test_every_file_is_recognised_and_read(real_files, real_records, rows):
    for name, found in real_records.items():
        dictionaries = Counter(r.dictionary for r in found if not isinstance(r, Dropped))
        dropped = Counter(r.reason for r in found if isinstance(r, Dropped))
        print(f"\n{name}: {dict(dictionaries)}, dropped {dict(dropped)}", end="")
        assert set(dictionaries) == {name.split("_")[1].removesuffix(".xlsx")}
        assert sum(dropped.values()) <= 0.001 * len(found)
    print(f"\n{len(rows)} rows of {len(real_files)} files")


def account_for(dictionary, column, run, line):
    """Why a run of Han characters is not in its entry's line; empty when nothing excuses it."""
    if column == "other_readings":
        return "place of another reading, which stands in the same entry"
    if dictionary == "mini" and run.replace("一", "") in line.replace("一", ""):
        return "ㄧ of a reading, typed as 一"
    return ""


def test_every_run_of_han_characters_reaches_its_entry_or_is_accounted_for(rows):
    runs, missing = Counter(), Counter()
    lost = []
    for dictionary, row, line in rows:
        for column, cell in row.items():
            if (dictionary, column) == ("mini", "definition"):
                cell = RUBY_CHARACTERS.sub("", cell)
            for run in HAN.findall(cell):
                runs[dictionary, column] += 1
                if run not in line:
                    reason = account_for(dictionary, column, run, line)
                    missing[dictionary, column, reason] += 1
                    if not reason:
                        lost.append((row["headword"], column, run))
    print()
    for (dictionary, column), count in runs.items():
        print(f"{count:9,} runs of {dictionary} {column}")
    for (dictionary, column, reason), count in missing.items():
        print(f"{count:9,} left out of {dictionary} {column}: {reason}")
    print(f"{runs.total():9,} in all, {len(lost)} lost", *lost[:9], sep="\n  ")
    assert not lost
    assert missing.total() < 0.0001 * runs.total()


def test_characters_without_a_code_are_kept_or_marked(rows):
    private, images, marks, wanting = 0, 0, 0, []
    for _dictionary, row, line in rows:
        for cell in row.values():
            letters = PRIVATE_USE.findall(cell)
            private += len(letters)
            wanting += [(row["headword"], letter) for letter in letters if letter not in line]
            found = IMAGE.findall(cell)
            images += len(found)
            marks += len(found) if PLACEHOLDER in line else 0
    print(
        f"\n{private} private-use characters, {len(wanting)} lost; {images} images, {marks} marked"
    )
    assert not wanting
    assert marks == images


def test_documents_read_back_as_their_entries(entries, real_documents):
    refused, other = [], []
    for entry, document in zip(entries, real_documents, strict=True):
        try:
            parsed = parse_document(document.text)
        except NotAnEntry:
            refused.append(entry.headword)
            continue
        if parsed != dataclasses.replace(entry, dictionary="", entry_id=""):
            other.append(entry.headword)
    same = len(entries) - len(refused) - len(other)
    print(f"\n{len(entries)} documents: {same} read back, {len(refused)} refused {refused[:9]},")
    print(f"{len(other)} read as another entry {other[:9]}")
    assert same >= 0.995 * len(entries)


def test_no_markup_is_left_in_any_document(real_documents):
    counts = {}
    for name, pattern in REMNANTS.items():
        search = re.compile(pattern).search
        counts[name] = [d.headword for d in real_documents if search(d.text)]
    for (dictionary, name), pattern in REMNANTS_OF_ONE.items():
        search = re.compile(pattern).search
        chosen = [d for d in real_documents if d.dictionary == dictionary]
        counts[f"{name} ({dictionary})"] = [d.headword for d in chosen if search(d.text)]
    print()
    for name, found in counts.items():
        print(f"{len(found):6} {name} {' '.join(found[:5])}")
    assert not [name for name, found in counts.items() if found]


def test_no_ruby_is_left_but_the_readings_that_a_text_mentions(entries):
    senses = [
        sense.text
        for entry in entries
        if entry.dictionary == "mini"
        for reading in entry.readings
        for sense in reading.senses
    ]
    mentioning = [text for text in senses if re.search("[ㄅ-ㄩ]", text)]
    left = [text for text in senses if RUBY_BEHIND_A_CHARACTER.search(text)]
    print(
        f"\n{len(senses)} senses: {len(left)} with ruby, {len(mentioning)} that mention a reading"
    )
    assert not left
    assert len(mentioning) < 0.005 * len(senses)


def test_the_spelling_table_agrees_with_the_pinyin_of_the_revised_dictionary(entries):
    compared, other = 0, []
    for entry in entries:
        if entry.dictionary == "revised":
            for reading in entry.readings:
                syllables = re.split("[ ，；]+", reading.bopomofo.strip(" ，；"))
                spelled = [spell_syllable(syllable) for syllable in syllables]
                if reading.bopomofo:
                    compared += 1
                    if spelled != re.split("[ ，；,]+", reading.pinyin.strip(" ，；,")):
                        other.append(f"{entry.headword} {reading.bopomofo} {reading.pinyin}")
    print(f"\n{compared} readings, {len(other)} spelled otherwise:", *other, sep="\n  ")
    assert len(other) <= 0.0001 * compared


def cells(path):
    """Every text cell of a table but its readings, without white space; ruby stripped."""
    layout, rows = read_rows(path)
    for row in rows:
        for name, cell in row.items():
            if name not in READINGS and len(cell) >= LENGTH:
                text = strip_ruby(cell) if layout.dictionary == "mini" else cell
                yield re.sub(r"\s+", "", text)


def stretches(text):
    """Every stretch of LENGTH characters of the text, and of its Han characters alone."""
    for each in (text, NOT_HAN.sub("", text)):
        for start in range(len(each) - LENGTH + 1):
            yield each[start : start + LENGTH]


def test_the_embedded_tables_share_no_text_with_the_ministrys(real_files):
    ours = {s for path in EMBEDDED_FOLDER.glob("*.csv") for c in cells(path) for s in stretches(c)}
    compared, shared = 0, set()
    for path in real_files:
        for cell in cells(path):
            compared += len(cell)
            shared.update(ours.intersection(stretches(cell)))
    print(f"\n{len(ours)} stretches against {compared} characters: {len(shared)} shared")
    assert not shared
