"""Continuations in, sheets for human judges out; a filled sheet in, their judgement out.

A judge sees the beginning of an entry and two continuations, A and B: the model's and the
dictionary's. Which is which stands in the key file alone, which judges do not get.
"""

import csv
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.messages import InputError, _

SHEET, PAGE, KEY = "continuation-sheet.csv", "continuation-sheet.html", "continuation-key.csv"
TEMPLATES = Path(__file__).parent / "templates"
ANSWERS = ("A", "B", "=")
KEY_COLUMNS = ("item", "model", "side", "dictionary", "group", "cut", "way")


@dataclass(frozen=True)
class Item:
    """One continuation, and what stands in the dictionary."""

    side: str
    dictionary: str
    group: str
    cut: int  # tokens of the prompt
    way: str  # greedy or sampled
    prompt: str
    written: str
    truth: str


def write_sheets(folder: Path, items: Sequence[Item], *, seed: int) -> Path:
    """The sheet as CSV and as a page, in an order that tells nothing, and the key; returns the CSV.

    Both texts are cut to the length of the shorter one, so that length tells nothing either.
    """
    from jinja2 import Environment, FileSystemLoader

    chance = random.Random(seed)
    rows, key = [], []
    for item in chance.sample(list(items), len(items)):
        length = min(len(item.written), len(item.truth))
        model = chance.choice("AB")
        texts = [item.written[:length], item.truth[:length]]
        first, second = texts if model == "A" else reversed(texts)
        name = hashlib.sha256("\0".join([item.prompt, first, second]).encode()).hexdigest()[:10]
        rows.append({"item": name, "prompt": item.prompt, "A": first, "B": second, "better": ""})
        key.append((name, model, item.side, item.dictionary, item.group, item.cut, item.way))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / SHEET).open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.DictWriter(file, ["item", "prompt", "A", "B", "better"])
        sheet.writeheader()
        sheet.writerows(rows)
    with (folder / KEY).open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([KEY_COLUMNS, *key])
    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template(
        "sheet.html"
    )
    texts_of_page = {
        "title": _("Which continuation is better?"),
        "explain": _(
            "Each entry is cut off and goes on in two ways: one is the dictionary's, one a model's. "
            "Choose the better one, or “equal”. You may stop anywhere; then save your answers and "
            "send the file back."
        ),
        "equal": _("equal"),
        "save": _("save the answers"),
    }
    html = page.render(rows=rows, **texts_of_page)
    (folder / PAGE).write_text(html + "\n", encoding="utf-8", newline="\n")
    return folder / SHEET


def read_judgement(file: Path, folder: Path, *, seed: int) -> dict[str, Any]:
    """How often judges took the model's continuation for the better one, by side and dictionary.

    A continuation counts 1 when it was preferred, ½ when both were equal; 0.5 is what a model
    reaches that writes like the dictionary. Rows without an answer are left out.

    Raises:
        InputError: a file cannot be read, an answer is none, or the sheet is not of this key.
    """
    key = {row["item"]: row for row in read_table(folder / KEY, KEY_COLUMNS)}
    judged: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for number, row in enumerate(read_table(file, ("item", "better")), start=2):
        answer = row["better"].strip().upper().replace("＝", "=")
        if not answer:
            continue
        if answer not in ANSWERS:
            raise InputError(
                _("{file}, row {row}: “{answer}” is no answer; write A, B or =.").format(
                    file=file, row=number, answer=row["better"]
                )
            )
        if row["item"] not in key:
            raise InputError(
                _(
                    "{file}, row {row}: item {item} is not in {key}; it is another run's sheet."
                ).format(file=file, row=number, item=row["item"], key=folder / KEY)
            )
        known = key[row["item"]]
        preferred = 0.5 if answer == "=" else float(answer == known["model"])
        places = (known["side"], "all"), (known["side"], known["dictionary"])
        for place in places:
            judged.setdefault(place, []).append((preferred, known["group"]))
    if not judged:
        raise InputError(_("{file}: has no answer in its column “better”.").format(file=file))
    results: dict[str, Any] = {}
    for (side, name), values in judged.items():
        results.setdefault(side, {}).setdefault(name, {})["preferred"] = measure_ratio(
            [value for value, _group in values],
            [group for _value, group in values],
            chance=0.5,
            seed=seed,
        )
    return results


def read_table(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file that has these columns."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            rows = list(reader)
            names = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            _("{path}: cannot be read as UTF-8 text: {error}").format(path=file, error=error)
        ) from error
    for column in columns:
        if column not in names:
            raise InputError(
                _("{file}: has no column “{column}”.").format(file=file, column=column)
            )
    return rows
