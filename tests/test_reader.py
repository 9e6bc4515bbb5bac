"""A table's rows become entries, whatever the edition, the order of columns and the file type."""

import dataclasses
import random

import openpyxl
import pytest
from machine import chinese_file_names

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading
from hf_zh_dict.dictionaries.layouts import LAYOUTS
from hf_zh_dict.dictionaries.parse import parse_document
from hf_zh_dict.dictionaries.reader import Dropped, as_number, cell_text, read_entries
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.messages import InputError

KIND = "變體類型 1:變 2:又音 3:語音 4:讀音"
HEADERS = {
    layout.dictionary: [
        KIND if names[0] == "變體類型" else names[0]
        for key, names in layout.columns.items()
        if (layout.dictionary, key) != ("mini", "entry_id")
    ]
    for layout in LAYOUTS
}

# One invented row of each dictionary, with every markup that its cells can have …
ROWS = {
    "revised": {
        "字詞名": "磯",
        "字詞號": "00900001",
        "部首字": "石 ",
        "總筆畫數": "17",
        "部首外筆畫數": "12",
        "多音排序": "0",
        "注音一式": "ㄐㄧ",
        KIND: "2",
        "變體注音": "˙ㄑㄧ",
        "漢語拼音": "jī",
        "變體漢語拼音": "qi",
        "相似詞": "1.礁石、岩岸  2.激",
        "相反詞": "[反] 2.平穩",
        "釋義": "[名]\r\n1.水邊突出的\t石頭。如：「釣磯」。《江邊記．上》：「漁父坐於磯上。」\r\n"
        "2.海岸。寫作「&f90003_.gif;」。\n[代、介]\n水激打石頭，約１.５尺。\ufeff也作「激」。",
        "異體字": "矶石",
    },
    "concised": {
        "字詞名": "巴士",
        "字詞號": "900002",
        "部首字": "己 ",
        "總筆畫數": "4",
        "部首外筆畫數": "1",
        "注音一式": "ㄅㄚ　ㄕˋ",
        KIND: "  ",
        "漢語拼音": "bā shì",
        "變體漢語拼音": " ",
        "相似詞": "[似]客運車",
        "釋義": "1.[名]載很多人的大車。§英bus[例]雙層巴士、搭巴士上學    \n(2) →客車　△公車　◎",
    },
    "idioms": {
        "編號": "91",
        "成語": "對燈說話",
        "注音": "ㄉㄨㄟˋ　ㄉㄥ　ㄕㄨㄛ　ㄏㄨㄚˋ（變）ㄉㄨㄟˋ　˙ㄉㄥ　ㄕㄨㄛ　ㄏㄨㄚˋ",
        "漢語拼音": "duì dēng shuō huà（變）duì deng shuō huà",
        "釋義": "對著燈自言自語。比喻沒有人聽。＃語本《夜坐錄》。\n△「自說自話」",
        "典源文獻出處": "＃《夜坐錄．卷三》*1*",
        "典源文獻內容": "#昔有老叟，\n*2*獨坐\n，對燈而語。\n其妻笑之。",
        "典源-註解": "獨坐：一個人坐。\n叟：音ㄙㄡˇ，也作「&00009_w01.jpg;」。",
        "典源-參考": "另可參考：《燈話》",
        "典故說明": "有個老人每晚對燈說話，日子久了成為笑談。",
        "書證": "01.《夜坐錄》：「叟對燈。」（源）",
        "用法-語意說明": "比喻無人理會。",
        "用法-使用類別": "用在「孤單」的表述上。",
        "用法-例句": "別再對燈說話了。\n他又對燈說話。",
        "辨識-同": "都有沒人回應的意思。",
        "辨識-異": "前者較孤單。",
        "辨識-例句": "對燈說話\t自說自話\n○\tㄨ\t他獨居多年，只好∼。\nㄨ\t○\t會議上他∼。",
        "形音辨誤": "叟，音ㄙㄡˇ。",
        "近義成語": "自說自話",
        "反義成語": "促膝長談",
        "參考成語(正文)": "對燭而語",
        "主條目/非主條目": "主條成語",
    },
    "mini": {
        "單字": "礁",
        "部首": "石 ",
        "總筆畫數": "17",
        "部首外筆畫": "07",
        "注音": "ㄐㄧㄠ",
        "解釋": "(1) &&海ㄏㄞˇ&&裡ㄌㄧˇ&&的˙ㄉㄜ&&石ㄕˊ&&頭˙ㄊㄡ&&。&&如ㄖㄨˊ&&：「&&暗ㄢˋ&&礁ㄐㄧㄠ&&」。\r\n"
        "(2) &&不(ㄅㄨˋ;ㄅㄨˊ)&&會ㄏㄨㄟˋ&&動ㄉㄨㄥˋ&&：A>&&釘ㄉ一ㄥ&&住ㄓㄨˋ&&。"
        "B>&&古ㄍㄨˇ&&字ㄗˋ&&「&&&900009.gif;ㄐㄧㄠ&&」。",
    },
}
# … and the line that it becomes.
LINES = {
    "revised": "磯　石部12畫，共17畫　ㄐㄧ　jī　[名]　1.水邊突出的 石頭。如：「釣磯」。"
    "《江邊記．上》：「漁父坐於磯上。」　2.海岸。寫作「〓」。　[代、介]　水激打石頭，約１.５尺。也作「激」。"
    "　另讀：又音 ˙ㄑㄧ qi　相似詞：1.礁石、岩岸 2.激　相反詞：2.平穩　異體：矶石",
    "concised": "巴士　己部1畫，共4畫　ㄅㄚ ㄕˋ　bā shì　[名]　1.載很多人的大車。（英bus）"
    "例如：雙層巴士、搭巴士上學　2.參見：客車也稱：公車　相似詞：客運車",
    "idioms": "對燈說話　ㄉㄨㄟˋ ㄉㄥ ㄕㄨㄛ ㄏㄨㄚˋ　duì dēng shuō huà　對著燈自言自語。比喻沒有人聽。"
    "語本《夜坐錄》。　參見：「自說自話」　另讀：變 ㄉㄨㄟˋ ˙ㄉㄥ ㄕㄨㄛ ㄏㄨㄚˋ duì deng shuō huà"
    "　典源：《夜坐錄．卷三》　典源內容：昔有老叟，獨坐，對燈而語。 其妻笑之。"
    "　典源註解：獨坐：一個人坐。 叟：音ㄙㄡˇ，也作「〓」。　典源參考：另可參考：《燈話》"
    "　典故說明：有個老人每晚對燈說話，日子久了成為笑談。　書證：01.《夜坐錄》：「叟對燈。」（源）"
    "　語意說明：比喻無人理會。　使用類別：用在「孤單」的表述上。　例句：別再對燈說話了。 他又對燈說話。"
    "　形音辨誤：叟，音ㄙㄡˇ。　辨識同：都有沒人回應的意思。　辨識異：前者較孤單。"
    "　辨識例句：對燈說話○自說自話ㄨ：他獨居多年，只好∼。 對燈說話ㄨ自說自話○：會議上他∼。"
    "　近義成語：自說自話　反義成語：促膝長談　異體：對燭而語　條目：主條成語",
    "mini": "礁　石部7畫，共17畫　ㄐㄧㄠ　1.海裡的石頭。如：「暗礁」。　2.不會動：A.釘住。B.古字「〓」。",
}
OPTIONAL = [
    ("revised", "辭條別名"),
    ("revised", "字數"),
    ("revised", "異體字"),
    ("idioms", "參考成語(正文)"),
    ("idioms", "主條目/非主條目"),
]


