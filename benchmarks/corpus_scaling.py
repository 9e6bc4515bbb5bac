"""Seconds and peak memory of the stage `corpus` on 1, 2 and 4 times the dictionaries.

    python benchmarks/corpus_scaling.py dict_revised.xlsx dict_mini.xlsx …

Each further copy of the tables has its characters exchanged by a permutation of its own, so that
its entries are as long and as many but are not those of another copy; signs that the reader looks
for stay. Every corpus is built by the command in a process of its own, from .csv in all cases.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hf_zh_dict.dictionaries.reader import read_spreadsheet

HAN = re.compile("[\u4e00-\u9fff]")
SIGNS = set(
    "一如例似反名動形副助代連介歎嘆擬量綴數變又音語讀也亦或今舊古作稱為參見通同俗簡統合寫"
    "叫條的之異體字本化別編號成主目非"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="the Ministry's spreadsheets")
    parser.add_argument("--recipe", default="extended", choices=["plain", "extended"])
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for copies in (1, 2, 4):
            files = [
                path for copy in range(copies) for path in write_copy(arguments.files, folder, copy)
            ]
            results.append(build(files, folder / f"run-{copies}", arguments.recipe))
            print(json.dumps({"copies": copies, **results[-1]}), flush=True)
    for doubled, single in ((1, 0), (2, 1)):
        ratios = {key: results[doubled][key] / results[single][key] for key in results[0]}
        print(
            "twice the corpus:", ", ".join(f"{key} × {ratio:.2f}" for key, ratio in ratios.items())
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def write_copy(tables: list[Path], folder: Path, copy: int) -> list[Path]:
    """The tables as .csv with their characters exchanged; copy 0 is the tables as they are."""
    paths = []
    for table in tables:
        path = folder / f"{table.stem}-{copy}.csv"
        paths.append(path)
        if path.exists():
            continue
        _source, _sheet, rows = read_spreadsheet(table)
        header, *rest = ([str(cell) for cell in row] for row in rows)
        letters = sorted({c for row in rest for cell in row for c in HAN.findall(cell)} - SIGNS)
        step = copy * len(letters) // 5
        exchange = str.maketrans(dict(zip(letters, letters[step:] + letters[:step], strict=True)))
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [header, *([c.translate(exchange) for c in r] for r in rest)]
            )
    return paths


def build(files: list[Path], run: Path, recipe: str) -> dict[str, float]:
    """Build a corpus by the command; its figures."""
    command = [
        sys.executable, "-m", "hf_zh_dict", "corpus", "--output-dir", str(run),
        "--corpus.source", "spreadsheets", "--corpus.recipe", recipe,
        "--corpus.files", *map(str, files),
    ]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status:
        raise SystemExit(f"exit status {status}: {' '.join(command)}")
    facts = json.loads((run / "corpus" / "stage.json").read_text(encoding="utf-8"))
    kilobytes = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    return {
        "entries": facts["entries"],
        "documents": facts["documents"],
        "seconds": round(seconds, 1),
        "peak_megabytes": kilobytes // 1000,
    }


if __name__ == "__main__":
    main()
