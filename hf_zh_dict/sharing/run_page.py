"""A run folder in, `report.html` out: one page that tells people everything about a run.

The text is `templates/run.html`; what is here gives facts the shape that it takes. The page can be
drawn anew from the folder alone, also of a run that is still in training.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_zh_dict.evaluation.tables import arrange_measures
from hf_zh_dict.files import write_file
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import list_settings
from hf_zh_dict.sharing.corpus_page import NAMES, divide_strata
from hf_zh_dict.sharing.dataset_card import attribute, make_title, reconstruct_command
from hf_zh_dict.sharing.measure_names import SUITE_NAMES, name_measure, name_place
from hf_zh_dict.sharing.page import render_page
from hf_zh_dict.sharing.run_facts import BITS, RunFacts, read_run_facts
from hf_zh_dict.sharing.suite_charts import draw_suite, is_measure
from hf_zh_dict.sharing.tokenizer_page import TITLES as CODERS
from hf_zh_dict.sharing.tokenizer_page import field_rows
from hf_zh_dict.sharing.training_charts import draw_training

SHOWN_STEPS = 6  # of training, whose samples are shown
LONGEST_SAMPLE = 160  # characters


def write_run_page(paths: RunPaths) -> Path:
    """Draw the page of a run into its folder; returns the file.

    Raises:
        InputError: it is no run folder.
    """
    write_file(paths.report, draw_run_page(read_run_facts(paths)))
    return paths.report


def draw_run_page(facts: RunFacts) -> str:
    """The page."""
    inputs = facts.corpus.get("inputs") if facts.corpus.get("source") == "spreadsheets" else None
    return render_page("run.html", {
        **NAMES,
        "facts": facts,
        "title": facts.name,
        "corpus": facts.corpus,
        "corpus_title": make_title(facts.corpus) if facts.corpus else "",
        "command": reconstruct_command(facts.corpus) if facts.corpus else "",
        "attributions": attribute(inputs or []),
        **divide_strata(facts.corpus.get("strata") or {}),
        "tokenizer_rows": field_rows(facts.tokenizer_report) if facts.tokenizer_report else [],
        "coders": [
            {"name": CODERS[name], "tone": tone}
            for tone, name in enumerate(facts.tokenizer_report, start=1)
        ],
        "characters_per_token": characters_per_token(facts),
        "speed": median_of(facts.training, "tokens_per_second"),
        "memory_used": max(numbers_of(facts.training, "memory_gigabytes"), default=None),
        "best_bits": facts.best.get(BITS),
        "test_bits": find_test_bits(facts.evaluation),
        "training_charts": draw_training(facts),
        "suites": draw_suites(facts.evaluation),
        "samples": choose_samples(facts.samples),
        "settings": list_changed(facts.settings),
        "yaml": dump_settings(facts.settings),
    })  # fmt: skip


def characters_per_token(facts: RunFacts) -> float | None:
    """Characters of train for each token of it, the signs around documents not counted."""
    characters = facts.corpus.get("splits", {}).get("train", {}).get("characters")
    documents, tokens = facts.blocks.get("documents"), facts.blocks.get("tokens")
    if not (characters and documents and tokens) or tokens <= 2 * documents:
        return None
    return float(characters / (tokens - 2 * documents))


def numbers_of(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [float(row[name]) for row in rows if name in row]


def median_of(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    numbers = numbers_of(rows, name)
    return statistics.median(numbers) if numbers else None


def find_test_bits(evaluation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The measure of bits per character on the test split."""
    bits = evaluation.get("suites", {}).get("bits", {}).get("test", {}).get("bits_per_char")
    return bits if is_measure(bits) else None


def draw_suites(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each suite's name, charts, tables, and texts that it keeps."""
    return [
        {
            "key": name,
            "name": SUITE_NAMES.get(name, name),
            "charts": draw_suite(name, results),
            "tables": list(tabulate(results)),
            "texts": kept_texts(results),
        }
        for name, results in (evaluation.get("suites") or {}).items()
    ]


def tabulate(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tables of all measures: the columns' names, and rows of a label and measures or nothing."""
    return [
        {
            "columns": [(name_measure(name), name) for name in table.names],
            "rows": [
                (
                    "，".join(map(name_place, place)),
                    " ".join(place),
                    [row.get(name) for name in table.names],
                )
                for place, row in table.rows.items()
            ],
        }
        for table in arrange_measures(results, columns=3)
    ]


def kept_texts(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a suite kept of the texts written, by kind."""
    kept = results.get("samples")
    if not isinstance(kept, Mapping):
        return {}
    return {
        name_place(kind): [shorten(text) for text in texts]
        for kind, texts in kept.items()
        if isinstance(texts, list)
    }


def choose_samples(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By prompt, what was written at some steps, evenly chosen from the first to the last."""
    steps = sorted({row["step"] for row in rows})
    last = len(steps) - 1
    shown = {steps[round(i * last / (SHOWN_STEPS - 1))] for i in range(SHOWN_STEPS)} if rows else ()
    prompts: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows:
        if row["step"] in shown:
            prompts.setdefault(row["prompt"], {})[row["step"]] = {
                "step": row["step"], "text": shorten(row["text"]), "parses": row.get("parses"),
            }  # fmt: skip
    return [{"prompt": name, "texts": list(of.values())} for name, of in prompts.items()]


def shorten(text: str) -> str:
    return text[:LONGEST_SAMPLE] + ("……" if len(text) > LONGEST_SAMPLE else "")


def list_changed(settings: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(key, value, default) of the settings that are not the defaults."""
    changed = []
    for key, _kind, default, _explanation in list_settings():
        section, name = key.split(".")
        values = settings.get(section) or {}
        value = values.get(name, default)
        if show_value(value) != show_value(default):
            changed.append((key, show_value(value), show_value(default)))
    return changed


def show_value(value: object) -> str:
    """A setting as it is written on the command line."""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "–"
    if value is None or value == "":
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def dump_settings(settings: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(settings), allow_unicode=True, sort_keys=False) if settings else ""
