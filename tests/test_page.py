"""The frame and the charts: numbers as people read them, bars as long as their numbers."""

import re

import pytest
from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from hf_zh_dict.sharing.page import (
    TEMPLATES,
    code_point,
    format_count,
    format_share,
    known,
    log_places,
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