@pytest.fixture
def read(write_table):
    """Writes rows of a dictionary as a table and reads it."""

    def read(dictionary, *rows, header=None, name=None, sheet="Sheet1"):
        header = header or HEADERS[dictionary]
        return list(read_entries(write_table(header, rows, name or f"{dictionary}.csv", sheet)))

    return read


def word(headword, definition="乙。", bopomofo="ㄐㄧ", **cells):
    """A row of the revised or the concised dictionary."""
    return {"字詞名": headword, "注音一式": bopomofo, "釋義": definition, **cells}


def line(entry):
    return render_document(entry).text


@pytest.mark.parametrize("name", ["dict_{}.csv", "dict_{}.xlsx"])
@pytest.mark.parametrize("dictionary", ROWS)
def test_a_row_with_every_markup_becomes_a_plain_line(read, dictionary, name):
    (entry,) = read(dictionary, ROWS[dictionary], name=name.format(dictionary))
    assert line(entry) == LINES[dictionary]
    assert entry.dictionary == dictionary
    assert entry.entry_id == {"revised": "00900001", "concised": "900002", "idioms": "91"}.get(
        dictionary, "2"
    )
    assert dataclasses.replace(entry, dictionary="", entry_id="") == parse_document(line(entry))


# Old and new editions


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dictionary", ROWS)
def test_the_order_of_columns_changes_nothing(read, dictionary, seed):
    header = list(HEADERS[dictionary])
    random.Random(seed).shuffle(header)
    as_published = read(dictionary, ROWS[dictionary])
    assert read(dictionary, ROWS[dictionary], header=header) == as_published


