"""Every source gives the same kind of records: documents whose spans hold, and what was dropped."""

import hashlib
import re
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import entries, texts

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.hub_dataset import open_hub_dataset
from hf_zh_dict.corpus.lines import headword_of, make_document
from hf_zh_dict.corpus.sources import describe_inputs, find_terms, read_documents, source_files
from hf_zh_dict.dictionaries.entry import Document
from hf_zh_dict.dictionaries.reader import Dropped
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.messages import InputError

LINES = ["燈塔：岸邊的塔，夜裡亮燈。", "", "石磨　磨米的石器。", "  ", "【水車】利用水力的車。"]


def text_config(*paths):
    return CorpusConfig(source="text", files=tuple(map(str, paths)))


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def local_repository(tmp_path):
    """A folder that `datasets` loads as it loads a dataset repository."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "train.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    (folder / "test.txt").write_text("水井：取水的井。\n", encoding="utf-8")
    return folder


# Lines of text


@given(entries().filter(lambda entry: any(r.bopomofo for r in entry.readings)))
def test_a_line_that_is_a_rendered_entry_keeps_its_spans_and_links(entry):
    rendered = render_document(entry)
    document = make_document(rendered.text + "\r\n", "lines", "lines.txt", 3)
    assert document == Document(
        rendered.text, entry.headword, "lines", "3", "line", rendered.spans, rendered.links
    )


@given(st.text() | texts)
@example("學\u200b校：上課的地方")
@example("燈\ufeff塔　岸邊的塔。")
@example("「「」　。")
def test_any_other_line_is_a_document_that_starts_with_its_headword_or_is_dropped(line):
    record = make_document(line, "lines", "lines.txt", 3)
    if isinstance(record, Dropped):
        assert record == Dropped("empty line", "lines.txt", 3, "")
        assert not line.strip("\r\n\t\ufeff \u3000")
        return
    assert record.headword
    assert not {"\n", "\r", "\t"} & set(record.text)
    assert record.spans[0].field == "headword"
    assert record.text[record.spans[0].start : record.spans[0].end] == record.headword


@pytest.mark.parametrize(
    ("line", "headword"),
    [
        ("燈塔：岸邊的塔。", "燈塔"),
        ("燈塔　岸邊的塔。", "燈塔"),
        ("燈塔 dēng tǎ", "燈塔"),
        ("燈塔(名)", "燈塔"),
        ("【燈塔】岸邊的塔。", "燈塔"),
        ("　《燈塔記》，書名。", "燈塔記"),
        ("燈塔", "燈塔"),
        ("燈塔-岸邊", "燈塔"),
        (
            "沒有任何標點的一行文字會用開頭二十個字作為它的詞目",
            "沒有任何標點的一行文字會用開頭二十個字作",
        ),
        ("，開頭是標點", "，"),
    ],
)
def test_the_headword_of_a_line_is_what_stands_before_the_first_separator(line, headword):
    assert headword_of(line) == headword


def test_a_text_file_is_a_document_a_line(text_file):
    records = list(read_documents(text_config(text_file)))
    documents = [record for record in records if isinstance(record, Document)]
    assert [document.text for document in documents] == [line for line in LINES if line.strip()]
    assert [document.headword for document in documents] == ["燈塔", "石磨", "水車"]
    assert [document.entry_id for document in documents] == ["1", "3", "5"]
    assert {(d.dictionary, d.view) for d in documents} == {("lines", "line")}
    assert [record.row for record in records if isinstance(record, Dropped)] == [2, 4]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_byte_order_marks_and_line_endings_leave_no_trace(tmp_path, encoding, ending):
    path = tmp_path / "lines.txt"
    path.write_bytes(ending.join(LINES).encode(encoding))
    found = [record.text for record in read_documents(text_config(path)) if record.text]
    assert found == [line for line in LINES if line.strip()]


def test_a_parquet_file_is_a_document_a_row(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3, 4], "text": [*LINES[:3], None]}), path)
    records = list(read_documents(text_config(path)))
    assert [record.text for record in records] == [LINES[0], "", LINES[2], ""]
    assert [record.entry_id for record in records if isinstance(record, Document)] == ["1", "3"]


def test_a_local_repository_is_read_split_by_split(local_repository):
    config = CorpusConfig(source="hub", repo_id=str(local_repository))
    documents = [record for record in read_documents(config) if isinstance(record, Document)]
    assert [d.headword for d in documents] == ["燈塔", "石磨", "水車", "水井"]
    assert [d.entry_id for d in documents] == ["1", "3", "5", "1"]
    assert {d.dictionary for d in documents} == {"repository"}


def test_only_the_named_files_of_a_repository_are_read(local_repository):
    config = CorpusConfig(source="hub", repo_id=str(local_repository), data_files=("test.txt",))
    assert [document.headword for document in read_documents(config)] == ["水井"]


# What is refused


def test_a_line_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("燈塔\n".encode() * 5000 + b"\xbfO\xb6\xf0\n" + "燈塔\n".encode())
    with pytest.raises(InputError, match=r"lines\.txt: line 5001 is not UTF-8"):
        list(read_documents(text_config(path)))


def test_a_parquet_file_without_text_says_what_it_has(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": [1], "content": ["燈塔"]}), path)
    with pytest.raises(InputError, match="needs a column “text”; it has id, content"):
        list(read_documents(text_config(path)))


def test_a_repository_without_text_says_what_it_has(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"content": "燈塔"}\n', encoding="utf-8")
    config = CorpusConfig(source="hub", repo_id=str(tmp_path))
    with pytest.raises(InputError, match="needs a column “text”; it has content"):
        list(read_documents(config))


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="not a Parquet file"):
        list(read_documents(text_config(path)))


def test_a_missing_file_is_named_before_anything_is_read(text_file, tmp_path):
    config = text_config(text_file, tmp_path / "none.txt")
    with pytest.raises(InputError, match=r"none\.txt: there is no such file"):
        next(read_documents(config))


@pytest.mark.parametrize("name", ["empty.txt", "empty.csv"])
def test_a_file_without_any_document_is_refused(write_table, tmp_path, name):
    if name.endswith(".csv"):
        header = ["單字", "部首", "單字筆畫", "部首外筆畫", "注音", "解釋"]
        config = CorpusConfig(source="spreadsheets", files=(str(write_table(header, [], name)),))
    else:
        (tmp_path / name).write_text("\n \n", encoding="utf-8")
        config = text_config(tmp_path / name)
    with pytest.raises(InputError, match=f"{re.escape(name)}: holds no text"):
        list(read_documents(config))


@pytest.mark.parametrize("repo_id", ["nobody/no-such-dataset", "no such name"])
def test_a_repository_out_of_reach_is_one_sentence_with_the_way_out(repo_id):
    config = CorpusConfig(source="hub", repo_id=repo_id)
    with pytest.raises(InputError, match=r"cannot be read .*check the network.*--corpus\.source"):
        open_hub_dataset(config)


# The dictionaries


def test_the_embedded_source_is_the_four_tables():
    config = CorpusConfig()
    assert [path.stem for path in source_files(config)] == ["concised", "idioms", "mini", "revised"]
    documents = [record for record in read_documents(config) if isinstance(record, Document)]
    assert {document.dictionary for document in documents} == {
        "concised",
        "idioms",
        "mini",
        "revised",
    }
    assert {document.view for document in documents} == {"plain"}


def test_spreadsheets_are_read_in_the_order_given(write_table):
    header = ["單字", "部首", "單字筆畫", "部首外筆畫", "注音", "解釋"]
    paths = [
        write_table(header, [{"單字": character, "解釋": "&&字ㄗˋ&&。"}], f"{name}.xlsx")
        for character, name in (("燈", "b"), ("塔", "a"))
    ]
    config = CorpusConfig(source="spreadsheets", files=tuple(map(str, paths)))
    assert [document.text for document in read_documents(config)] == ["燈　字。", "塔　字。"]


def test_inputs_are_described_by_name_and_content(text_file, tmp_path):
    described = describe_inputs(text_config(text_file))
    digest = hashlib.sha256(text_file.read_bytes()).hexdigest()
    assert described == [{"name": "lines.txt", "sha256": digest, "edition": ""}]
    copy = tmp_path / "elsewhere" / "lines.txt"
    copy.parent.mkdir()
    copy.write_bytes(text_file.read_bytes())
    assert describe_inputs(text_config(copy)) == described
    copy.write_bytes(b"x")
    assert describe_inputs(text_config(copy)) != described
    published = copy.rename(copy.with_name("dict_mini_2019_20241223.csv"))
    assert describe_inputs(text_config(published))[0]["edition"] == "2019_20241223"


def test_the_terms_of_a_dictionary_are_found_beside_its_table(tmp_path):
    table = tmp_path / "dict_mini_2019_20241223.xlsx"
    assert find_terms(table, "mini") is None
    for name in ("revised_terms.pdf", "minidict_10312.txt"):
        (tmp_path / name).touch()
    assert find_terms(table, "mini") is None
    beside, inside = tmp_path / "minidict_10312.pdf", tmp_path / "license" / "minidict_10411.pdf"
    beside.touch()
    assert find_terms(table, "mini") == beside
    inside.parent.mkdir()
    inside.touch()
    assert find_terms(table, "mini") == inside
    assert find_terms(table, "revised") == tmp_path / "revised_terms.pdf"


def test_the_recipe_extended_gives_several_views_of_each_entry():
    views = Counter(
        record.view
        for record in read_documents(CorpusConfig(recipe="extended"))
        if isinstance(record, Document)
    )
    plain = sum(isinstance(record, Document) for record in read_documents(CorpusConfig()))
    assert views["plain"] == plain
    assert plain >= views["definition"] >= views["headword"] > plain * 0.9


def test_a_repository_is_described_by_name_revision_and_files():
    config = CorpusConfig(source="hub", repo_id="a/b", revision="v1", data_files=("c.txt",))
    assert describe_inputs(config) == [
        {"name": "a/b", "revision": "v1", "files": "c.txt", "config": ""}
    ]


def test_a_dataset_repository_is_read_through_load_dataset(tmp_path):
    """A folder stands in for the repository: the same call, the same builder."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "one.txt").write_text("水：無色的液體。\n\n火：燃燒的現象。\n", encoding="utf-8")
    (folder / "two.txt").write_text("山：高起的地方。\n", encoding="utf-8")
    config = CorpusConfig(source="hub", repo_id=str(folder), data_files=("one.txt",))
    records = list(read_documents(config))
    documents = [record for record in records if isinstance(record, Document)]
    assert [document.headword for document in documents] == ["水", "火"]
    assert [document.text for document in documents] == ["水：無色的液體。", "火：燃燒的現象。"]
    assert [record.reason for record in records if isinstance(record, Dropped)] == ["empty line"]
    with pytest.raises(InputError, match="cannot be read"):
        list(
            read_documents(CorpusConfig(source="hub", repo_id=str(folder), data_files=("no.txt",)))
        )
