"""A corpus folder in, what it is like out, in numbers: lengths, characters, fields, groups, drops.

The splits stream by once. What stays is a count for each length and each character, the name of
each headword and group, and the few texts that are shown.
"""

import bisect
import heapq
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hf_zh_dict.corpus.build import DROPPED_FILE, read_rows
from hf_zh_dict.corpus.characters import take_inventory
from hf_zh_dict.messages import _
from hf_zh_dict.paths import SPLITS
from hf_zh_dict.progress import track

FORMAT = 1  # raise it when the same corpus gives other numbers, here or in leakage.py
COLUMNS = ["text", "headword", "dictionary", "entry_id", "group", "view", "spans"]

# Lengths are counted from each of these up to the next: ten steps to a power of ten.
EDGES = (1, 2, 3, 4, 5, 6, 8, *(
    step * 10**power for power in range(5) for step in (10, 13, 16, 20, 25, 32, 40, 50, 63, 80)
))  # fmt: skip
PERCENTILES = (5, 25, 50, 75, 95, 99)
SHOWN = 10  # of the longest documents, of the largest groups, of a group's headwords
EXAMPLES = 3  # of what was dropped, for each reason
QUOTED = 60  # characters of a text that is quoted
SAMPLE = 200  # characters at most of the document that is shown whole


def take_survey(folder: Path) -> dict[str, Any]:
    """Everything that is counted, ready for JSON; the keys are those of `Survey.result`."""
    survey = Survey()
    for split in SPLITS:
        rows = read_rows(folder / f"{split}.parquet", COLUMNS)
        for row in track(rows, _("survey: {split}").format(split=split)):
            survey.add(row, split)
    result = survey.result()
    add_headwords(folder, result["groups"]["largest"])
    return result | {"dropped": survey_dropped(folder / DROPPED_FILE)}


class Survey:
    """What is counted while the documents pass."""

    def __init__(self) -> None:
        self.lengths: dict[tuple[str, str], Counter[int]] = {}  # by dictionary and view
        self.characters: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        self.field_characters: Counter[str] = Counter()
        self.field_passages: Counter[str] = Counter()
        self.documents: Counter[str] = Counter()  # by group
        self.entries: Counter[str] = Counter()  # by group
        self.dictionaries: dict[str, tuple[str, ...]] = {}  # by headword
        self.longest: list[tuple[int, int, dict[str, Any]]] = []
        self.sample: dict[str, Any] = {}
        self.last = ("", "", "")
        self.number = 0

    def add(self, row: dict[str, Any], split: str) -> None:
        """Count the next document."""
        text, dictionary, headword = row["text"], row["dictionary"], row["headword"]
        self.number += 1
        self.lengths.setdefault((dictionary, row["view"]), Counter())[len(text)] += 1
        self.characters[split].update(text)
        for span in row["spans"]:
            self.field_characters[span["field"]] += span["end"] - span["start"]
            self.field_passages[span["field"]] += 1
        self.documents[row["group"]] += 1
        identity = (dictionary, row["entry_id"], headword)
        if identity != self.last:
            self.last = identity
            self.entries[row["group"]] += 1
            known = self.dictionaries.get(headword, ())
            if dictionary not in known:
                self.dictionaries[headword] = (*known, dictionary)
        self._remember(row, split)

    def _remember(self, row: dict[str, Any], split: str) -> None:
        """Keep the longest documents' names, and the richest of those short enough to show."""
        length = len(row["text"])
        if len(self.longest) < SHOWN or length > self.longest[0][0]:
            names = {name: row[name] for name in ("headword", "dictionary", "view")}
            item = (length, -self.number, {"characters": length, "split": split, **names})
            heapq.heappush(self.longest, item)
            if len(self.longest) > SHOWN:
                heapq.heappop(self.longest)
        fields = len({span["field"] for span in row["spans"]})
        if length <= SAMPLE and fields > self.sample.get("fields", 0):
            self.sample = {"fields": fields, "text": row["text"], "spans": row["spans"]}

    def result(self) -> dict[str, Any]:
        rows = sorted(self.lengths.items(), key=lambda item: -item[1].total())
        everything: Counter[int] = Counter()
        for counts in self.lengths.values():
            everything.update(counts)
        return {
            "documents": everything.total(),
            "characters": sum(length * count for length, count in everything.items()),
            "lengths": {
                "edges": list(EDGES),
                "all": describe_lengths(everything),
                "rows": [
                    {"dictionary": dictionary, "view": view, **describe_lengths(counts)}
                    for (dictionary, view), counts in rows
                ],
            },
            "script": take_inventory(self.characters),
            "fields": {
                field: {"characters": count, "passages": self.field_passages[field]}
                for field, count in self.field_characters.most_common()
            },
            "groups": self._describe_groups(),
            "several": describe_several(self.dictionaries),
            "longest": [names for *_order, names in sorted(self.longest, reverse=True)],
            "sample": self.sample,
        }

    def _describe_groups(self) -> dict[str, Any]:
        """How many groups have how many entries, and the largest ones."""
        largest = heapq.nsmallest(SHOWN, self.entries.items(), key=lambda item: (-item[1], item[0]))
        return {
            "sizes": sorted(Counter(self.entries.values()).items()),
            "largest": [
                {"name": name, "entries": entries, "documents": self.documents[name]}
                for name, entries in largest
            ],
        }


