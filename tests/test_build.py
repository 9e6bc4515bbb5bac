"""A corpus folder holds three splits, each document once, no word in two, and what was dropped."""

import json
import random
from collections import Counter, defaultdict

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.build import (
    build_corpus,
    corpus_features,
    corpus_fingerprint,
    read_rows,
    read_texts,
)
from hf_zh_dict.corpus.sources import read_documents
from hf_zh_dict.dictionaries.entry import Document
from hf_zh_dict.dictionaries.normalize import normalize_headword
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import SPLITS

CONFIG = CorpusConfig(min_groups=10)
COLUMNS = ["text", "headword", "dictionary", "entry_id", "group", "view", "spans"]


def rows_of(folder, split):
    return list(read_rows(folder / f"{split}.parquet", COLUMNS))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The embedded dictionaries' corpus: folder and facts."""
    folder = tmp_path_factory.mktemp("corpus")
    return folder, build_corpus(CONFIG, folder)


@pytest.fixture
def lines(tmp_path):
    """A text file of forty words, some of which come again with other punctuation or text."""
    path = tmp_path / "lines.txt"
    words = [f"{a}{b}" for a in "山水風雨花草魚鳥" for b in "石木船燈橋"]
    again = ["山石：又一條。", "「山石」：第三條。", "山石：詞條。", "", "ＡＢ制：一", "AB制：二"]
    path.write_text("\n".join([f"{word}：詞條。" for word in words] + again), encoding="utf-8")
    return path


def test_the_folder_holds_these_files_and_no_others(corpus):
    names = sorted(path.name for path in corpus[0].iterdir())
    assert names == ["dropped.jsonl", "test.parquet", "train.parquet", "validation.parquet"]


def test_every_document_of_the_source_lies_in_one_split(corpus):
    folder, facts = corpus
    found = Counter(row["text"] for split in SPLITS for row in rows_of(folder, split))
    given = {record.text for record in read_documents(CONFIG) if isinstance(record, Document)}
    assert set(found) == given
    assert set(found.values()) == {1}
    assert facts["documents"] == len(found)


def test_no_group_lies_in_two_splits_and_its_smallest_headword_names_it(corpus):
    folder, _facts = corpus
    groups = {split: {row["group"] for row in rows_of(folder, split)} for split in SPLITS}
    assert sum(map(len, groups.values())) == len(set.union(*groups.values()))
    assert len(groups["validation"]) == len(groups["test"]) == 10
    members = defaultdict(set)
    for split in SPLITS:
        for row in rows_of(folder, split):
            members[row["group"]].add(normalize_headword(row["headword"]))
    assert all(group == min(headwords) for group, headwords in members.items())
    assert any(len(headwords) > 1 for headwords in members.values())


def test_headwords_that_name_each_other_lie_in_one_group(corpus):
    folder, facts = corpus
    group_of = {
        normalize_headword(row["headword"]): row["group"]
        for split in SPLITS
        for row in rows_of(folder, split)
    }
    named = [
        (normalize_headword(document.headword), name)
        for document in read_documents(CONFIG)
        for name in getattr(document, "links", ())
        if name in group_of
    ]
    assert len(named) > 20
    assert facts["links"]["cut"] == 0
    assert all(group_of[headword] == group_of[name] for headword, name in named)


def test_rows_are_the_documents_with_their_spans(corpus):
    folder, _facts = corpus
    documents = {d.text: d for d in read_documents(CONFIG) if isinstance(d, Document)}
    for row in rows_of(folder, "validation"):
        document = documents[row["text"]]
        assert (row["headword"], row["dictionary"], row["entry_id"], row["view"]) == (
            document.headword,
            document.dictionary,
            document.entry_id,
            "plain",
        )
        assert [tuple(span.values()) for span in row["spans"]] == [
            (span.field, span.start, span.end) for span in document.spans
        ]


def test_the_facts_count_what_is_there(corpus):
    folder, facts = corpus
    for split in SPLITS:
        rows = rows_of(folder, split)
        assert facts["splits"][split] == {
            "documents": len(rows),
            "groups": len({row["group"] for row in rows}),
            "characters": sum(len(row["text"]) for row in rows),
        }
        assert list(read_texts(folder / f"{split}.parquet")) == [row["text"] for row in rows]
    assert sum(facts["dictionaries"].values()) == facts["documents"]
    assert set(facts["dictionaries"]) == {"concised", "idioms", "mini", "revised"}


def test_the_parquet_files_load_as_a_dataset_with_these_columns(corpus):
    folder, facts = corpus
    files = {split: str(folder / f"{split}.parquet") for split in SPLITS}
    splits = load_dataset("parquet", data_files=files)
    for split in SPLITS:
        assert splits[split].features == corpus_features()
        assert len(splits[split]) == facts["splits"][split]["documents"]
        schema = pq.read_schema(files[split])
        assert schema.names == COLUMNS


def test_what_is_dropped_is_written_down_with_its_reason(lines, tmp_path):
    facts = build_corpus(CorpusConfig(source="text", files=(str(lines),), min_groups=5), tmp_path)
    with (tmp_path / "dropped.jsonl").open(encoding="utf-8") as file:
        dropped = [json.loads(line) for line in file]
    assert facts["dropped"] == {"empty line": 1, "repeated": 1}
    assert {record["reason"]: record["text"] for record in dropped} == {
        "empty line": "",
        "repeated": "山石：詞條。",
    }
    assert all(set(record) == {"reason", "source", "row", "text"} for record in dropped)


def test_lines_of_one_headword_stay_together(lines, tmp_path):
    config = CorpusConfig(source="text", files=(str(lines),), min_groups=5)
    build_corpus(config, tmp_path)
    together = Counter(row["group"] for split in SPLITS for row in rows_of(tmp_path, split))
    assert {group: count for group, count in together.items() if count > 1} == {
        "山石": 3,
        "AB制": 2,
    }
    for split in SPLITS:
        inside = Counter(row["group"] for row in rows_of(tmp_path, split))
        assert all(count == together[group] for group, count in inside.items())


def test_the_order_of_lines_changes_no_split(lines, tmp_path):
    splits = []
    for seed in (1, 2):
        texts = lines.read_text(encoding="utf-8").split("\n")
        random.Random(seed).shuffle(texts)
        lines.write_text("\n".join(texts), encoding="utf-8")
        folder = tmp_path / str(seed)
        folder.mkdir()
        build_corpus(CorpusConfig(source="text", files=(str(lines),), min_groups=5), folder)
        splits.append({split: set(read_texts(folder / f"{split}.parquet")) for split in SPLITS})
    assert splits[0] == splits[1]


def test_the_same_inputs_give_the_same_files(corpus, tmp_path):
    build_corpus(CONFIG, tmp_path)
    for path in corpus[0].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_corpus_too_small_to_divide_is_refused(lines, tmp_path):
    with pytest.raises(InputError, match="41 headwords are too few to hold out 60"):
        build_corpus(CorpusConfig(source="text", files=(str(lines),), min_groups=30), tmp_path)


def test_the_fingerprint_follows_content_and_settings_but_not_the_folder(lines, tmp_path):
    def of(path, **settings):
        return corpus_fingerprint(CorpusConfig(source="text", files=(str(path),), **settings))

    copy = tmp_path / "elsewhere" / lines.name
    copy.parent.mkdir()
    copy.write_bytes(lines.read_bytes())
    assert of(copy) == of(lines)
    assert len({of(lines), of(lines, seed=1), of(lines, min_groups=3)}) == 3
    copy.write_bytes(lines.read_bytes() + b".")
    assert of(copy) != of(lines)
