"""A message in English in, the same message in the reader's language out.

Everything a user meets goes through `_` (translated where it is shown) or `N_` (marked here,
translated where it is shown later). The language is `HF_ZH_DICT_LANG`, else the locale.
The catalogue is `locale/zh_TW/LC_MESSAGES/hf_zh_dict.po`; CONTRIBUTING.md says how to compile it.
"""

import gettext
import locale
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "hf_zh_dict"

CHINESE = ("zh_hant", "chinese (traditional)")  # the second is Windows' own name

Say = Callable[[str], None]  # shows a line to the user


class InputError(ValueError):
    """What the user gave cannot be used; the text is one sentence that says what to do."""


def preferred_language() -> str:
    """The catalogue's language code: `HF_ZH_DICT_LANG` first, then the locale's variables, then the locale."""
    variables = ("HF_ZH_DICT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    told = next((os.environ[name] for name in variables if os.environ.get(name)), "")
    if not told:  # Windows sets none of them
        with suppress(ValueError):
            told = locale.getlocale()[0] or ""
    name = told.split(".")[0].replace("-", "_").lower()
    chinese = ("zh", "zh_tw", "zh_hk", "zh_mo")
    return "zh_TW" if name in chinese or name.startswith(CHINESE) else "en"


LANGUAGE = preferred_language()
_translations = gettext.translation(DOMAIN, LOCALE_FOLDER, languages=[LANGUAGE], fallback=True)


def _(message: str) -> str:
    """The message in the reader's language."""
    return _translations.gettext(message)


def translate_argparse() -> None:
    """Let argparse's own texts, which use gettext's global domain, come from our catalogue."""
    if LANGUAGE != "en":
        os.environ["LANGUAGE"] = LANGUAGE
        gettext.bindtextdomain(DOMAIN, str(LOCALE_FOLDER))
        gettext.textdomain(DOMAIN)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a message for the catalogue; `_` translates it where it is shown."""
    return message
