"""A published file's name gives its edition, and its archive one spreadsheet or one sentence."""

import io
import random
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.dictionaries.published import BadArchive, check_archive, edition_of, read_archive


@pytest.fixture
def write_archive(tmp_path):
    """Writes files (name → bytes) as an archive; gives its path."""

    def write(members):
        path = tmp_path / "dict_mini_2019_20260929.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("dict_revised_2015_20250627.zip", "2015_20250627"),
        ("dict_mini_2019_20241223.xlsx", "2019_20241223"),
        ("dict_idioms_2020_20250324.xls", "2020_20250324"),
        ("dict_concised_2014_20260626 (1).zip", "2014_20260626"),
        ("dict_revised_2015_20260625_欄位說明.xlsx", "2015_20260625"),
        ("dict_revised.xlsx", ""),
        ("dict_revised_2015.zip", ""),
        ("dict_revised_12015_20250627.zip", ""),
        ("dict_revised_2015_202506271.zip", ""),
        ("reviseddict_10312.pdf", ""),
        ("", ""),
    ],
)
def test_an_edition_is_read_from_the_name(name, edition):
    assert edition_of(name) == edition


@given(st.text(max_size=40))
def test_any_name_has_an_edition_or_none(name):
    edition = edition_of(name)
    assert edition in name
    assert len(edition) in (0, 13)


@pytest.mark.parametrize(
    "others",
    [
        (),
        ("使用說明.pdf", "readme.txt"),
        ("dict_mini_2019_20260929_欄位說明.xlsx",),
        ("__MACOSX/._dict.xlsx", ".DS_Store", "~$dict.xlsx"),
        ("folder/", "b.csv"),
    ],
)
@pytest.mark.parametrize("name", ["dict.xlsx", "dict.XLS", "folder/小字典.xlsx"])
def test_the_spreadsheet_is_found_beside_what_does_not_count(write_archive, name, others):
    path = write_archive({**dict.fromkeys(others, b"other"), name: b"table"})
    assert read_archive(path) == (name, b"table")
    check_archive(path)


def test_names_in_big5_are_read(write_archive):
    """As Windows packs them: bytes of Big5, no mark of UTF-8."""
    names = {"甲乙欄位說明.xlsx": "Xxxxxxxxxxxx.xlsx", "小字典許.xlsx": "Yyyyyyyy.xlsx"}
    path = write_archive(dict.fromkeys(names.values(), b"table"))
    data = path.read_bytes()
    for name, placeholder in names.items():
        data = data.replace(placeholder.encode(), name.encode("cp950"))
    path.write_bytes(data)
    assert read_archive(path) == ("小字典許.xlsx", b"table")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "holds no spreadsheet (.xlsx or .xls)"),
        (("dict.csv", "欄位說明.xlsx"), "holds no spreadsheet (.xlsx or .xls)"),
        (("b.xlsx", "a.xls"), "holds several spreadsheets (b.xlsx, a.xls), which must be unpacked"),
        (("/etc/a.xlsx",), "holds a file outside of its folder (/etc/a.xlsx)"),
        (("a.xlsx", "b/../../c"), "holds a file outside of its folder (b/../../c)"),
        (("..\\a.xlsx",), "holds a file outside of its folder (../a.xlsx)"),
        (("C:\\a.xlsx",), "holds a file outside of its folder (C:/a.xlsx)"),
    ],
)
@pytest.mark.parametrize("use", [read_archive, check_archive])
def test_an_archive_of_something_else_is_refused(write_archive, names, reason, use):
    path = write_archive(dict.fromkeys(names, b"content"))
    with pytest.raises(BadArchive) as caught:
        use(path)
    assert str(caught.value).startswith(reason)


def test_a_password_is_told(write_archive):
    """A central directory that marks its file as encrypted."""
    path = write_archive({"a.xlsx": b"table"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="is protected by a password"):
        read_archive(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"<!DOCTYPE html><p>sorry</p>" * 99])
def test_what_is_no_archive_is_refused(tmp_path, data):
    path = tmp_path / "table.zip"
    path.write_bytes(data)
    with pytest.raises(BadArchive, match="is no zip archive, or a damaged one"):
        check_archive(path)


def test_a_damaged_archive_gives_its_spreadsheet_or_a_reason(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xlsx", b"rows and columns " * 300)
        archive.writestr("說明.txt", "說明" * 100)
    good, path = content.getvalue(), tmp_path / "damaged.zip"
    dice = random.Random(1)
    refused = 0
    for _case in range(1500):
        data = bytearray(good)
        for _byte in range(3):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data if dice.random() < 0.7 else data[: dice.randrange(len(data))])
        try:
            assert b"columns" in read_archive(path)[1]
            check_archive(path)
        except BadArchive as error:
            refused += bool(str(error))
    assert 1000 < refused < 1500
