"""A corpus in, a folder of tasks for lm-eval out, which any Hugging Face model can be judged by.

The tasks are shipped in `harness/`; their questions are written from a corpus of the user's,
since a dictionary's text is not shipped. lm-eval itself is not needed to write them.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.definitions import find_alike
from hf_zh_dict.evaluation.entries import choose, find_definitions, read_entries
from hf_zh_dict.files import write_file
from hf_zh_dict.paths import RunPaths

HARNESS = Path(__file__).parent / "harness"
LONGEST, QUESTIONS, CHOICES = 60, 300, 10


def write_tasks(paths: RunPaths, folder: Path) -> list[str]:
    """Write tasks and questions into a folder for `--include_path`; returns the tasks' names.

    Raises:
        InputError: the corpus holds out no dictionary entries.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(
        folder / "zh_dict_bits.jsonl", ({"text": text} for text in read_texts(paths.split("test")))
    )
    write_lines(folder / "zh_dict_definition.jsonl", ask_definitions(paths))
    names = []
    for task in sorted(HARNESS.glob("*.yaml")):
        data = folder.resolve() / f"{task.stem}.jsonl"
        text = task.read_text(encoding="utf-8")
        text = text.replace(f"test: {data.name}", f"test: {json.dumps(str(data))}")
        write_file(folder / task.name, text)
        names.append(task.stem)
    return names


def ask_definitions(paths: RunPaths) -> list[dict[str, Any]]:
    """Questions of the suite `dictionary`: the right definition stands at a place that turns."""
    tested, others = read_entries(paths, "test"), read_entries(paths, "validation")
    asked = find_definitions(tested, LONGEST)
    known = asked + find_definitions(others, LONGEST)
    questions = []
    for number, definition in enumerate(choose(asked, QUESTIONS)):
        options = [other.ending for other in find_alike(definition, known, CHOICES - 1)]
        place = number % (len(options) + 1)
        options.insert(place, definition.ending)
        questions.append({"beginning": definition.beginning, "choices": options, "answer": place})
    return questions


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
