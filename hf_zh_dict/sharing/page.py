"""A template and its values in, one self-contained HTML page out: the frame of every page we write.

`templates/page.html` is the frame (type, and the colours of a light and a dark scheme),
`templates/charts.html` the charts, drawn as inline SVG. Widths are percentages, so charts are as
wide as the screen and their text keeps its size; the reader's fonts draw it, the machine that
writes the page needs none. Everything is escaped, and nothing is fetched from outside.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict import __version__
from hf_zh_dict.sharing.dataset_card import UNRECORDED

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
TONES = 9  # colours for the parts of a chart; page.html has one pair, light and dark, for each


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """The page of a template that extends `page.html`; a value that is missing is said to be."""
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=ChainableUndefined,
    )
    environment.filters |= {
        "count": format_count, "share": format_share, "number": format_number,
        "duration": format_duration, "known": known, "code_point": code_point,
        "visible": make_visible, "verbatim": keep_lines,
    }  # fmt: skip
    page = environment.get_template(template).render(**values, version=__version__)
    return "\n".join(line.strip() for line in page.split("\n") if line.strip()) + "\n"


def format_count(number: object) -> str:
    """12345 → 12,345."""
    return f"{number:,}" if isinstance(number, int) else UNRECORDED


def format_share(share: object, digits: int = 1) -> str:
    """0.123 → 12.3 %, with a space that no line breaks at; what is hardly anything is not 0."""
    if not isinstance(share, int | float):
        return UNRECORDED
    least = 10**-digits
    few = 0 < 100 * share < least / 2
    return f"< {least:.{digits}f}\xa0%" if few else f"{100 * share:.{digits}f}\xa0%"


def format_number(number: object, digits: int = 3) -> str:
    """5.0133 → 5.013; what is no number is said to be none."""
    if not isinstance(number, int | float):
        return UNRECORDED
    return f"{number:,.{digits}f}" if math.isfinite(number) else "不是有限的數"


def format_duration(seconds: object) -> str:
    """Seconds as people say them: 304.2 → 5 分 4 秒."""
    if not isinstance(seconds, int | float):
        return UNRECORDED
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} 小時 {minutes} 分"
    return f"{minutes} 分 {rest} 秒" if minutes else f"{rest} 秒"


def make_visible(text: str) -> str:
    """The text with a sign in place of each control character, which HTML may not hold."""
    return "".join("\ufffd" if unicodedata.category(x) == "Cc" else x for x in text)


def keep_lines(text: str) -> "Markup":
    """Escaped text for `pre`, whose lines keep their indentation when the page is tidied."""
    from markupsafe import Markup, escape

    return Markup(str(escape(text)).replace("\n", "&#10;"))


def known(value: object) -> str:
    return str(value) if value else UNRECORDED


def code_point(character: str) -> str:
    """U+E000 for what has no shape of its own (private use, blanks, controls), else nothing."""
    return "" if character.isprintable() else f"U+{ord(character):04X}"


def tone_of(number: int) -> int:
    """The number-th tone, from 0 on; more than there are begin again."""
    return number % TONES + 1


def log_places(numbers: Sequence[float], last: float) -> list[float]:
    """Places on a logarithmic axis from 1 to `last`, in percent."""
    return [round(100 * math.log(number) / math.log(max(2, last)), 2) for number in numbers]
