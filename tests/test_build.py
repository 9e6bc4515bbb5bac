"""A corpus folder holds three splits, each document once, no word in two, and what was dropped."""

import gc
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


def test_every_view_of_an_entry_lies_in_one_split(tmp_path):
    config = CorpusConfig(recipe="extended")
    facts = build_corpus(config, tmp_path)
    splits, views = defaultdict(set), defaultdict(set)
    counted = Counter()
    for split in SPLITS:
        for row in rows_of(tmp_path, split):
            entry = row["dictionary"], row["entry_id"], row["headword"]
            splits[entry].add(split)
            views[entry].add(row["view"])
            counted[row["view"]] += 1
            for span in row["spans"]:
                assert row["text"][span["start"] : span["end"]]
            assert not set("\t\n") & set(row["text"])
    assert all(len(names) == 1 for names in splits.values())
    assert sum("plain" in names for names in views.values()) == facts["entries"] == len(views)
    assert facts["views"] == counted
    assert set(counted) == {
        "plain", "definition", "headword", "reading", "related", "usage", "story"
    }  # fmt: skip
    assert facts["recipe"] == "extended"
    given = sum(isinstance(record, Document) for record in read_documents(config))
    assert given == facts["documents"] + facts["dropped"]["repeated"]


def test_both_recipes_give_an_entry_the_same_split(corpus, tmp_path):
    build_corpus(CorpusConfig(min_groups=10, recipe="extended"), tmp_path)
    for split in SPLITS:
        plain = [row["text"] for row in rows_of(tmp_path, split) if row["view"] == "plain"]
        assert plain == list(read_texts(corpus[0] / f"{split}.parquet"))


def test_lines_made_of_one_entry_stay_together_without_headwords(tmp_path):
    """What an enlarged corpus holds: each entry as several sentences, its headword anywhere."""
    generator = random.Random(0)

    def word(length):
        return "".join(chr(generator.randrange(0x4E00, 0x9000)) for _ in range(length))

    entries = [(word(2), word(60)) for _ in range(200)]
    frames = (
        "有個詞語，意思是{1}，就是{0}。",
        "請問{0}是什麼？就是{1}。",
        "老師說：{1}。叫做{0}。",
    )
    made = [
        (number, frame.format(*entry)) for number, entry in enumerate(entries) for frame in frames
    ]
    generator.shuffle(made)
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(text for _, text in made), encoding="utf-8")
    folder = tmp_path / "corpus"
    folder.mkdir()
    facts = build_corpus(CorpusConfig(source="text", files=(str(path),)), folder)
    entry_of = {text: number for number, text in made}
    groups = defaultdict(set)
    for split in SPLITS:
        for row in rows_of(folder, split):
            groups[entry_of[row["text"]]].add((split, row["group"]))
    assert all(len(found) == 1 for found in groups.values())
    assert facts["groups"] == len(set.union(*groups.values())) == 200
    assert sorted(path.name for path in folder.iterdir()) == [
        "dropped.jsonl", "test.parquet", "train.parquet", "validation.parquet"
    ]  # fmt: skip


def test_the_terms_beside_a_table_are_copied(write_table, tmp_path):
    header = ["單字", "部首", "單字筆畫", "部首外筆畫", "注音", "解釋"]
    rows = [{"單字": chr(0x4E00 + n), "解釋": f"&&第ㄉㄧˋ&&{n}。"} for n in range(40)]
    table = write_table(header, rows, "dict_mini_2019_20241223.xlsx")
    terms = table.parent / "license" / "minidict_10312.pdf"
    terms.parent.mkdir()
    terms.write_bytes(b"%PDF-1.4 terms")
    folder = tmp_path / "corpus"
    folder.mkdir()
    config = CorpusConfig(source="spreadsheets", files=(str(table),), min_groups=5)
    described = build_corpus(config, folder)["inputs"]
    assert [(i["dictionary"], i["edition"], i["terms"]) for i in described] == [
        ("mini", "2019_20241223", "minidict_10312.pdf")
    ]
    assert (folder / "license" / terms.name).read_bytes() == terms.read_bytes()
    terms.unlink()
    other = tmp_path / "other"
    other.mkdir()
    assert build_corpus(config, other)["inputs"][0]["terms"] == ""
    assert not (other / "license").exists()


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


def test_a_file_that_cannot_be_read_leaves_no_file_open(lines, tmp_path):
    lines.write_bytes("燈塔\n".encode() + b"\xbf\n")
    with pytest.raises(InputError, match="line 2 is not UTF-8"):
        build_corpus(CorpusConfig(source="text", files=(str(lines),)), tmp_path)
    gc.collect()  # a file left open would warn here


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
