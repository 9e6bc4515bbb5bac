"""The frame and the charts: numbers as people read them, bars as long as their numbers."""

import re

import pytest
from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from hf_zh_dict.sharing.page import (
    TEMPLATES,
    code_point,
    format_count,
    format_duration,
    format_number,
    format_share,
    keep_lines,
    known,
    log_places,
    make_visible,
    render_page,
    tone_of,
)


@pytest.fixture
def chart():
    """Draws one chart of charts.html."""
    environment = Environment(autoescape=True, loader=FileSystemLoader(TEMPLATES))
    macros = environment.get_template("charts.html").module

    def draw(name, *values):
        return str(getattr(macros, name)(*values))

    return draw


def test_numbers_are_written_as_people_read_them():
    assert format_count(1234567) == "1,234,567"
    assert format_count(ChainableUndefined().of.something) == "未記錄"
    assert format_share(0.1234) == "12.3\xa0%"
    assert format_share(0.1234, 2) == "12.34\xa0%"
    assert format_share(0) == "0.0\xa0%"
    assert format_share(0.0001) == "< 0.1\xa0%"
    assert format_share(None) == "未記錄"
    assert (known(""), known("水")) == ("未記錄", "水")
    assert [code_point(character) for character in "水 \u3000\ue000"] == [
        "",
        "",
        "U+3000",
        "U+E000",
    ]
    assert [tone_of(number) for number in (0, 8, 9)] == [1, 9, 1]
    assert log_places([1, 10, 100], 100) == [0, 50, 100]


def test_numbers_and_times_that_are_missing_or_none_are_told():
    assert [format_number(number) for number in (5.0133, 1234.5, float("nan"), None)] == [
        "5.013", "1,234.500", "不是有限的數", "未記錄",
    ]  # fmt: skip
    assert format_number(8591.11, 1) == "8,591.1"
    assert [format_duration(seconds) for seconds in (4.4, 304.2, 7384.0, None)] == [
        "4 秒", "5 分 4 秒", "2 小時 3 分", "未記錄",
    ]  # fmt: skip


def test_control_characters_are_not_written():
    assert make_visible("水\x02火\x85\u3000") == "水\ufffd火\ufffd\u3000"


def test_verbatim_lines_keep_their_indentation():
    assert keep_lines("a:\n  b: <c>\n") == "a:&#10;  b: &lt;c&gt;&#10;"


def test_a_page_has_the_frame():
    page = render_page("page.html", {"title": "<水>"})
    assert '<html lang="zh-Hant-TW">' in page
    assert "<title>&lt;水&gt;</title>" in page
    assert "prefers-color-scheme: dark" in page


def test_a_legend_names_each_tone(chart):
    drawn = chart("legend", [{"tone": 2, "name": "水<"}])
    assert drawn.strip() == '<ul class="legend"><li class="tone2">水&lt;</li></ul>'


def test_bars_share_one_scale(chart):
    rows = [
        {"label": "水<", "note": "2", "bars": [{"value": 2, "tone": 1}]},
        {"label": "火", "note": "1", "bars": [{"value": 1, "tone": 1}]},
        {"label": "無", "note": "0", "bars": [{"value": 0, "tone": 1}]},
    ]
    drawn = chart("bars", "水火", rows)
    assert re.findall(r'width="([\d.]+)%" height="12"', drawn) == ["100.00", "50.00", "0.00"]
    assert "水&lt;</text>" in drawn
    for row in rows:
        row["bars"][0]["text"] = "x"
    assert re.findall(r'width="([\d.]+)%" height="12"', chart("bars", "", rows))[0] == "82.00"
    assert "<rect" not in chart("bars", "", [])


def test_a_bar_may_have_an_interval_and_a_chance(chart):
    bar = {"value": 2, "tone": 1, "text": "2.0", "low": 1, "high": 4, "chance": 0}
    drawn = chart("bars", "", [{"label": "水", "note": "", "bars": [bar]}])
    assert re.findall(r'<rect.* width="([\d.]+)%"', drawn) == ["41.00"]
    assert re.findall(r'class="range" x1="([\d.]+)%" x2="([\d.]+)%"', drawn) == [("20.50", "82.00")]
    assert 'class="chance" x1="0.00%"' in drawn
    assert re.search(r'x="82.00%" y="\d+" dx="6">2.0</text>', drawn)
    assert 'width="8.20%"' in chart("bars", "", [{"label": "", "bars": [bar]}], 20)


def test_rows_are_as_high_as_their_bars(chart):
    bar = {"value": 1, "tone": 1}
    rows = [{"label": "水", "bars": [bar] * number} for number in (1, 3)]
    drawn = chart("bars", "", rows)
    assert 'height="128"' in drawn
    assert re.findall(r'<rect class="tone1" x="0" y="(\d+)"', drawn) == ["21", "70", "85", "100"]


def test_lines_are_drawn_in_pieces_with_dots_and_levels(chart):
    series = [{"tone": 2, "dots": True, "lines": [[[0, 10], [20, 30]], [[100, 50]]]}]
    drawn = chart("lines", "<水>", {
        "series": series, "levels": [{"tone": 3, "y": 25}], "x_ticks": [[0, "0"]],
        "y_ticks": [[50, "5"]],
    })  # fmt: skip
    assert 'aria-label="&lt;水&gt;"' in drawn
    assert re.findall(r'<polyline class="tone2" points="(.*?) "', drawn) == ["0,90.00 20,70.00", "100,50.00"]  # fmt: skip
    assert drawn.count('<circle class="dot tone2"') == 3
    assert 'class="level tone3" x1="0" x2="100" y1="75.00"' in drawn


def test_a_stacked_bar_is_whole(chart):
    parts = [{"share": share, "tone": 1, "title": ""} for share in (0.25, 0.0, 0.75)]
    drawn = chart("stacked", "", [{"label": "水", "note": "", "parts": parts}])
    assert re.findall(r'x="([\d.]+)%" y="\d+" width="([\d.]+)%"', drawn) == [
        ("0.00", "25.00"), ("25.00", "75.00"),
    ]  # fmt: skip


def test_a_histogram_has_a_column_for_each_number(chart):
    columns = [{"value": value, "title": "", "tick": tick} for value, tick in ((1, "10"), (2, ""))]
    drawn = chart("histogram", "", columns)
    assert re.findall(r'height="([\d.]+)" rx', drawn) == ["95.0", "190.0"]
    assert drawn.count(">10</text>") == 1
    assert chart("spark", [1, 0, 2]).count("<rect") == 2


def test_a_curve_goes_through_its_points(chart):
    drawn = chart("curve", "", [[0, 10], [100, 100]], [[50, 50]], [[0, "1"]], [[50, "50 %"]])
    assert 'points="0,90.00 100,0.00 "' in drawn
    assert '<circle cx="50%" cy="129.0"' in drawn
