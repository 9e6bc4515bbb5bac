"""Sheets hide which text is the model's; what judges answer is read back against the key."""

import csv

import pytest

from hf_zh_dict.evaluation.judging import KEY, PAGE, SHEET, Item, read_judgement, write_sheets
from hf_zh_dict.messages import InputError

ITEMS = [
    Item(side, "revised", f"組{n}", 50, "sampled", f"詞{n}　{side[0]}用", f"模型寫的{n}" + "喔" * n, f"辭典原有{n}")
    for n in range(20)
    for side in ("train", "held-out")
]  # fmt: skip


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(folder, answer):
    """The sheet with answers: `answer` gets a row and the key's letter of the model."""
    key = {row["item"]: row["model"] for row in read(folder / KEY)}
    filled = folder / "judged.csv"
    with filled.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["item", "better"])
        for row in read(folder / SHEET):
            sheet.writerow([row["item"], answer(row, key[row["item"]])])
    return filled


def test_the_sheet_hides_and_the_key_tells(tmp_path):
    assert write_sheets(tmp_path, ITEMS, seed=0) == tmp_path / SHEET
    rows, key = read(tmp_path / SHEET), {row["item"]: row for row in read(tmp_path / KEY)}
    assert len(rows) == len(key) == len(ITEMS)
    assert set(rows[0]) == {"item", "prompt", "A", "B", "better"}
    for row in rows:
        other = {"A": "B", "B": "A"}[key[row["item"]]["model"]]
        assert row[key[row["item"]]["model"]].startswith("模型寫的")
        assert row[other].startswith("辭典原有")
        assert len(row["A"]) == len(row["B"])
    sides = {key[row["item"]]["model"] for row in rows}
    assert sides == {"A", "B"}
    assert [row["prompt"] for row in rows] != [item.prompt for item in ITEMS]


def test_the_page_shows_every_text_and_nothing_of_the_key(tmp_path):
    write_sheets(
        tmp_path, [*ITEMS, Item("train", "mini", "組", 50, "sampled", "<b>", "甲", "乙")], seed=0
    )
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    for row in read(tmp_path / SHEET):
        assert f'name="{row["item"]}"' in page
    assert "詞19" in page
    assert "&lt;b&gt;" in page
    for word in ("revised", "held-out", "sampled", "組1"):
        assert word not in page


def test_a_seed_gives_the_same_sheet(tmp_path):
    first = write_sheets(tmp_path / "1", ITEMS, seed=3).read_bytes()
    assert write_sheets(tmp_path / "2", ITEMS, seed=3).read_bytes() == first
    assert write_sheets(tmp_path / "3", ITEMS, seed=4).read_bytes() != first


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda _row, model: model, 1.0),
        (lambda _row, model: {"A": "b", "B": "a "}[model], 0.0),
        (lambda _row, _model: "=", 0.5),
    ],
)
def test_answers_are_counted(tmp_path, answer, expected):
    write_sheets(tmp_path, ITEMS, seed=0)
    results = read_judgement(fill(tmp_path, answer), tmp_path, seed=0)
    assert set(results) == {"train", "held-out"}
    for side in results.values():
        for place in ("all", "revised"):
            assert side[place]["preferred"]["value"] == expected
            assert side[place]["preferred"]["count"] == 20


def test_rows_without_an_answer_do_not_count(tmp_path):
    write_sheets(tmp_path, ITEMS, seed=0)
    train = {row["item"] for row in read(tmp_path / KEY) if row["side"] == "train"}
    filled = fill(tmp_path, lambda row, model: model if row["item"] in train else "")
    assert set(read_judgement(filled, tmp_path, seed=0)) == {"train"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _row, _model: "C", r"row 2: “C” is no answer; write A, B or ="),
        (lambda _row, _model: "", "has no answer"),
    ],
)
def test_what_is_no_answer_is_told(tmp_path, answer, message):
    write_sheets(tmp_path, ITEMS, seed=0)
    filled = fill(tmp_path, answer)
    with pytest.raises(InputError, match=message):
        read_judgement(filled, tmp_path, seed=0)


def test_another_run_s_sheet_is_told(tmp_path):
    write_sheets(tmp_path / "ours", ITEMS, seed=0)
    write_sheets(tmp_path / "theirs", ITEMS[:4], seed=9)
    filled = fill(tmp_path / "ours", lambda _row, model: model)
    with pytest.raises(InputError, match="another run's sheet"):
        read_judgement(filled, tmp_path / "theirs", seed=0)
    filled.write_text("item\n甲\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column “better”"):
        read_judgement(filled, tmp_path / "ours", seed=0)
    with pytest.raises(InputError, match="cannot be read"):
        read_judgement(tmp_path / "none.csv", tmp_path / "ours", seed=0)
