"""A corpus's facts and its survey in, a page that tells people what the corpus is like out.

The text is `templates/corpus.html`; what is here gives numbers the shape that its charts take.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.dictionaries.render import ENTRY_LABELS, READING_LABELS
from hf_zh_dict.files import write_file
from hf_zh_dict.paths import SPLITS
from hf_zh_dict.sharing.dataset_card import attribute, make_title, reconstruct_command
from hf_zh_dict.sharing.page import format_count, format_share, log_places, render_page, tone_of

Row = dict[str, Any]  # what a macro of charts.html takes as a row
Strata = Mapping[str, Mapping[str, int]]  # documents, by class and split

QUOTED = 60  # characters of a stretch that train holds too
DRAWN_FIELDS = 10
SPLIT_NAMES = {"train": "訓練", "validation": "驗證", "test": "測試"}
FIELD_NAMES = {
    **{field: label.rstrip("：") for field, label in (ENTRY_LABELS | READING_LABELS).items()},
    "headword": "字詞", "radical": "部首筆畫", "bopomofo": "注音", "pinyin": "漢語拼音",
    "part_of_speech": "詞性", "definition": "釋義", "example": "例子", "quotation": "引文",
    "related": "相關詞條", "between": "跨越兩欄",
}  # fmt: skip
VIEW_NAMES = {
    "plain": "整條", "line": "原行", "definition": "字詞→釋義", "headword": "釋義→字詞",
    "reading": "讀音", "related": "相關字詞", "usage": "用法", "story": "典故",
}  # fmt: skip
BLOCK_NAMES = {
    "basic": "國字（基本區）", **{f"extension_{x}": f"國字（擴充 {x.upper()}）" for x in "abcdefghij"},
    "compatibility": "相容表意文字", "radicals": "部首與筆形", "bopomofo": "注音符號",
    "marked_latin": "帶調號的拉丁字母", "latin": "拉丁字母", "digits": "數字", "blanks": "空白",
    "punctuation": "標點與符號", "placeholder": "〓（有圖無字碼）", "private_use": "私人造字區",
    "other": "其他文字",
}  # fmt: skip
REASON_NAMES = {
    "repeated": "文字重複", "reading repeated": "讀音重複", "no definition": "沒有釋義",
    "no headword": "沒有字詞", "empty line": "空行",
}  # fmt: skip
SOURCE_NAMES = {
    "embedded": "內建辭典（本專案自撰，CC0）", "spreadsheets": "教育部的試算表",
    "text": "自己的文字", "hub": "Hub 上的資料集",
}  # fmt: skip
RECIPE_NAMES = {"plain": "plain：一條一行", "extended": "extended：一條改寫成數種寫法"}
NAMES = {
    "splits": SPLIT_NAMES, "titles": TITLES, "field_names": FIELD_NAMES, "view_names": VIEW_NAMES,
    "block_names": BLOCK_NAMES, "reason_names": REASON_NAMES, "source_names": SOURCE_NAMES,
    "recipe_names": RECIPE_NAMES, "quoted": QUOTED, "drawn": DRAWN_FIELDS,
}  # fmt: skip


def write_corpus_page(path: Path, facts: Mapping[str, Any], survey: Mapping[str, Any]) -> None:
    write_file(path, draw_corpus_page(facts, survey))


def draw_corpus_page(facts: Mapping[str, Any], survey: Mapping[str, Any]) -> str:
    """The page.

    Args:
        facts: of the corpus folder's `stage.json`; of an older folder some may be missing.
        survey: what `corpus.survey.take_survey` returns, with `leakage` of `corpus.leakage`.
    """
    inputs = facts.get("inputs") if facts.get("source") == "spreadsheets" else None
    return render_page("corpus.html", {
        **NAMES,
        "title": make_title(facts),
        "facts": facts,
        "survey": survey,
        "script": survey["script"],
        "leakage": survey["leakage"],
        "command": reconstruct_command(facts),
        "attributions": attribute(inputs or []),
        **draw_sample(survey["sample"]),
        **divide_strata(facts.get("strata") or {}),
        "length_columns": length_columns(survey["lengths"]),
        "trimmed": trimmed_histograms(survey["lengths"]),
        **coverage_curve(survey["script"]),
        "field_rows": field_rows(survey),
        "size_rows": size_rows(survey["groups"]["sizes"]),
        "leakage_rows": leakage_rows(survey["leakage"]),
    })  # fmt: skip


def draw_sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A document in parts, its fields each in a colour; and one part of each field, for the legend."""
    parts = list(divide_sample(sample))
    fields = {part["name"]: part for part in parts if "name" in part}
    return {"sample": parts, "sample_fields": list(fields.values())}