def test_the_older_edition_of_the_idioms_gives_the_same_documents(read):
    older = {"近義成語": "近義-同", "反義成語": "近義-反"}
    header = [older.get(name, name) for name in HEADERS["idioms"] if name != "書證"]
    header.insert(header.index("用法-例句") + 1, "書證")
    row = {older.get(name, name): cell for name, cell in ROWS["idioms"].items()}
    assert read("idioms", row, header=header) == read("idioms", ROWS["idioms"])


def test_the_idiom_edition_with_four_shifted_columns_gives_the_same_documents(read):
    holds = {
        "形音辨誤": "辨識-例句",
        "辨識-同": "形音辨誤",
        "辨識-異": "辨識-同",
        "辨識-例句": "辨識-異",
    }
    rows = [ROWS["idioms"], {**ROWS["idioms"], "成語": "無表可看", "辨識-例句": ""}]
    shifted = [{**row, **{column: row[held] for column, held in holds.items()}} for row in rows]
    assert read("idioms", *shifted) == read("idioms", *rows)


@pytest.mark.parametrize(("dictionary", "column"), OPTIONAL)
def test_a_missing_optional_column_is_an_empty_one(read, dictionary, column):
    header = [name for name in HEADERS[dictionary] if name != column]
    without = {name: cell for name, cell in ROWS[dictionary].items() if name != column}
    assert read(dictionary, without, header=header) == read(dictionary, without)


@pytest.mark.parametrize("name", ["編號", "字號", "序號", "流水號", "id", " ID "])
def test_an_id_column_before_the_character_changes_nothing_but_the_id(read, name):
    header = [name, *HEADERS["mini"]]
    (plain,) = read("mini", ROWS["mini"])
    (numbered,) = read("mini", {**ROWS["mini"], name: 3071.0}, header=header, name="mini.xlsx")
    assert (plain.entry_id, numbered.entry_id) == ("2", "3071")
    assert dataclasses.replace(numbered, entry_id="2") == plain
    assert render_document(numbered).spans == render_document(plain).spans


