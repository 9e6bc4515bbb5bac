"""The package's `_("…")` and `N_("…")` in, an up-to-date `hf_zh_dict.po` and its `.mo` out.

`python -m hf_zh_dict.locale.update` keeps the translations of the messages that the code has, drops
and shows the others, lists what is not translated, and then exits with 1. It needs Babel.
"""

import ast
import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from hf_zh_dict.messages import DOMAIN, LOCALE_FOLDER

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

PO_FILE = LOCALE_FOLDER / "zh_TW" / "LC_MESSAGES" / f"{DOMAIN}.po"
HEADER = {  # no dates and no versions: the files change when a message does
    "Project-Id-Version": DOMAIN, "Language": "zh_TW", "Plural-Forms": "nplurals=1; plural=0;",
    "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit\n",
}  # fmt: skip


def extract_messages(source: bytes) -> set[str]:
    """A module's messages (from Python 3.12 on, Babel takes the “help” of `_(x["help"])` for one)."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name("_" | "N_"), [ast.Constant(str(text))]):
                found.add(text)
    return found


def update_catalog(old: "Catalog", messages: Iterable[str]) -> "Catalog":
    """A catalogue of exactly these messages, with the old one's translations."""
    from babel.messages.catalog import Catalog

    class PlainCatalog(Catalog):
        mime_headers = property(lambda _self: list(HEADER.items()))

    new = PlainCatalog(header_comment=f"# {DOMAIN}: {HEADER['Language']}", fuzzy=False)
    for text in sorted(messages):
        known = old.get(text)
        new.add(text, known.string if known else None, flags=known.flags if known else ())
    return new


def main(po_file: Path = PO_FILE) -> int:
    """Write both files; the exit code is 1 when something is not translated."""
    from babel.messages import mofile, pofile

    old = pofile.read_po(BytesIO(po_file.read_bytes()))
    modules = LOCALE_FOLDER.parent.rglob("*.py")
    new = update_catalog(old, set().union(*(extract_messages(m.read_bytes()) for m in modules)))
    dropped = [message for message in old if message.id and message.id not in new]
    missing = [message for message in new if message.fuzzy or not message.string]
    with po_file.open("wb") as po, po_file.with_suffix(".mo").open("wb") as mo:
        pofile.write_po(po, new, width=0)
        mofile.write_mo(mo, new)
    sys.stderr.writelines(f"dropped: {m.id}\n      was: {m.string}\n" for m in dropped)
    sys.stderr.writelines(f"not translated: {m.id}\n" for m in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