def divide_sample(sample: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields, and without a name what stands between them."""
    text, place = sample.get("text", ""), 0
    tones: dict[str, int] = {}
    for span in sample.get("spans", []):
        yield {"text": text[place : span["start"]]}
        place = span["end"]
        yield {
            "name": FIELD_NAMES.get(span["field"], span["field"]),
            "tone": tones.setdefault(span["field"], tone_of(len(tones))),
            "text": text[span["start"] : place],
        }
    yield {"text": text[place:]}


def divide_strata(strata: Mapping[str, Strata]) -> dict[str, Any]:
    """Dictionaries (the largest first) by split, and each split by dictionary and by length."""
    dictionaries = dict(
        sorted(strata.get("dictionary", {}).items(), key=lambda item: -sum(item[1].values()))
    )
    return {
        "dictionary_rows": split_rows(dictionaries),
        "strata": {
            "dictionary": stratum_rows(dictionaries),
            "length": stratum_rows(strata.get("length", {})),
        },
    }


def split_rows(dictionaries: Strata) -> list[Row]:
    """Each dictionary's documents, divided into splits."""
    rows = []
    for name, documents in dictionaries.items():
        total = sum(documents.values())
        parts = [
            make_part(SPLIT_NAMES[split], documents.get(split, 0), total, number)
            for number, split in enumerate(SPLITS)
        ]
        rows.append({"label": TITLES.get(name, name), "note": format_count(total), "parts": parts})
    return rows


def stratum_rows(classes: Strata) -> list[Row]:
    """Each split's documents, divided into the classes of one stratum."""
    rows = []
    for split in SPLITS if classes else ():
        total = sum(documents[split] for documents in classes.values())
        parts = [
            make_part(TITLES.get(name, name), documents[split], total, number)
            for number, (name, documents) in enumerate(classes.items())
        ]
        rows.append({"label": SPLIT_NAMES[split], "note": format_count(total), "parts": parts})
    return rows


def make_part(name: str, count: int, total: int, number: int) -> dict[str, Any]:
    share = count / max(1, total)
    title = f"{name} {format_count(count)}（{format_share(share)}）"
    return {"name": name, "count": count, "share": share, "tone": tone_of(number), "title": title}


def shown_columns(lengths: Mapping[str, Any]) -> range:
    """The columns of the histogram from the first to the last that is not empty."""
    filled = [index for index, count in enumerate(lengths["all"]["histogram"]) if count]
    return range(filled[0], filled[-1] + 1)


def length_columns(lengths: Mapping[str, Any]) -> list[Row]:
    """The histogram of all lengths; 1, 2 and 5 times a power of ten are marked."""
    edges = [*lengths["edges"], None]
    columns = []
    for index in shown_columns(lengths):
        low, high = edges[index], edges[index + 1]
        span = f"{low:,}–{high - 1:,}" if high else f"{low:,}–"
        count = lengths["all"]["histogram"][index]
        tick = f"{low:,}" if str(low).rstrip("0") in ("1", "2", "5") else ""
        columns.append(
            {"value": count, "title": f"{span} 字元：{format_count(count)} 份", "tick": tick}
        )
    return columns


def trimmed_histograms(lengths: Mapping[str, Any]) -> list[list[int]]:
    """The histogram of each dictionary and view, in the columns that are shown of all."""
    columns = shown_columns(lengths)
    return [[row["histogram"][index] for index in columns] for row in lengths["rows"]]


def coverage_curve(script: Mapping[str, Any]) -> dict[str, Any]:
    """Points, marks and ticks of the share of the text over distinct characters, on a log scale."""
    last = script["distinct"]
    ticks = list(itertools.takewhile(lambda n: n <= last, (10**power for power in range(7))))

    def place(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        places = log_places([characters for characters, _share in points], last)
        return [(x, round(100 * share, 2)) for x, (_, share) in zip(places, points, strict=True)]

    return {
        "points": place(script["curve"]),
        "marks": place([(needed, share / 1000) for share, needed in script["coverage"]]),
        "x_ticks": list(zip(log_places(ticks, last), map(format_count, ticks), strict=True)),
        "y_ticks": [[y, f"{y} %"] for y in (25, 50, 75, 100)],
    }


def field_rows(survey: Mapping[str, Any]) -> list[Row]:
    """The fields with the most characters, and what stands outside of every field."""
    inside = sum(field["characters"] for field in survey["fields"].values())
    outside = ("欄位之外", "labels, separators", survey["characters"] - inside, 2)
    fields = [
        (FIELD_NAMES.get(name, name), name, field["characters"], 1)
        for name, field in itertools.islice(survey["fields"].items(), DRAWN_FIELDS)
    ]
    return [
        {
            "label": label,
            "english": english.replace("_", " "),
            "note": f"{format_count(count)}　{format_share(count / survey['characters'])}",
            "bars": [{"value": count, "tone": tone}],
        }
        for label, english, count, tone in [*fields, outside]
    ]


def size_rows(sizes: Iterable[Sequence[int]]) -> list[Row]:
    """Entries by the size of their group, in classes that double: 1, 2, 3–4, 5–8 …"""
    classes: dict[int, list[int]] = {}
    for size, groups in sizes:
        counted = classes.setdefault((size - 1).bit_length(), [0, 0])
        counted[0] += groups
        counted[1] += size * groups
    rows = []
    for power, (groups, entries) in sorted(classes.items()):
        low, high = 2 ** (power - 1) + 1 if power > 1 else power + 1, 2**power
        rows.append({
            "label": f"{low} 條" if low == high else f"{low}–{high} 條",
            "note": f"{format_count(groups)} 組　{format_count(entries)} 條",
            "bars": [{"value": entries, "tone": 1}],
        })  # fmt: skip
    return rows


def leakage_rows(leakage: Mapping[str, Any]) -> list[Row]:
    """Shares of pieces that train holds too, by groups over at random: in all, then by field."""
    by_groups, at_random = leakage["groups"], leakage["random"]
    shared = [field for field in by_groups["fields"] if field in at_random["fields"]]
    pairs = [("全部", "all", by_groups, at_random)]
    for field in shared:
        measured = by_groups["fields"][field], at_random["fields"][field]
        pairs.append((FIELD_NAMES.get(field, field), field, *measured))
    return [
        {
            "label": label,
            "english": english.replace("_", " "),
            "note": f"{format_count(one['pieces'])} 段",
            "bars": [
                {"value": part["share"], "text": format_share(part["share"]), "tone": tone}
                for part, tone in ((one, 1), (other, 2))
            ],
        }
        for label, english, one, other in pairs
    ]
