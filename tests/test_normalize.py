"""Markup goes, words stay: each text function shown on its own."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from hf_zh_dict.dictionaries.entry import Passage
from hf_zh_dict.dictionaries.normalize import (
    clean_line,
    clean_lines,
    clean_text,
    expand_signs,
    normalize_headword,
    split_passages,
    split_sentences,
    strip_anchors,
    strip_ruby,
    unfold_table,
)
from hf_zh_dict.dictionaries.syllables import FINALS, INITIALS

characters = st.sampled_from("山水風雨花一不〓")
ruby = st.builds(
    lambda light, initial, final, tone: light + initial + final + ("" if light else tone),
    light=st.sampled_from(["", "˙"]),
    initial=st.sampled_from(["", *INITIALS]),
    final=st.sampled_from([final for final in FINALS if final != "ㄦ"]),
    tone=st.sampled_from(["", "ˊ", "ˇ", "ˋ"]),
)
punctuation = st.sampled_from("，。、：「」？！")
awkward_text = st.text(
    st.sampled_from("山水 \t\u3000\xa0\r\n\ufeff\u200b\u2028\x00\x7f（１）：～ＡA1&.;_")
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("燈塔", "燈塔"),
        ("　燈 \t　塔 ", "燈 塔"),
        ("燈\ufeff塔\u200b\u2028\x00", "燈塔"),
        ("寫作「&f90001_.gif;」", "寫作「〓」"),
        ("&&&900001.gif;和&00009_w01.jpg;", "&&〓和〓"),
        ("R&D、AT&T", "R&D、AT&T"),
        ("（１）：～，ﾊﾝｶｸ", "（１）：～，ﾊﾝｶｸ"),
        ("\U000f9006\ue123", "\U000f9006\ue123"),
    ],
)
def test_a_line_loses_invisible_characters_and_images_but_no_word(text, clean):
    assert clean_line(text) == clean


def test_lines_are_kept_apart_however_they_end():
    assert clean_lines("一。\r\n\r\n 二。\r三。\n　\n四。 ") == ["一。", "二。", "三。", "四。"]
    assert clean_text("一。\r\n 二。\n") == "一。 二。"


@given(awkward_text)
def test_clean_text_is_one_line_with_single_blanks_and_cleaning_it_again_changes_nothing(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean == clean.strip()
    assert not set(clean) & set("\t\r\n\u3000\xa0\ufeff\u200b\u2028\x00\x7f")
    assert "  " not in clean


@given(awkward_text)
def test_cleaning_keeps_every_visible_character_in_its_order(text):
    visible = "山水（１）：～ＡA1&.;_"
    kept = [character for character in clean_text(text) if character in visible]
    assert kept == [character for character in text if character in visible]


@given(st.lists(st.tuples(characters, ruby) | punctuation, max_size=12))
def test_ruby_behind_every_character_goes(pieces):
    marked = "".join("&&" + "".join(piece) for piece in pieces)
    assert strip_ruby(marked) == "".join(piece[0] for piece in pieces)


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("&&釘ㄉ一ㄥ&&子˙ㄗ", "釘子"),
        ("&&釘ㄉ一ㄥˋ&&低ㄉ一&&地ㄉ一ˋ", "釘低地"),
        ("&&一ㄧˊ&&衣一ˊ", "一衣"),
        ("&&不(ㄅㄨˋ;ㄅㄨˊ)&&會ㄏㄨㄟˋ&&罷(ㄅㄚˋ；ㄅㄚˋ)&&了(˙ㄌㄜ;ㄌㄧㄠˇ)", "不會罷了"),
        ("&&寫ㄒㄧㄝˇ&&成ㄔㄥˊ&&「&&&900001.gif;ㄕㄨㄟˇ&&」", "寫成「〓」"),
        ("&&音ㄧㄣ&&讀ㄉㄨˊ&&為ㄨㄟˊ&&ㄋㄚˊㄇㄛˊ&&。", "音讀為ㄋㄚˊㄇㄛˊ。"),
        ("(1) &&水ㄕㄨㄟˇ&&。", "(1) 水。"),
    ],
)
def test_ruby_in_its_odder_spellings(marked, text):
    assert strip_ruby(marked) == text


def test_anchors_go_with_their_line_breaks_and_context_marks_go():
    marked = "#昔有\n*1*漁父\n，日行\n*12*十里\n。\r\n#其友笑之。\n第#二句"
    assert strip_anchors(marked) == "昔有漁父，日行十里。\n其友笑之。\n第#二句"


def test_the_little_table_becomes_a_line_for_each_sentence():
    table = "守夜\t守歲\n○\tㄨ\t他替大家∼。\r\nㄨ\t○\t除夕全家∼。\n"
    assert unfold_table(table) == ["守夜○守歲ㄨ：他替大家∼。", "守夜ㄨ守歲○：除夕全家∼。"]


def test_text_without_a_table_comes_back_as_its_lines():
    assert unfold_table("歲，音ㄙㄨㄟˋ。\n\n不可寫作「碎」。") == [
        "歲，音ㄙㄨㄟˋ。",
        "不可寫作「碎」。",
    ]


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ("載客的大車。§英bus[例]搭巴士", "載客的大車。（英bus）例如：搭巴士"),
        ("飯。§日べんとう  △飯盒　◎", "飯。（日べんとう）也稱：飯盒"),
        ("1.→葡萄", "1.參見：葡萄"),
        ("沒有記號。", "沒有記號。"),
    ],
)
def test_signs_are_spelled_out(signs, words):
    assert expand_signs(signs) == words


@pytest.mark.parametrize(
    ("headword", "key"),
    [
        ("種瓜得瓜，種豆得豆", "種瓜得瓜種豆得豆"),
        ("ＡＢ制", "AB制"),
        (" 卡拉 ＯＫ ", "卡拉OK"),
        ("臺北／台北", "臺北台北"),
        ("！", "！"),
        ("\U000f9006", "\U000f9006"),
    ],
)
def test_equal_headwords_meet_under_one_key(headword, key):
    assert normalize_headword(headword) == key


@given(st.text(min_size=1))
def test_no_headword_loses_its_key(headword):
    assert normalize_headword(headword)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("甲。乙！丙？丁", ["甲。", "乙！", "丙？", "丁"]),
        ("如：「甲。乙。」丙。", ["如：「甲。乙。」", "丙。"]),
        ("「甲。」、「乙。」，都好。", ["「甲。」、「乙。」，都好。"]),
        (
            "《甲．乙》：「丙『丁。』」戊（己。）庚。",
            ["《甲．乙》：「丙『丁。』」", "戊（己。）庚。"],
        ),
        ("甲例如：乙、丙也稱：丁", ["甲", "例如：乙、丙", "也稱：丁"]),
        ("」甲。乙。", ["」甲。", "乙。"]),
    ],
)
def test_sentences_end_outside_brackets(text, pieces):
    assert split_sentences(text) == pieces


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("大霧。", ["definition"]),
        ("大霧。如：「山上起霧了。」", ["definition", "example"]),
        (
            "大霧。宋．無名氏〈江行〉詩：「霧失橋。」也作「大霿」。",
            ["definition", "quotation", "related"],
        ),
        (
            "疆界。晉．杜預．注：「封，疆也。」唐．孔穎達．正義：「不積土為墳。」",
            ["definition", "quotation"],
        ),
        ("大霧。例如：起霧、霧大。晨霧。也稱：霿", ["definition", "example", "related"]),
        ("如：「霧大。」指看不清楚。", ["example", "definition"]),
        ("「霧」的異體字。", ["related"]),
        ("參見「霧燈」條。", ["related"]),
        ("", []),
    ],
)
def test_passages_are_named_for_what_they_are(text, fields):
    assert [passage.field for passage in split_passages(text)] == fields


def test_a_short_example_list_holds_until_a_related_word():
    passages = split_passages("乘坐。例如：搭船。搭車也稱：坐")
    assert passages == (
        Passage("definition", "乘坐。"),
        Passage("example", "例如：搭船。搭車"),
        Passage("related", "也稱：坐"),
    )


@given(
    texts | st.text(st.sampled_from("甲。！？「」『』《》〈〉（）(〔【】，、：如例也稱參見作的"))
)
def test_passages_joined_are_the_text_and_neighbours_differ(text):
    passages = split_passages(text)
    assert "".join(passage.text for passage in passages) == text
    assert all(passage.text for passage in passages)
    fields = [passage.field for passage in passages]
    assert all(left != right for left, right in itertools.pairwise(fields))
    assert "".join(split_sentences(text)) == text