@pytest.mark.parametrize("name", ["table.xlsx", "table.csv", "table.xls", "table.zip"])
@pytest.mark.parametrize("dictionary", ROWS)
def test_headers_are_forgiven_blanks_and_full_width_brackets(read, dictionary, name):
    wide = {
        column: f" {column}\n".translate({40: "（", 41: "）"}) for column in HEADERS[dictionary]
    }
    row = {wide[column]: cell for column, cell in ROWS[dictionary].items()}
    header = list(wide.values())
    if dictionary == "concised":
        name = f"concised_{name}"
    assert read(dictionary, row, header=header, name=name) == read(dictionary, ROWS[dictionary])


OLD = [name for name in HEADERS["revised"] if name not in ("辭條別名", "字數", "異體字")]


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
@pytest.mark.parametrize(
    ("name", "sheet", "definition", "dictionary"),
    [
        ("dict_revised_2011", "Sheet1", "海鳥。[例]白鷗", "revised"),
        pytest.param(
            "重編國語辭典修訂本", "Sheet1", "海鳥。[例]白鷗", "revised", marks=chinese_file_names
        ),
        ("dict_concised_2014", "Sheet1", "海鳥。", "concised"),
        pytest.param("國語辭典簡編本", "Sheet1", "海鳥。", "concised", marks=chinese_file_names),
        ("table", "Sheet1", "海鳥。[例]白鷗", "concised"),
        ("table", "Sheet1", "海鳥。如：「白鷗」。", "revised"),
    ],
)
def test_an_old_revised_table_is_told_from_a_concised_one_by_file_name_or_content(
    read, name, sheet, definition, dictionary, suffix
):
    assert HEADERS["concised"] == OLD
    row = word("鷗", definition)
    (entry,) = read("revised", row, header=OLD, name=f"{name}.{suffix}", sheet=sheet)
    assert entry.dictionary == dictionary


@pytest.mark.parametrize(
    ("sheet", "dictionary"), [("dict_revised", "revised"), ("國語辭典簡編本", "concised")]
)
def test_an_old_revised_table_is_told_from_a_concised_one_by_the_sheet(read, sheet, dictionary):
    rows = [word("鷗", "海鳥。"), word("鷺", "水鳥。[例]白鷺")]
    entries = read("revised", *rows, header=OLD, name="table.xlsx", sheet=sheet)
    assert {entry.dictionary for entry in entries} == {dictionary}


def test_an_old_revised_table_gives_the_documents_of_the_new_one(read):
    row = {name: cell for name, cell in ROWS["revised"].items() if name in OLD}
    assert read("revised", row, header=OLD) == read("revised", row)


# Rows and entries


def test_rows_of_one_headword_are_one_entry_with_its_readings_in_the_published_order(read):
    entries = read(
        "revised",
        word("率", "大略。", "ㄕㄨㄞˋ", 多音排序="2", 字詞號="12", 部首字="玄", 異體字="甲乙"),
        word("燈塔", "塔。"),
        word("率", "比例。", "ㄌㄩˋ", 多音排序="1", 字詞號="11", 部首字="玄 ", 異體字="甲乙"),
    )
    assert [entry.headword for entry in entries] == ["燈塔", "率"]  # each with its last row
    assert [reading.bopomofo for reading in entries[1].readings] == ["ㄌㄩˋ", "ㄕㄨㄞˋ"]
    assert entries[1].entry_id == "11"
    assert entries[1].sections == (Passage("variants", "甲乙"),)


def test_what_gives_no_entry_is_dropped_with_its_row_and_the_reason(read):
    records = read(
        "revised", word("", "無頭。"), word("鷗", " "), {}, word("鷺", "鳥。"), word("鷺", "鳥。")
    )
    dropped = [record for record in records if isinstance(record, Dropped)]
    assert [(d.reason, d.source, d.row) for d in dropped] == [
        ("no headword", "revised.csv", 2),
        ("no definition", "revised.csv", 3),
        ("reading repeated", "revised.csv", 6),
    ]
    assert "無頭。" in dropped[0].text
    assert [record.headword for record in records if isinstance(record, Entry)] == ["鷺"]


