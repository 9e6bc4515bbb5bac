"""Rows come back from their file as they were, also behind a killed run and whatever they say."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hf_zh_dict.records import append_row, cut_back, read_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def fill(path, rows):
    for row in rows:
        append_row(path, row)


numbers = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False)
row_contents = st.dictionaries(st.text(max_size=5), numbers | st.booleans() | st.text() | st.none())


@given(contents=st.lists(row_contents, min_size=1, max_size=5))
@example(contents=[{"text": "橋\n燈\r\n霧"}, {}])
@example(contents=[{"text": "a line separator \u2028 and \u2029"}, {"text": "next line \x85"}])
def test_what_is_written_is_read_back(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("rows") / "samples.jsonl"
    rows = [{**content, "step": step} for step, content in enumerate(contents)]
    fill(path, rows)
    assert read_rows(path) == rows
    assert path.read_bytes().count(b"\n") == len(rows)
    cut_back(path, 1)
    assert read_rows(path) == rows[:2]


def test_chinese_is_readable_in_the_file(path):
    append_row(path, {"step": 1, "text": "青石橋"})
    assert path.read_text(encoding="utf-8") == '{"step": 1, "text": "青石橋"}\n'


def test_a_loss_that_is_no_number_comes_back_as_such(path):
    append_row(path, {"step": 1, "loss": float("nan")})
    assert math.isnan(read_rows(path)[0]["loss"])


def test_a_file_that_is_not_there_has_no_rows(path):
    assert read_rows(path) == []


@pytest.mark.parametrize("half", ["{", '{"step": 3, "lo', '{"step": 3, "text": "橋'])
def test_a_half_written_last_line_does_not_count_and_cutting_back_mends_it(path, half):
    rows = [{"step": 1}, {"step": 2, "loss": 0.1}]
    fill(path, rows)
    with path.open("a", encoding="utf-8") as file:
        file.write(half)
    assert read_rows(path) == rows
    cut_back(path, 2)
    append_row(path, {"step": 3})
    assert read_rows(path) == [*rows, {"step": 3}]


def test_a_last_line_cut_inside_a_character_does_not_count(path):
    fill(path, [{"step": 1, "text": "橋"}, {"step": 2, "text": "燈"}])
    path.write_bytes(path.read_bytes().removesuffix('燈"}\n'.encode()) + "燈".encode()[:2])
    assert read_rows(path) == [{"step": 1, "text": "橋"}]


@pytest.mark.parametrize("step", [0, 1, 4, 9])
def test_cutting_back_leaves_the_rows_up_to_the_step(path, step):
    rows = [{"step": s, "kind": kind, "value": s / 3} for s in range(1, 6) for kind in "ab"]
    fill(path, rows)
    cut_back(path, step)
    assert read_rows(path) == [row for row in rows if row["step"] <= step]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_cutting_back_where_nothing_is_to_cut_changes_no_byte(path):
    fill(path, [{"step": 1, "text": "霧燈", "value": 1e-7}, {"step": 2}])
    before = path.read_bytes()
    cut_back(path, 2)
    assert path.read_bytes() == before
