"""A file as the Ministry publishes it in; its edition, and the spreadsheet in its archive, out."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path, PurePosixPath

from hf_zh_dict.messages import _

SPREADSHEET_ENDINGS = (".xlsx", ".xls")
FIELD_GUIDE = "說明"  # the revised dictionary's archive also holds a table of 欄位說明


class BadArchive(Exception):
    """An archive that cannot be used; the text says why, the archive being its subject."""


def edition_of(name: str) -> str:
    """The 版本編號 in a published file's name: `dict_mini_2019_20241223.zip` → `2019_20241223`.

    Empty when the name has none.
    """
    found = re.search(r"(?<!\d)\d{4}_\d{8}(?!\d)", name)
    return found.group() if found else ""


def read_archive(path: Path) -> tuple[str, bytes]:
    """The name and the bytes of the one spreadsheet in an archive.

    Raises:
        BadArchive: there is none, or more than one, or the archive cannot be read.
    """
    with open_archive(path) as archive:
        member = find_spreadsheet(archive)
        return member_name(member), archive.read(member)


def check_archive(path: Path) -> None:
    """Read the whole archive once and compare its checksums.

    Raises:
        BadArchive: it does not hold exactly one spreadsheet, or is damaged.
    """
    with open_archive(path) as archive:
        find_spreadsheet(archive)
        damaged = archive.testzip()
        if damaged:
            raise BadArchive(_("is damaged at {name}").format(name=damaged))


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open; whatever zipfile finds wrong with it is a `BadArchive`."""
    try:
        with zipfile.ZipFile(BytesIO(path.read_bytes())) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise BadArchive(_("is no zip archive, or a damaged one")) from error


def find_spreadsheet(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one spreadsheet, a field guide beside it not counted."""
    members = {member_name(member): member for member in archive.infolist()}
    if any(member.flag_bits & 1 for member in members.values()):
        raise BadArchive(_("is protected by a password"))
    for name in members:
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name:
            raise BadArchive(_("holds a file outside of its folder ({name})").format(name=name))
    found = [
        name
        for name in members
        if name.lower().endswith(SPREADSHEET_ENDINGS)
        and FIELD_GUIDE not in name
        and not PurePosixPath(name).name.startswith((".", "~"))  # what macOS and Excel leave
    ]
    if not found:
        raise BadArchive(_("holds no spreadsheet (.xlsx or .xls)"))
    if len(found) > 1:
        raise BadArchive(
            _("holds several spreadsheets ({names}), which must be unpacked and given one by one")
            .format(names=", ".join(found))
        )  # fmt: skip
    return members[found[0]]


def member_name(member: zipfile.ZipInfo) -> str:
    """A file's name in the archive; names without the UTF-8 mark are Big5, as Windows writes them."""
    name = member.filename
    if not member.flag_bits & 0x800:  # zipfile read the bytes as code page 437
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("cp950")
    return name.replace("\\", "/")
