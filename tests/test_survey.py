"""A tiny corpus is counted as a person would count it; what is counted adds up."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus.build import corpus_features, read_rows
from hf_zh_dict.corpus.survey import EDGES, SHOWN, describe_lengths, find_percentiles, take_survey
from hf_zh_dict.paths import SPLITS


def document(text, headword, dictionary, entry_id, group, view="plain", spans=()):
    listed = [{"field": field, "start": start, "end": end} for field, start, end in spans]
    return {"text": text, "headword": headword, "dictionary": dictionary, "entry_id": entry_id,
            "group": group, "view": view, "spans": listed}  # fmt: skip


DOCUMENTS = {
    "train": [
        document("水　ㄕㄨㄟˇ　河水。", "水", "mini", "1", "水", "plain",
                 [("headword", 0, 1), ("bopomofo", 2, 6), ("definition", 7, 10)]),
        document("「水」讀作ㄕㄨㄟˇ。", "水", "mini", "1", "水", "reading",
                 [("headword", 1, 2), ("bopomofo", 5, 9)]),
        document("水　水的全部。", "水", "revised", "7", "水", "plain",
                 [("headword", 0, 1), ("definition", 2, 7)]),
        document("河　見水。", "河", "revised", "8", "水", "plain", [("headword", 0, 1)]),
    ],
    "validation": [document("火　光。", "火", "mini", "2", "火", "plain", [("headword", 0, 1)])],
    "test": [document("山　〓。", "山", "mini", "3", "山", "plain", [("headword", 0, 1)])],
}  # fmt: skip
DROPPED = [
    {"reason": "no definition", "source": "mini.csv", "row": row, "text": f"第{row}列" * 40}
    for row in (2, 3, 5, 8)
] + [{"reason": "repeated", "source": "mini", "row": 0, "text": "水　ㄕㄨㄟˇ　河水。"}]


@pytest.fixture
def survey(tmp_path):
    """What is counted of that corpus."""
    schema = corpus_features().arrow_schema
    for split, rows in DOCUMENTS.items():
        pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / f"{split}.parquet")
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in DROPPED)
    (tmp_path / "dropped.jsonl").write_text("".join(lines), encoding="utf-8")
    return take_survey(tmp_path)


def test_documents_and_lengths(survey):
    assert (survey["documents"], survey["characters"]) == (6, 40)
    everything = survey["lengths"]["all"]
    assert everything["histogram"][:9] == [0, 0, 0, 2, 1, 1, 0, 2, 0]
    assert everything["percentiles"] == {
        "5": 4, "25": 4, "50": 5, "75": 10, "95": 10, "99": 10,
    }  # fmt: skip
    assert (everything["shortest"], everything["longest"]) == (4, 10)
    rows = [(row["dictionary"], row["view"], row["documents"], row["characters"])
            for row in survey["lengths"]["rows"]]  # fmt: skip
    assert rows == [
        ("mini", "plain", 3, 18),
        ("revised", "plain", 2, 12),
        ("mini", "reading", 1, 10),
    ]


def test_fields(survey):
    assert survey["fields"] == {
        "bopomofo": {"characters": 8, "passages": 2},
        "definition": {"characters": 8, "passages": 2},
        "headword": {"characters": 6, "passages": 6},
    }


def test_groups_count_entries_and_documents(survey):
    assert survey["groups"]["sizes"] == [(1, 2), (3, 1)]
    assert survey["groups"]["largest"][0] == {
        "name": "水", "entries": 3, "documents": 4, "headwords": 2, "examples": ["水", "河"]
    }  # fmt: skip


def test_headwords_of_several_dictionaries(survey):
    assert survey["several"] == {
        "counts": [(1, 3), (2, 1)],
        "examples": [{"headword": "水", "dictionaries": ("mini", "revised")}],
    }


def test_characters_of_held_out_text_that_train_has_not(survey):
    assert dict(survey["script"]["unseen"]["listed"]) == dict.fromkeys("火光山〓", 1)


def test_the_longest_come_first_and_equal_ones_in_their_order(survey):
    told = [(item["characters"], item["headword"], item["view"]) for item in survey["longest"]]
    assert told[:3] == [(10, "水", "plain"), (10, "水", "reading"), (7, "水", "plain")]
    assert survey["longest"][0]["split"] == "train"


def test_the_sample_has_the_most_fields(survey):
    assert survey["sample"]["text"] == DOCUMENTS["train"][0]["text"]


def test_drops_have_reasons_and_a_few_examples(survey):
    dropped = survey["dropped"]
    assert {reason: told["count"] for reason, told in dropped.items()} == {
        "no definition": 4, "repeated": 1,
    }  # fmt: skip
    examples = dropped["no definition"]["examples"]
    assert [example["row"] for example in examples] == [2, 3, 5]
    assert examples[0]["source"] == "mini.csv"
    assert len(examples[0]["text"]) == 60


def test_a_real_corpus_adds_up(embedded_corpus):
    folder, facts = embedded_corpus
    survey = take_survey(folder)
    assert json.loads(json.dumps(survey, ensure_ascii=False))
    assert survey["documents"] == facts["documents"]
    assert survey["characters"] == sum(s["characters"] for s in facts["splits"].values())
    assert sum(row["documents"] for row in survey["lengths"]["rows"]) == survey["documents"]
    assert sum(survey["lengths"]["all"]["histogram"]) == survey["documents"]
    assert sum(size * groups for size, groups in survey["groups"]["sizes"]) == sum(
        facts["dictionaries"].values()
    )
    assert sum(groups for _size, groups in survey["groups"]["sizes"]) == facts["groups"]
    lengths = [
        len(row["text"])
        for split in SPLITS
        for row in read_rows(folder / f"{split}.parquet", ["text"])
    ]
    assert [item["characters"] for item in survey["longest"]] == sorted(lengths)[: -SHOWN - 1 : -1]


@given(st.lists(st.integers(1, 2_000_000), min_size=1))
def test_lengths_are_counted_once_each(lengths):
    counts = Counter(lengths)
    described = describe_lengths(counts)
    assert sum(described["histogram"]) == described["documents"] == len(lengths)
    for low, high, count in zip(EDGES, [*EDGES[1:], 1 << 60], described["histogram"], strict=True):
        assert count == sum(low <= length < high for length in lengths)
    for percentile, length in find_percentiles(counts).items():
        assert 100 * sum(other <= length for other in lengths) >= int(percentile) * len(lengths)
        assert 100 * sum(other < length for other in lengths) < int(percentile) * len(lengths)