@pytest.mark.parametrize("definition", ["◎", "[名]", "1.", "\ufeff", "[動]\n　"])
def test_a_definition_of_markup_alone_is_no_definition(read, definition):
    (record,) = read("concised", word("鷗", definition))
    assert isinstance(record, Dropped)
    assert record.reason == "no definition"


@pytest.mark.parametrize("column", ["字詞名", "字詞號", "注音一式", "相似詞", "異體字"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_line_break_in_any_cell_does_not_break_the_line(read, column, ending):
    row = word("燈塔", bopomofo="ㄉㄥ　ㄊㄚˇ", 字詞號="12", 相似詞="甲、乙", 異體字="甲、乙")
    row[column] = row[column][:1] + ending + row[column][1:]
    (entry,) = read("revised", row)
    assert not {"\n", "\r"} & {*line(entry), *entry.entry_id}


@pytest.mark.parametrize(
    ("definition", "senses"),
    [
        ("甲。", [(0, "", "甲。")]),
        ("1.甲。\n2.乙。", [(1, "", "甲。"), (2, "", "乙。")]),
        ("(1) 甲。\r\n(12)乙。", [(1, "", "甲。"), (12, "", "乙。")]),
        (
            "[名]\n1.甲。\n2.乙。\n[動]\n丙。",
            [(1, "名", "甲。"), (2, "名", "乙。"), (0, "動", "丙。")],
        ),
        ("1.[名]甲。\n2.[代、介] 乙。", [(1, "名", "甲。"), (2, "代、介", "乙。")]),
        ("[擬]甲。", [(0, "擬", "甲。")]),
        ("[ｆ]甲。", [(0, "", "[ｆ]甲。")]),
        ("1.5公里。", [(0, "", "1.5公里。")]),
        ("2024.甲。", [(0, "", "2024.甲。")]),
        ("甲。\n\n　乙。", [(0, "", "甲。"), (0, "", "乙。")]),
    ],
)
def test_lines_of_a_definition_are_senses(read, definition, senses):
    (entry,) = read("revised", word("鷗", definition))
    found = entry.readings[0].senses
    assert [(sense.number, sense.part_of_speech, sense.text) for sense in found] == senses


def test_every_part_of_speech_is_known(read):
    names = "名動形副助擬連代介歎嘆量綴"
    (entry,) = read("revised", word("鷗", "\n".join(f"[{name}]{name}義。" for name in names)))
    assert [sense.part_of_speech for sense in entry.readings[0].senses] == list(names)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("1", "變 "), ("2 ", "又音 "), ("3", "語音 "), ("4", "讀音 "), ("又音", "又音 "), ("", "")],
)
def test_another_pronunciation_is_a_section_with_its_kind(read, kind, text):
    cells = {KIND: kind, "變體注音": "ㄧˊ　ㄉㄥ", "變體漢語拼音": "yí dēng"}
    (entry,) = read("revised", word("一燈", bopomofo="ㄧ　ㄉㄥ", **cells))
    assert entry.readings[0].sections == (Passage("variant_reading", f"{text}ㄧˊ ㄉㄥ yí dēng"),)


def test_another_pronunciation_of_an_idiom_without_its_pinyin_is_kept(read):
    row = {"成語": "一燈如豆", "注音": "ㄧ（變）ㄧˋ", "漢語拼音": "yī", "釋義": "燈光微弱。"}
    (entry,) = read("idioms", row)
    assert entry.readings[0].sections == (Passage("variant_reading", "變 ㄧˋ"),)


@pytest.mark.parametrize("kind", ["又音", "讀音", "語音"])
def test_a_kind_that_stands_before_the_reading_does_not_hide_it(read, kind):
    row = word("誰", bopomofo=f"（{kind}）ㄕㄨㄟˊ", 漢語拼音=f"（{kind}）shuí")
    (entry,) = read("revised", row)
    assert "ㄕㄨㄟˊ" in entry.readings[0].bopomofo
    assert parse_document(line(entry)).readings == entry.readings


