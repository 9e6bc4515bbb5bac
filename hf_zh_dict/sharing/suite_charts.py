"""A suite's results in, charts of them out: rows of bars, with intervals and what chance reaches.

The suites that are known here are drawn by hand. Of any other, the measures that have a chance are
drawn; its tables hold the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hf_zh_dict.evaluation.tables import find_measures
from hf_zh_dict.sharing.measure_names import MODEL_NAMES, name_measure, name_place
from hf_zh_dict.sharing.page import format_count

Row = dict[str, Any]  # what the macro `bars` takes as a row
Chart = dict[str, Any]  # title, english, note, legend, rows, top
Results = Mapping[str, Any]

MODEL, CONTROL, OTHER, FOURTH = 1, 3, 2, 4  # tones
MODEL_TONES = {
    "bits_per_char": MODEL, "character_5gram": CONTROL, "character_bigram": OTHER, "xz": FOURTH,
}  # fmt: skip
SIDES = {"train": CONTROL, "held-out": MODEL}
KINDS = {"unconditional": CONTROL, "headword": MODEL, "dictionary": OTHER}
KIND_NAMES = {
    "unconditional": "自由寫 unconditional", "headword": "給它沒見過的字詞 headword",
    "dictionary": "辭典自己的詞條 dictionary",
}  # fmt: skip


def draw_suite(name: str, results: Results) -> list[Chart]:
    """A suite's charts; those without rows are left out."""
    draw = DRAWN.get(name, draw_chances)
    return [chart for chart in draw(results) if chart["rows"]]


def make_chart(
    title: str,
    english: str,
    rows: Sequence[Row],
    *,
    names: Iterable[tuple[int, str]] = (),
    note: str = "",
    top: float | None = None,
) -> Chart:
    """A chart; `names` are its tones', `top` where its scale ends (else at the longest bar)."""
    legend = [{"tone": tone, "name": text} for tone, text in names]
    return {
        "title": title, "english": english, "rows": list(rows), "legend": legend, "note": note, "top": top,
    }  # fmt: skip


def make_bar(measure: Mapping[str, Any], tone: int, digits: int = 3) -> dict[str, Any]:
    """A bar with its number behind it, its interval and its chance."""
    value = measure["value"]
    return {
        "value": value, "tone": tone, "text": f"{value:.{digits}f}",
        **{name: measure[name] for name in ("low", "high", "chance") if name in measure},
    }  # fmt: skip


def make_row(
    label: str, english: str, measures: Iterable[tuple[Any, int]], note: str = "", digits: int = 3
) -> Row:
    """A row of the measures that are there."""
    bars = [make_bar(measure, tone, digits) for measure, tone in measures if is_measure(measure)]
    return {"label": label, "english": english, "note": note, "bars": bars}


def is_measure(item: object) -> bool:
    return isinstance(item, Mapping) and "value" in item


def filled(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["bars"]]


def draw_bits(results: Results) -> Iterator[Chart]:
    """The model beside simple ones: by split, and of the test split by field and dictionary."""
    names = [(tone, MODEL_NAMES[name]) for name, tone in MODEL_TONES.items()]
    splits = {key: of for key, of in results.items() if is_measure(of.get("bits_per_char"))}
    yield make_chart(
        "每字位元數，越低越好", "Bits per character, lower is better",
        [bits_row(key, of) for key, of in splits.items()],
        names=names,
    )  # fmt: skip
    last = "test" if "test" in splits else next(iter(splits), "")
    for part, title, english in (
        ("field", "各欄的每字位元數", "By field"), ("dictionary", "各辭典的每字位元數", "By dictionary"),
    ):  # fmt: skip
        parts = results.get(last, {}).get(part) or {}
        yield make_chart(
            f"{title}（{name_place(last)}）", f"{english}, {last}",
            filled(bits_row(key, of) for key, of in parts.items()),
            names=names[:3],
        )  # fmt: skip


def bits_row(key: str, of: Results) -> Row:
    size = of.get("characters")
    note = f"{format_count(size)} 字元" if size else f"{format_count(count_of(of))} 份"
    return make_row(
        name_place(key), key.replace("_", " "),
        [(of.get(name), tone) for name, tone in MODEL_TONES.items()], note,
    )  # fmt: skip


def count_of(of: Results) -> int | None:
    """How many items the first measure is of."""
    return next((item.get("count") for item in of.values() if is_measure(item)), None)


