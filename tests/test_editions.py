"""The same rows give the same documents, whatever the form of the file and the edition's columns."""

import zipfile

import pytest
from test_reader import HEADERS, LINES, ROWS, word

from hf_zh_dict.corpus.sources import read_dictionary
from hf_zh_dict.dictionaries.entry import Document
from hf_zh_dict.dictionaries.reader import read_entries
from hf_zh_dict.messages import InputError

FORMS = (".csv", ".xlsx", ".xls", ".zip")
PARTS_OF_USE = ["用法-語意說明", "用法-使用類別", "用法-例句"]
RELATED = {"近義成語": "近義-同", "反義成語": "近義-反"}


def renamed(header, names):
    return [names.get(name, name) for name in header]


def old_idioms_header():
    """Before 2025: 書證 behind the usage, other names of the related idioms, no kinds of entries."""
    header = [name for name in HEADERS["idioms"] if name != "主條目/非主條目"]
    header.remove("書證")
    header.insert(header.index("用法-例句") + 1, "書證")
    return renamed(header, RELATED)


def old_revised_header():
    return [name for name in HEADERS["revised"] if name not in ("辭條別名", "字數", "異體字")]


@pytest.fixture
def documents(write_table):
    """Writes rows as a table and reads it; nothing may be dropped."""

    def documents(header, rows, name):
        found = list(read_dictionary(write_table(header, rows, name)))
        assert all(isinstance(document, Document) for document in found)
        return found

    return documents


# Forms of files


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dictionary", HEADERS)
def test_every_form_of_a_file_gives_the_same_document(documents, dictionary, form):
    (document,) = documents(HEADERS[dictionary], [ROWS[dictionary]], f"dict_{dictionary}{form}")
    assert document.text == LINES[dictionary]


@pytest.mark.parametrize("dictionary", HEADERS)
def test_every_form_of_a_file_gives_identical_entries(write_table, dictionary):
    headword = HEADERS[dictionary][1 if dictionary == "idioms" else 0]
    rows = [{**ROWS[dictionary], headword: character} for character in "甲乙丙乙"]
    found = [
        list(read_entries(write_table(HEADERS[dictionary], rows, f"dict_{dictionary}{form}")))
        for form in FORMS
    ]
    assert len(found[0]) >= 3
    # a dropped row names its file
    names = [[getattr(record, "headword", "dropped") for record in records] for records in found]
    entries = [[r for r in records if hasattr(r, "headword")] for records in found]
    assert names == [names[0]] * len(FORMS)
    assert entries == [entries[0]] * len(FORMS)


@pytest.mark.parametrize("form", [".xls", ".zip"])
def test_numbers_in_cells_are_read_without_their_decimals(write_table, form):
    row = {**ROWS["revised"], "總筆畫數": 17, "部首外筆畫數": 12.0, "字詞號": 900001}
    (entry,) = read_entries(write_table(HEADERS["revised"], [row], f"dict_revised{form}"))
    assert (entry.strokes, entry.residual_strokes, entry.entry_id) == (17, 12, "900001")


def test_an_xls_file_in_an_archive_is_read(write_table, tmp_path):
    table = write_table(HEADERS["mini"], [ROWS["mini"]], "mini.xls")
    with zipfile.ZipFile(tmp_path / "mini.ZIP", "w") as archive:
        archive.write(table, "old/小字典.xls")
        archive.writestr("使用說明.pdf", b"%PDF-")
    (document,) = read_dictionary(tmp_path / "mini.ZIP")
    assert document.text == LINES["mini"]


@pytest.mark.parametrize(
    ("inner", "reading"), [("dict_revised.xlsx", "revised"), ("dict_concised.xlsx", "concised")]
)
def test_the_name_inside_an_archive_tells_two_dictionaries_apart(
    write_table, tmp_path, inner, reading
):
    header = list(HEADERS["concised"])
    table = write_table(header, [word("鷗", "海鳥。")], inner)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.write(table, inner)
    (entry,) = read_entries(tmp_path / "archive.zip")
    assert entry.dictionary == reading


def test_a_strange_column_is_named_with_archive_and_file(write_table):
    path = write_table([*HEADERS["mini"], "備註"], [ROWS["mini"]], "mini.zip")
    with pytest.raises(InputError, match=r"^mini\.zip/mini\.xlsx: “備註” is no column of"):
        list(read_entries(path))


def test_a_broken_spreadsheet_in_an_archive_is_named(tmp_path):
    path = tmp_path / "mini.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.xlsx", "單字,部首")
    with pytest.raises(InputError) as caught:
        list(read_entries(path))
    assert f"{path / 'inner.xlsx'}: not a spreadsheet that can be read" in str(caught.value)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ((), "holds no spreadsheet (.xlsx or .xls)."),
        (("a.xlsx", "b.xlsx"), "given one by one."),
        (None, "is no zip archive, or a damaged one."),
    ],
)
def test_an_archive_that_cannot_be_used_is_one_sentence(tmp_path, members, reason):
    path = tmp_path / "mini.zip"
    if members is None:
        path.write_bytes(b"not a zip archive" * 9)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name in members:
                archive.writestr(name, b"table")
    with pytest.raises(InputError) as caught:
        list(read_entries(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(reason)


# Editions


@pytest.mark.parametrize("form", FORMS)
def test_both_orders_of_idiom_columns_give_the_same_document(documents, form):
    old = {RELATED.get(name, name): cell for name, cell in ROWS["idioms"].items()}
    (document,) = documents(old_idioms_header(), [old], f"dict_idioms_2020_20230629{form}")
    assert document.text == LINES["idioms"].replace("　條目：主條成語", "")


def test_the_oldest_names_of_idiom_columns_are_known(documents):
    """An edition that also lacked 參考成語(正文) and called 典源文獻出處 典源文獻名稱."""
    names = {**RELATED, "典源文獻出處": "典源文獻名稱"}
    header = [name for name in old_idioms_header() if name != "參考成語(正文)"]
    row = {names.get(name, name): cell for name, cell in ROWS["idioms"].items()}
    (document,) = documents(renamed(header, names), [row], "dict_idioms_2011_20190329.xls")
    assert document.text == LINES["idioms"].replace("　異體：對燭而語　條目：主條成語", "")


@pytest.mark.parametrize("name", ["總筆畫數", "單字筆畫"])
def test_both_names_of_the_strokes_of_a_character_are_known(documents, name):
    names = {"總筆畫數": name, "單字筆畫": name}
    row = {names.get(column, column): cell for column, cell in ROWS["mini"].items()}
    (document,) = documents(renamed(HEADERS["mini"], names), [row], "dict_mini.xlsx")
    assert document.text == LINES["mini"]


@pytest.mark.parametrize("form", FORMS)
def test_an_old_revised_edition_lacks_only_what_its_columns_lack(documents, form):
    name = f"dict_revised_2015_20160523{form}"
    (document,) = documents(old_revised_header(), [ROWS["revised"]], name)
    assert document.text == LINES["revised"].replace("　異體：矶石", "")
