"""Measures, however deep they stand, become tables for a screen and for Markdown."""

from hf_zh_dict.evaluation.tables import (
    arrange_measures,
    find_measures,
    format_measure,
    write_markdown,
)

NUMBER = {"value": 0.5, "low": 0.25, "high": 0.75, "chance": 0.1, "count": 4}
BARE = {"value": 2, "count": 1}
RESULTS = {
    "test": {"mini": {"one": NUMBER, "two": BARE}, "revised": {"one": BARE}, "documents": 7},
    "entries": {"mini": {"wanted": 3}},
}


def test_a_measure_is_told_with_interval_and_chance():
    assert format_measure(NUMBER, "chance {chance:.3f}") == "0.500 (0.250–0.750; chance 0.100)"
    assert format_measure(BARE, "") == "2.000"


def test_measures_are_found_by_their_value():
    assert list(find_measures(RESULTS)) == [
        (("test", "mini", "one"), NUMBER),
        (("test", "mini", "two"), BARE),
        (("test", "revised", "one"), BARE),
    ]


def test_measures_stand_side_by_side_up_to_a_width():
    (table,) = arrange_measures(RESULTS)
    assert list(table.names) == ["one", "two"]
    assert table.rows == {
        ("test", "mini"): {"one": NUMBER, "two": BARE}, ("test", "revised"): {"one": BARE},
    }  # fmt: skip
    first, second = arrange_measures(RESULTS, columns=1)
    assert (list(first.names), list(second.names)) == (["one"], ["two"])
    assert list(second.rows) == [("test", "mini")]


def test_markdown_holds_every_measure():
    assert write_markdown("bits", RESULTS) == (
        "| bits | one | two |\n"
        "|---|--:|--:|\n"
        "| test mini | 0.500 (0.250–0.750; 機會 chance 0.100) | 2.000 |\n"
        "| test revised | 2.000 | |\n"
    )
    assert write_markdown("bits", {"documents": 3}) == ""
    wide = {"test": {str(number): BARE for number in range(5)}}
    assert write_markdown("bits", wide).count("\n\n| bits |") == 1
