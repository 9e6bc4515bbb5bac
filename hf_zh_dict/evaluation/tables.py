"""A suite's nested results in, its measures as tables out: for a screen, a page or a card."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.evaluation.measure import Measure

COLUMNS = 4  # measures side by side

Place = tuple[str, ...]  # the keys that lead to measures


@dataclass(frozen=True)
class MeasureTable:
    """Some measures side by side; a row for each place that has one of them."""

    names: Sequence[str]
    rows: Mapping[Place, Mapping[str, Measure]]


def find_measures(
    results: Mapping[str, Any], place: Place = ()
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """(keys, measure) of every measure in nested results."""
    for name, value in results.items():
        if isinstance(value, dict) and "value" in value:
            yield (*place, name), value
        elif isinstance(value, dict):
            yield from find_measures(value, (*place, name))


def arrange_measures(results: Mapping[str, Any], columns: int = COLUMNS) -> Iterator[MeasureTable]:
    """The measures by their last keys, `columns` of them a table, places in their order."""
    rows: dict[Place, dict[str, Any]] = {}
    for keys, measure in find_measures(results):
        rows.setdefault(keys[:-1], {})[keys[-1]] = measure
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    for start in range(0, len(names), columns):
        shown = names[start : start + columns]
        yield MeasureTable(shown, {
            place: {name: row[name] for name in shown if name in row}
            for place, row in rows.items()
            if any(name in row for name in shown)
        })  # fmt: skip


def format_measure(measure: Mapping[str, Any], chance: str) -> str:
    """`5.013 (4.950–5.081; chance 0.200)`; `chance` says the last part, with `{chance:.3f}` in it."""
    notes = [f"{measure['low']:.3f}–{measure['high']:.3f}"] if "low" in measure else []
    if "chance" in measure:
        notes.append(chance.format(chance=measure["chance"]))
    return f"{measure['value']:.3f}" + (f" ({'; '.join(notes)})" if notes else "")


def write_markdown(suite: str, results: Mapping[str, Any]) -> str:
    """A suite's measures as Markdown tables with a blank line between them; empty without any."""
    return "\n".join(
        "\n".join(markdown_lines(suite, table)) + "\n" for table in arrange_measures(results)
    )


def markdown_lines(suite: str, table: MeasureTable) -> Iterator[str]:
    yield f"| {' | '.join((suite, *table.names))} |"
    yield "|---|" + "--:|" * len(table.names)
    for place, row in table.rows.items():
        cells = [
            format_measure(row[name], "機會 chance {chance:.3f}") if name in row else ""
            for name in table.names
        ]
        yield f"| {' | '.join((' '.join(place), *cells))} |".replace("  |", " |")