def draw_continuation(results: Results) -> Iterator[Chart]:
    """Likeness to the true continuation by dictionary and prompt length, train beside held-out."""
    sides = {side: results.get(side) or {} for side in SIDES}
    names = [(tone, f"{name_place(side)} {side}") for side, tone in SIDES.items()]
    for measure, title, english in (
        ("rouge_l", "與原文的相似度（ROUGE-L，逐字最可能）", "ROUGE-L with the true text, greedy"),
        ("longest_common_substring", "與原文相同的最長一段（字，逐字最可能）", "Longest copied stretch, in characters"),
    ):  # fmt: skip
        rows = []
        for dictionary in dict.fromkeys(name for of in sides.values() for name in of):
            parts = {side: of.get(dictionary) or {} for side, of in sides.items()}
            for key in dict.fromkeys(key for of in parts.values() for key in of):
                if key.endswith(" greedy"):
                    rows.append(make_row(
                        name_place(dictionary), f"{key.split()[0]} tokens",
                        [((parts[s].get(key) or {}).get(measure), t) for s, t in SIDES.items()],
                    ))  # fmt: skip
        yield make_chart(title, english, filled(rows), names=names)


def draw_memory(results: Results) -> Iterator[Chart]:
    """What is continued word for word, train beside held-out, by prompt length and checkpoint."""
    sides = {side: results.get(side) or {} for side in SIDES}
    names = [(tone, f"{name_place(side)} {side}") for side, tone in SIDES.items()]
    keys = list(dict.fromkeys(key for of in sides.values() for key in of))
    for measure, title, english in (
        ("exact_continuation", "32 個 token 一字不差的比例", "Continued word for word"),
        ("longest_copy", "與原文相同的最長一段（字）", "Longest copied stretch, in characters"),
    ):  # fmt: skip
        rows = [
            make_row(
                memory_label(key), key if "step" in key else f"prompts of {key} tokens",
                [((sides[side].get(key) or {}).get(measure), tone) for side, tone in SIDES.items()],
            )
            for key in keys
        ]  # fmt: skip
        yield make_chart(title, english, filled(rows), names=names)


def memory_label(key: str) -> str:
    """`32, step 1040, epoch 0` → 第 1,040 步; `32` → 開頭 32 token."""
    words = key.replace(",", "").split()
    return f"第 {int(words[2]):,} 步" if "step" in words else f"開頭 {key} token"


def draw_samples(results: Results) -> Iterator[Chart]:
    """What the model writes beside the dictionary's own entries: shares of texts, then others."""
    kinds = {kind: results.get(kind) or {} for kind in KINDS}
    names = [(tone, KIND_NAMES[kind]) for kind, tone in KINDS.items()]
    found = dict.fromkeys(key for of in kinds.values() for key in of if is_measure(of[key]))
    variety = [key for key in found if key.startswith("distinct") or key == "repetition"]
    good = [key for key in found if key not in variety]
    for keys, title, english in (
        (good, "寫出來的文字，與辭典自己的比", "What is written, beside the dictionary's own"),
        (variety, "重複與變化", "Repetition and variety"),
    ):
        rows = [
            make_row(
                name_measure(key), key.replace("_", " "),
                [(kinds[kind].get(key), tone) for kind, tone in KINDS.items()],
            )
            for key in keys
        ]  # fmt: skip
        yield make_chart(title, english, filled(rows), names=names, note=MARK, top=1)


def draw_dictionary(results: Results) -> Iterator[Chart]:
    """Questions with what a guess reaches; readings beside those of the single characters."""
    for part, title in QUESTIONS.items():
        yield from draw_chances(results.get(part) or {}, title=title)
    reading = results.get("reading") or {}
    control = reading.get("by_character") or {}
    rows = [
        make_row(
            name_place(kind), name_measure(name),
            [(measure, MODEL), ((control.get(kind) or {}).get(name), OTHER)],
        )
        for kind, of in reading.items() if kind != "by_character"
        for name, measure in of.items()
    ]  # fmt: skip
    yield make_chart(
        "讀音", "Readings", filled(rows),
        names=[(MODEL, "這個模型"), (OTHER, "逐字照最常見的讀 character by character")],
        note=CHANCE, top=1,
    )  # fmt: skip


QUESTIONS = {
    "definition": "哪一條釋義屬於這個字詞", "reverse": "哪一個字詞屬於這條釋義",
    "usage": "哪一個詞放得進句子",
}  # fmt: skip
MARK = "目標不是 1，而是辭典自己的那一條。The mark is the dictionary's own bar, not 1."
CHANCE = "紅線是什麼都不懂也能得到的。The red line is chance."


def draw_chances(results: Results, title: str = "與機會相比") -> Iterator[Chart]:
    """Every share that is measured against chance."""
    rows = [
        make_row(
            "，".join((*map(name_place, place[:-1]), name_measure(place[-1]))),
            "",
            [(measure, MODEL)],
            f"{format_count(measure.get('count'))} 題",
        )
        for place, measure in find_measures(results)
        if "chance" in measure and 0 <= measure["value"] <= 1
    ]
    yield make_chart(title, "Beside chance", rows, note=CHANCE, top=1)


DRAWN: dict[str, Callable[[Results], Iterator[Chart]]] = {
    "bits": draw_bits,
    "continuation": draw_continuation,
    "memory": draw_memory,
    "samples": draw_samples,
    "dictionary": draw_dictionary,
}