def test_readings_are_divided_by_single_spaces_and_commas(read):
    bopomofo = "ㄉㄥ　ㄏㄨㄛˇ　，　ㄊㄚˇ　˙ㄉㄜ　；　ㄑㄧㄠˊ"
    (entry,) = read("revised", word("燈火，塔的；橋", bopomofo=bopomofo))
    assert entry.readings[0] == Reading(
        "ㄉㄥ ㄏㄨㄛˇ，ㄊㄚˇ ˙ㄉㄜ；ㄑㄧㄠˊ", "", entry.readings[0].senses
    )


# Files


def test_numbers_of_a_spreadsheet_are_read_without_their_decimals(read):
    row = {**ROWS["revised"], "總筆畫數": 17, "部首外筆畫數": 12.0, "字詞號": 900001}
    (entry,) = read("revised", row, name="dict_revised.xlsx")
    assert (entry.strokes, entry.residual_strokes, entry.entry_id) == (17, 12, "900001")


@pytest.mark.parametrize(
    ("cell", "text"), [(3.0, "3"), (2.5, "2.5"), (7, "7"), (None, ""), ("07 ", "07 ")]
)
def test_a_cell_is_text(cell, text):
    assert cell_text(cell) == text


@pytest.mark.parametrize(
    ("text", "number"), [("07", 7), ("1 ", 1), ("", 0), ("無", 0), ("12畫", 12)]
)
def test_the_number_in_a_cell(text, number):
    assert as_number(text) == number


def test_only_the_first_sheet_is_read(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADERS["mini"])
    workbook.active.append([ROWS["mini"][name] for name in HEADERS["mini"]])
    workbook.create_sheet("說明").append(["版本"])
    workbook.save(tmp_path / "mini.xlsx")
    workbook.close()
    assert [entry.headword for entry in read_entries(tmp_path / "mini.xlsx")] == ["礁"]


def test_a_short_row_and_a_byte_order_mark_are_no_trouble(tmp_path):
    path = tmp_path / "revised.csv"
    path.write_text(
        ",".join(
            ["字詞名", "釋義", *(n for n in HEADERS["revised"] if n not in ("字詞名", "釋義"))]
        )
        + "\n鷗,海鳥。\n\n",
        encoding="utf-8-sig",
    )
    (entry,) = read_entries(path)
    assert line(entry) == "鷗　海鳥。"


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(InputError, match=f"{path.name}: there is no such file"):
            list(read_entries(path))


@pytest.mark.parametrize("name", ["table.xlsx", "table.xls", "table.txt"])
def test_a_file_that_is_no_spreadsheet_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes("單字,部首\n".encode() * 20)
    with pytest.raises(InputError, match="not a spreadsheet that can be read"):
        list(read_entries(tmp_path / name))


def test_an_empty_table_is_refused(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"")
    with pytest.raises(InputError, match="not the header of one of the four dictionaries"):
        list(read_entries(tmp_path / "table.csv"))


@pytest.mark.parametrize("rows", [0, 2000])
def test_the_line_that_is_not_utf_8_is_named(write_table, rows):
    path = write_table(HEADERS["mini"], [ROWS["mini"]] * rows)
    good = path.read_bytes()
    path.write_bytes(good + b"\xa4\xf4,\n")
    number = good.count(b"\n") + 1
    with pytest.raises(InputError, match=f"{path.name}: line {number} is not UTF-8;"):
        list(read_entries(path))


@pytest.mark.parametrize("rows", [3, 25_000])
def test_an_unclosed_quotation_mark_is_refused_in_a_sentence(write_table, rows):
    path = write_table(HEADERS["mini"], [])
    with path.open("a", encoding="utf-8") as file:
        file.write('鷗,鳥,"22\n' + "鷺,鳥,23\n" * rows)
    with pytest.raises(InputError, match=path.name):
        list(read_entries(path))