def describe_lengths(counts: Counter[int]) -> dict[str, Any]:
    """Documents, characters, percentiles and histogram of the lengths counted."""
    histogram = [0] * len(EDGES)
    for length, count in counts.items():
        histogram[bisect.bisect_right(EDGES, length) - 1] += count
    return {
        "documents": counts.total(),
        "characters": sum(length * count for length, count in counts.items()),
        "shortest": min(counts),
        "percentiles": find_percentiles(counts),
        "longest": max(counts),
        "histogram": histogram,
    }


def find_percentiles(counts: Counter[int]) -> dict[str, int]:
    """{"5": length, …}: the least length that 5 % of the documents do not exceed (nearest rank)."""
    lengths = sorted(counts)
    passed = list(itertools.accumulate(counts[length] for length in lengths))
    return {
        str(percentile): lengths[bisect.bisect_left(passed, -(-percentile * passed[-1] // 100))]
        for percentile in PERCENTILES
    }


def describe_several(dictionaries: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """How many headwords stand in one, two … dictionaries; those that stand in most of them."""
    several = ((word, names) for word, names in dictionaries.items() if len(names) > 1)
    most = heapq.nsmallest(2 * SHOWN, several, key=lambda item: (-len(item[1]), item[0]))
    return {
        "counts": sorted(Counter(map(len, dictionaries.values())).items()),
        "examples": [{"headword": word, "dictionaries": names} for word, names in most],
    }


def add_headwords(folder: Path, groups: list[dict[str, Any]]) -> None:
    """The headwords of a few groups, which only their two columns need to be read for."""
    found: dict[str, dict[str, None]] = {group["name"]: {} for group in groups}
    for split in SPLITS:
        for row in read_rows(folder / f"{split}.parquet", ["group", "headword"]):
            if row["group"] in found:
                found[row["group"]][row["headword"]] = None
    for group in groups:
        headwords = list(found[group["name"]])
        group |= {"headwords": len(headwords), "examples": headwords[:SHOWN]}


def survey_dropped(path: Path) -> dict[str, Any]:
    """What did not become a document, by reason, with a few examples each."""
    reasons: dict[str, Any] = {}
    with path.open(encoding="utf-8") as file:
        for record in map(json.loads, file):
            reason = reasons.setdefault(record["reason"], {"count": 0, "examples": []})
            reason["count"] += 1
            if len(reason["examples"]) < EXAMPLES:
                example = {name: record[name] for name in ("source", "row")}
                reason["examples"].append({**example, "text": record["text"][:QUOTED]})
    return reasons
