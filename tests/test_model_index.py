"""Measures are found however deep they stand, and go to the Hub with interval and chance."""

from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from hf_zh_dict.sharing.model_index import Result, eval_results, find_bits, list_results

BITS = {"value": 4.99, "low": 4.9, "high": 5.1, "count": 1802}
EVALUATION = {
    "model": "somewhere",
    "suites": {
        "bits": {
            "validation": {"bits_per_char": {"value": 5.01}},
            "test": {"bits_per_char": BITS, "baselines": {"xz": {"value": 5.6}}, "note": "text"},
        },
        "dictionary": {"ranking": {"accuracy": {"value": 0.4, "chance": 0.1, "count": 500}}},
        "empty": {},
    },
}


def test_measures_are_found_wherever_they_stand():
    assert list_results(EVALUATION) == [
        Result(("bits", "validation", "bits_per_char"), 5.01),
        Result(("bits", "test", "bits_per_char"), 4.99, 4.9, 5.1, None, 1802),
        Result(("bits", "test", "baselines", "xz"), 5.6),
        Result(("dictionary", "ranking", "accuracy"), 0.4, None, None, 0.1, 500),
    ]
    assert list_results({}) == []


def test_the_models_bits_are_those_of_the_test_split():
    results = list_results(EVALUATION)
    assert find_bits(results) == results[1]
    assert find_bits(results[:1]) == results[0]
    assert find_bits([]) is None


def test_the_model_index_keeps_values_intervals_and_chance():
    results = eval_results(
        list_results(EVALUATION), dataset_type="a/b", dataset_name="字典", dataset_config="plain"
    )
    data = ModelCardData(model_name="m", eval_results=results)
    name, back = model_index_to_eval_results(data.to_dict()["model-index"])
    assert name == "m"
    by_name = {(result.metric_name, result.dataset_split): result for result in back}
    assert len(by_name) == 4
    bits = by_name["bits · bits_per_char", "test"]
    assert (bits.metric_type, bits.metric_value) == ("bits_per_char", 4.99)
    assert bits.metric_args == {"low": 4.9, "high": 5.1, "count": 1802}
    accuracy = by_name["dictionary · ranking · accuracy", None]
    assert accuracy.metric_args == {"chance": 0.1, "count": 500}
