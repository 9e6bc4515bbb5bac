"""How well lines without headwords are kept together, measured where the truth is known.

    python benchmarks/line_groups.py dict_revised.xlsx dict_mini.xlsx …

Real entries are rendered in every view of the recipe `extended`, the lines shuffled into one text
file, and a corpus is built of it as `--corpus.source text` does, which knows nothing of entries.
Then: which entries have all their lines in one split, how much of the held-out lines stands in
train, beside the corpus that knows its entries and beside a random split of the lines.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.build import build_corpus, read_rows
from hf_zh_dict.corpus.leakage import measure_leakage
from hf_zh_dict.paths import SPLITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="the Ministry's spreadsheets")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        results = measure(Path(name), tuple(arguments.files))
    print(json.dumps(results, ensure_ascii=False, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", "utf-8")


def measure(folder: Path, files: tuple[str, ...]) -> dict[str, object]:
    entries, lines = folder / "entries", folder / "lines"
    entries.mkdir()
    lines.mkdir()
    build_corpus(CorpusConfig(source="spreadsheets", recipe="extended", files=files), entries)
    entry_of = {}
    for split in SPLITS:
        for row in read_rows(entries / f"{split}.parquet", ["text", "dictionary", "entry_id"]):
            entry_of[row["text"]] = (row["dictionary"], row["entry_id"])
    texts = list(entry_of)
    random.Random(0).shuffle(texts)
    (folder / "lines.txt").write_text("\n".join(texts) + "\n", "utf-8")

    began = time.monotonic()
    facts = build_corpus(CorpusConfig(source="text", files=(str(folder / "lines.txt"),)), lines)
    seconds = time.monotonic() - began
    splits_of, groups_of, members = defaultdict(set), defaultdict(set), defaultdict(set)
    for split in SPLITS:
        for row in read_rows(lines / f"{split}.parquet", ["text", "group"]):
            entry = entry_of[row["text"]]
            splits_of[entry].add(split)
            groups_of[entry].add(row["group"])
            members[row["group"]].add(entry)
    held_out = [entry for entry, splits in splits_of.items() if splits != {"train"}]
    return {
        "lines": facts["documents"],
        "entries": len(splits_of),
        "groups": facts["groups"],
        "links": facts["links"],
        "entries_in_one_group": share(len(groups) == 1 for groups in groups_of.values()),
        "entries_in_one_split": share(len(splits) == 1 for splits in splits_of.values()),
        "held_out_entries_in_one_split": share(len(splits_of[entry]) == 1 for entry in held_out),
        "groups_of_one_entry": share(len(entries) == 1 for entries in members.values()),
        "leakage": {
            "lines in groups": summary(measured := measure_leakage(lines), "groups"),
            "entries in groups": summary(measure_leakage(entries), "groups"),
            "lines at random": summary(measured, "random"),
        },
        "seconds": round(seconds, 1),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
    }


def share(flags) -> float:  # type: ignore[no-untyped-def]
    listed = list(flags)
    return sum(listed) / max(1, len(listed))


def summary(measured: dict[str, dict[str, object]], name: str) -> dict[str, object]:
    return {key: measured[name][key] for key in ("held_out", "share", "longest")}


if __name__ == "__main__":
    main()
