"""A header row says which dictionary a table is; a strange or missing column stops the run."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.dictionaries.layouts import (
    CONCISED,
    IDIOMS,
    LAYOUTS,
    MINI,
    REVISED,
    TITLES,
    clean_header,
    recognise_layout,
)
from hf_zh_dict.messages import InputError


def newest_header(layout):
    """The layout's columns under their newest names."""
    return [names[0] for names in layout.columns.values()]


def recognise(header, source="table.xlsx", sheet="Sheet1", sample=""):
    return recognise_layout(header, source=source, sheet=sheet, sample=sample)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.dictionary)
@given(data=st.data())
def test_columns_are_found_by_name_in_any_order(layout, data):
    header = data.draw(st.permutations(newest_header(layout)))
    found, places = recognise(header, source=f"dict_{layout.dictionary}.xlsx")
    assert found == layout
    assert {key: header[place] for key, place in places.items()} == {
        key: names[0] for key, names in layout.columns.items()
    }


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.dictionary)
def test_every_published_name_of_a_column_is_that_column(layout):
    for key, names in layout.columns.items():
        for name in names:
            header = [name if k == key else others[0] for k, others in layout.columns.items()]
            found, places = recognise(header, source=f"dict_{layout.dictionary}.xlsx")
            assert (found, header[places[key]]) == (layout, name)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.dictionary)
def test_a_published_name_belongs_to_one_column(layout):
    names = [name for names in layout.columns.values() for name in names]
    assert len(names) == len(set(names)) == len(layout.published)
    assert layout.optional <= set(layout.columns)


def test_the_four_titles():
    assert list(TITLES) == ["revised", "concised", "idioms", "mini"]
    assert len(set(TITLES.values())) == 4


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("變體類型 1:變 2:又音 3:語音 4:讀音", "變體類型"),
        ("變體類型\n1:變\n2:又音", "變體類型"),
        (" 字詞　名\ufeff", "字詞名"),
        ("參考成語（正文）", "參考成語(正文)"),
        (None, ""),
        (12.0, "12.0"),
    ],
)
def test_a_header_cell_is_read_by_its_name_alone(cell, name):
    assert clean_header(cell) == name


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.dictionary)
def test_a_missing_column_is_named(layout):
    source = f"dict_{layout.dictionary}.xlsx"
    header = newest_header(layout)
    for key, names in layout.columns.items():
        without = [name for name in header if name != names[0]]
        if key in layout.optional:
            assert key not in recognise(without, source=source)[1]
        else:
            with pytest.raises(InputError, match=f"needs the column “{re.escape(names[0])}”"):
                recognise(without, source=source)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.dictionary)
def test_an_unknown_column_is_named(layout):
    with pytest.raises(InputError, match=f"“備註” is no column of {layout.title}"):
        recognise([*newest_header(layout), "備註"], source=f"dict_{layout.dictionary}.xlsx")


def test_a_renamed_column_is_named_with_the_name_it_should_have():
    header = ["解釋文" if name == "解釋" else name for name in newest_header(MINI)]
    with pytest.raises(InputError, match=r"“解釋”.*“解釋文” is no column of it: rename it back"):
        recognise(header)


def test_empty_header_cells_are_no_columns():
    header = ["", *newest_header(CONCISED), None, " "]
    layout, places = recognise(header, source="dict_concised.xlsx")
    assert layout == CONCISED
    assert places["headword"] == 1


@pytest.mark.parametrize("header", [[], ["", None], ["word", "definition"], ["單字", "頁碼", "冊"]])
def test_any_other_table_is_refused_with_what_was_found(header):
    found = header[0] if header and header[0] else "–"
    with pytest.raises(InputError, match=f"not the header of one of the four.*found: {found}"):
        recognise(header)


@pytest.mark.parametrize("column", ["字數", "異體字", "辭條別名"])
def test_one_column_that_only_the_revised_dictionary_has_is_enough(column):
    header = [*newest_header(CONCISED), column]
    assert recognise(header, source="dict_concised.xlsx", sample="[例]")[0] == REVISED


@pytest.mark.parametrize(
    ("source", "sheet", "sample", "layout"),
    [
        ("dict_revised_2011.xls", "Sheet1", "[例]", REVISED),
        ("重編國語辭典修訂本.csv", "Sheet1", "[例]", REVISED),
        ("table.xlsx", "dict_REVISED", "[例]", REVISED),
        ("dict_concised_2014.xls", "Sheet1", "", CONCISED),
        ("table.xlsx", "國語辭典簡編本", "", CONCISED),
        ("table.xlsx", "Sheet1", "飛鳥。[例]燕子", CONCISED),
        ("table.xlsx", "Sheet1", "飛鳥。如：「燕子」。", REVISED),
    ],
)
def test_old_revised_and_concised_are_told_apart_by_name_and_else_by_content(
    source, sheet, sample, layout
):
    assert recognise(newest_header(CONCISED), source, sheet, sample)[0] == layout


def test_the_two_related_columns_of_old_idiom_editions_are_known():
    assert IDIOMS.published["近義-同"] == IDIOMS.published["近義成語"] == "synonyms"
    assert IDIOMS.published["近義-反"] == IDIOMS.published["反義成語"] == "antonyms"
