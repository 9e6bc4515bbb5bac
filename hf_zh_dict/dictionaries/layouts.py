"""A table's header in, the dictionary it belongs to and the place of each column out.

Columns are found by name: their order and number change between editions. Names are those the
Ministry of Education publishes; a name that no edition has stops the run.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hf_zh_dict.messages import InputError, _


@dataclass(frozen=True)
class Layout:
    """One dictionary's columns: our name for each → the published names, newest first."""

    dictionary: str
    title: str
    columns: Mapping[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()
    page: str = ""  # where the Ministry offers it for download

    @property
    def published(self) -> dict[str, str]:
        """Published column name → our name."""
        return {name: key for key, names in self.columns.items() for name in names}


_WORD_COLUMNS: dict[str, tuple[str, ...]] = {
    "headword": ("字詞名",),
    "entry_id": ("字詞號",),
    "radical": ("部首字",),
    "strokes": ("總筆畫數",),
    "residual_strokes": ("部首外筆畫數",),
    "order": ("多音排序",),
    "bopomofo": ("注音一式",),
    "variant_kind": ("變體類型",),
    "variant_bopomofo": ("變體注音",),
    "pinyin": ("漢語拼音",),
    "variant_pinyin": ("變體漢語拼音",),
    "synonyms": ("相似詞",),
    "antonyms": ("相反詞",),
    "definition": ("釋義",),
    "other_readings": ("多音參見訊息",),
}

REVISED = Layout(
    "revised",
    "重編國語辭典修訂本",
    {**_WORD_COLUMNS, "alias": ("辭條別名",), "length": ("字數",), "variants": ("異體字",)},
    frozenset({"alias", "length", "variants"}),
    page="dict_reviseddict_download.html",
)
CONCISED = Layout("concised", "國語辭典簡編本", _WORD_COLUMNS, page="dict_concised_download.html")
IDIOMS = Layout(
    "idioms",
    "成語典",
    {
        "entry_id": ("編號",),
        "headword": ("成語",),
        "bopomofo": ("注音",),
        "pinyin": ("漢語拼音",),
        "definition": ("釋義",),
        "source": ("典源文獻出處", "典源文獻名稱"),
        "source_text": ("典源文獻內容",),
        "source_notes": ("典源-註解",),
        "source_references": ("典源-參考",),
        "story": ("典故說明",),
        "quotations": ("書證",),
        "usage_meaning": ("用法-語意說明",),
        "usage_category": ("用法-使用類別",),
        "usage_examples": ("用法-例句",),
        "alike": ("辨識-同",),
        "different": ("辨識-異",),
        "discrimination_examples": ("辨識-例句",),
        "form_and_sound": ("形音辨誤",),
        "synonyms": ("近義成語", "近義-同"),
        "antonyms": ("反義成語", "近義-反"),
        "variants": ("參考成語(正文)",),
        "rank": ("主條目/非主條目",),
    },
    frozenset({"rank", "variants"}),
    page="dict_idiomsdict_download.html",
)
MINI = Layout(
    "mini",
    "國語小字典",
    {
        "entry_id": ("編號", "字號", "序號", "流水號", "字詞號", "id", "ID"),
        "headword": ("單字",),
        "radical": ("部首",),
        "strokes": ("總筆畫數", "單字筆畫"),
        "residual_strokes": ("部首外筆畫",),
        "bopomofo": ("注音",),
        "definition": ("解釋",),
    },
    frozenset({"entry_id"}),
    page="dict_mini_download.html",
)
LAYOUTS = (REVISED, CONCISED, IDIOMS, MINI)
PAGES = {layout.dictionary: layout.page for layout in LAYOUTS if layout.page}
TITLES = {layout.dictionary: layout.title for layout in LAYOUTS}


def clean_header(cell: object) -> str:
    """A header cell's name: no blanks, half-width brackets, no list of codes behind 變體類型."""
    name = re.sub(r"[\s\ufeff]+", "", str(cell or "")).replace("（", "(").replace("）", ")")
    return "變體類型" if name.startswith("變體類型") else name


def recognise_layout(
    header: Sequence[object], *, source: str, sheet: str, sample: str
) -> tuple[Layout, dict[str, int]]:
    """The layout a header belongs to, and for each of our names its column's index.

    Old editions of the revised dictionary have the concise one's columns: then the sheet's or the
    file's name decides, and failing that the concise dictionary's [例] in `sample` (some of the
    table's text).

    Raises:
        InputError: the header is no dictionary's, or a column is missing or unknown.
    """
    names = [clean_header(cell) for cell in header]
    known = max(LAYOUTS, key=lambda layout: len(set(names) & set(layout.published)))
    if len(set(names) & set(known.published)) < len(known.columns) / 2:
        raise InputError(
            _(
                "{source}: the first row is not the header of one of the four dictionaries "
                "(found: {names}); give the Ministry's spreadsheets, or use --corpus.source text."
            ).format(source=source, names=", ".join(n for n in names if n)[:200] or "–")
        )
    if known in (REVISED, CONCISED):
        titles = f"{sheet} {source}".lower()
        if any(name in names for name in ("字數", "異體字", "辭條別名")):
            known = REVISED
        elif "concised" in titles or "簡編" in titles:
            known = CONCISED
        elif "revised" in titles or "修訂" in titles:
            known = REVISED
        else:
            known = CONCISED if "[例]" in sample else REVISED

    places: dict[str, int] = {}
    strangers = []
    for index, name in enumerate(names):
        if name in known.published:
            places.setdefault(known.published[name], index)
        elif name:
            strangers.append(name)
    missing = [
        published[0]
        for key, published in known.columns.items()
        if key not in places and key not in known.optional
    ]
    if missing and strangers:
        near = difflib.get_close_matches(missing[0], strangers, n=1, cutoff=0) or strangers
        raise InputError(
            _(
                "{source}: {title} needs the column “{missing}”, which is not there; “{stranger}” "
                "is no column of it: rename it back to the published name."
            ).format(source=source, title=known.title, missing=missing[0], stranger=near[0])
        )
    if missing:
        raise InputError(
            _("{source}: {title} needs the column “{missing}”, which is not there.").format(
                source=source, title=known.title, missing=missing[0]
            )
        )
    if strangers:
        raise InputError(
            _(
                "{source}: “{stranger}” is no column of {title}; remove it or rename it to the "
                "published name."
            ).format(source=source, title=known.title, stranger=strangers[0])
        )
    return known, places
