"""Known suites are drawn by hand, unknown ones by what they measured beside chance."""

import pytest

from hf_zh_dict.sharing.measure_names import name_measure, name_place
from hf_zh_dict.sharing.suite_charts import draw_suite


def measure(value, **more):
    return {"value": value, "count": 10, **more}


def bars_of(chart):
    return [(row["label"], [bar["value"] for bar in row["bars"]]) for row in chart["rows"]]


def test_bits_stand_beside_simple_models_whole_and_in_parts():
    part = {"bits_per_char": measure(4.0, low=3.5, high=4.5), "character_5gram": measure(5.0)}
    whole = {**part, "xz": measure(6.0), "bits_per_byte": measure(1.5)}
    test = whole | {
        "field": {"bopomofo": part | {"characters": 1200}, "empty": {}},
        "dictionary": {"mini": part, "idioms": part},
    }
    charts = draw_suite("bits", {"validation": whole, "test": test})
    assert [chart["english"] for chart in charts] == [
        "Bits per character, lower is better", "By field, test", "By dictionary, test",
    ]  # fmt: skip
    assert bars_of(charts[0]) == [("驗證", [4.0, 5.0, 6.0]), ("測試", [4.0, 5.0, 6.0])]
    (row,) = charts[1]["rows"]
    assert (row["label"], row["note"]) == ("注音", "1,200 字元")
    assert row["bars"][0] == {"value": 4.0, "tone": 1, "text": "4.000", "low": 3.5, "high": 4.5}
    assert [row["label"] for row in charts[2]["rows"]] == ["國語小字典", "成語典"]


def test_continuation_is_by_dictionary_and_prompt_train_beside_held_out():
    of = {f"{cut} {way}": {"rouge_l": measure(0.25)} for cut in (50, 100) for way in ("greedy", "sampled")}  # fmt: skip
    results = {"train": {"mini": of}, "held-out": {"mini": of}, "entries": {}, "sheet": "a.csv"}
    (chart,) = draw_suite("continuation", results)
    assert bars_of(chart) == [("國語小字典", [0.25, 0.25])] * 2
    assert [row["english"] for row in chart["rows"]] == ["50 tokens", "100 tokens"]


def test_memory_is_by_prompt_and_checkpoint():
    of = {key: {"exact_continuation": measure(0.5)} for key in ("16", "32, step 1040, epoch 2")}
    (chart,) = draw_suite("memory", {"train": of, "held-out": {"16": of["16"]}})
    assert bars_of(chart) == [("開頭 16 token", [0.5, 0.5]), ("第 1,040 步", [0.5])]


def test_samples_stand_beside_entries_of_the_dictionary():
    of = {"parses": measure(0.9), "distinct_1": measure(0.1)}
    results = {"headword": of, "dictionary": of | {"parses": measure(1.0)}, "samples": {"headword": ["水"]}}  # fmt: skip
    good, variety = draw_suite("samples", results)
    assert bars_of(good) == [("剖析得出", [0.9, 1.0])]
    assert bars_of(variety) == [("不同的字", [0.1, 0.1])]
    assert good["top"] == 1


def test_readings_stand_beside_those_of_single_characters():
    results = {
        "definition": {"among_10": {"over_expectation": {"accuracy@1": measure(0.4, chance=0.1)}}},
        "reverse": {"median_rank": measure(212.0, chance=500.5), "headwords": 1000},
        "reading": {
            "all": {"tone": measure(0.5, chance=0.25)},
            "by_character": {"all": {"tone": measure(0.9)}},
        },
        "usage": {"words": {"accuracy": measure(0.7, chance=0.5)}},
    }
    charts = draw_suite("dictionary", results)
    assert [chart["title"] for chart in charts] == [
        "哪一條釋義屬於這個字詞",
        "哪一個詞放得進句子",
        "讀音",
    ]
    assert bars_of(charts[0]) == [("10 選 1，按互資訊，前 1 名正確率", [0.4])]
    assert charts[0]["rows"][0]["bars"][0]["chance"] == 0.1
    assert bars_of(charts[2]) == [("全部", [0.5, 0.9])]


@pytest.mark.parametrize("name", ["bits", "continuation", "memory", "samples", "dictionary", "new"])
def test_results_of_another_form_are_no_trouble(name):
    assert draw_suite(name, {}) == []
    (chart,) = draw_suite("new", {"test": {"score": measure(0.4, chance=0.2), "size": measure(9)}})
    assert bars_of(chart) == [("測試，score", [0.4])]


def test_names_are_chinese_where_they_are_known():
    assert name_measure("accuracy@10") == "前 10 名正確率"
    assert (name_measure("odd"), name_place("odd")) == ("odd", "odd")
    assert [name_place(key) for key in ("held-out", "revised", "bopomofo", "among_100")] == [
        "保留", "重編國語辭典修訂本", "注音", "100 選 1",
    ]  # fmt: skip
