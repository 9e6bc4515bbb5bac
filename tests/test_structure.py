"""Every entry of a dictionary is built as one, and what is broken on purpose is not."""

import pytest

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.structure import (
    agrees_with_pinyin,
    check_structure,
    find_readings,
    is_balanced,
    is_valid_bopomofo,
)

WHOLE = "漂　水部11畫，共14畫　(一)　ㄆㄧㄠ　piāo　1.浮。　2.「流」。　(二)　ㄆㄧㄠˇ　piǎo　洗。"


def test_the_embedded_dictionary_is_built_as_entries_are(embedded_corpus):
    lines = list(read_texts(embedded_corpus[0] / "train.parquet"))
    found = [check_structure(line) for line in lines]
    assert sum(all(properties.values()) for properties in found) / len(lines) > 0.98
    assert sum(map(is_valid_bopomofo, lines)) / len(lines) > 0.98
    assert all(agrees_with_pinyin(line) in (True, None) for line in lines)


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        (WHOLE, set()),
        (
            WHOLE.replace("漂　水部11畫，共14畫　", "漂　").replace("ㄆㄧㄠ　piāo　", ""),
            {"sounded"},
        ),
        (WHOLE.replace("2.", "4."), {"numbered"}),
        (WHOLE.replace("」", ""), {"balanced"}),
        (WHOLE[:-1], {"complete"}),
        (WHOLE + "\ufffd。", {"clean"}),
        ("漂", {"parses", "sounded", "numbered", "complete"}),
    ],
)
def test_what_is_lacking_is_named(line, lacking):
    assert {name for name, there in check_structure(line).items() if not there} == lacking


def test_marks_close_in_the_order_in_which_they_opened():
    assert is_balanced("「『甲』乙《丙》」")
    assert not is_balanced("「甲《乙」丙》")
    assert not is_balanced("甲」")


def test_readings_are_found_in_lines_that_are_no_entries():
    assert find_readings(WHOLE) == [("ㄆㄧㄠ", "piāo"), ("ㄆㄧㄠˇ", "piǎo")]
    assert find_readings("漂　ㄆㄧㄠ") == [("ㄆㄧㄠ", "")]
    assert find_readings("漂") == []
    assert find_readings("甲乙，丙　ㄐㄧㄚˇ ㄧˇ，ㄅㄧㄥˇ　jiǎ yǐ ， bǐng") == [
        ("ㄐㄧㄚˇ ㄧˇ ㄅㄧㄥˇ", "jiǎ yǐ bǐng")
    ]


@pytest.mark.parametrize(
    ("line", "valid"),
    [
        ("小戲兒　ㄒㄧㄠˇ ㄒㄧˋㄦ　好。", True),
        ("花兒　ㄏㄨㄚ ㄦˊ　好。", True),
        ("花兒　ㄏㄨㄚㄦ　好。", True),
        ("花　ㄏㄨㄚ ㄦˊ　好。", False),
        ("花　ㄏㄏㄨㄚ　好。", False),
        ("甲乙，丙　ㄐㄧㄚˇ ㄧˇ，ㄅㄧㄥˇ　好。", True),
        ("花　好。", False),
        ("花　好。　ㄏㄨㄚ", False),
        ("花　艸部4畫，共8畫　(一)　ㄏㄨㄚ　好。　(二)　ㄏㄨㄚˋ　姓。", True),
    ],
)
def test_a_syllable_for_each_character(line, valid):
    assert is_valid_bopomofo(line) == valid
