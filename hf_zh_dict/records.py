"""Rows in, `metrics.jsonl` and `samples.jsonl` out: one JSON object a line, cut back on resume."""

import json
from pathlib import Path
from typing import Any

from hf_zh_dict.files import write_file


def append_row(path: Path, row: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows; a last line that a killed run left half written does not count."""
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def cut_back(path: Path, step: int) -> None:
    """Leave only the rows up to `step`."""
    rows = [row for row in read_rows(path) if row["step"] <= step]
    write_file(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
