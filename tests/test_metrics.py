"""Each metric alone, loaded by its path: hand-computed values, and what public implementations say."""

import json
import socket

import evaluate
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu
from rapidfuzz.distance import LCSseq, Levenshtein
from rouge_score.rouge_scorer import RougeScorer

from hf_zh_dict.evaluation.modules import METRICS_FOLDER, load_metric

PAIRS = ["exact_continuation", "longest_common_substring", "edit_similarity", "rouge_l",
         "character_bleu", "chrf", "bopomofo_accuracy"]  # fmt: skip
SINGLE = ["distinct_n", "repetition", "entry_structure", "bopomofo_validity"]
ONE = ["用青石砌成的橋。", "鳥名。頸上有斑點。", "大霧"]
OTHER = ["用石頭砌成的小橋。", "鳥名。頸上有斑點。", "燈"]
WORDS = st.text("甲乙丙 a", max_size=12)
ENTRY = "青石橋　ㄑㄧㄥ ㄕˊ ㄑㄧㄠˊ　qīng shí qiáo　1.用青石砌成的橋。　2.如：「村口的青石橋。」"


@pytest.fixture(autouse=True)
def _without_a_network(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def compute(name, predictions, references=None, **options):
    texts = {"predictions": predictions}
    return load_metric(name).compute(
        **texts | ({"references": references} if references else {}), **options
    )


def test_every_folder_is_tested_here_or_in_a_file_of_its_own():
    folders = {path.name for path in METRICS_FOLDER.iterdir() if path.name != "__pycache__"}
    assert folders == {*PAIRS, *SINGLE, "bits"}


@pytest.mark.parametrize("name", [*PAIRS, *SINGLE])
def test_it_explains_itself_with_formula_and_source(name):
    metric = evaluate.load(str(METRICS_FOLDER / name))
    assert "=" in metric.description or "sacrebleu" in metric.description
    assert metric.citation.strip().startswith("@")
    for argument in metric.features:
        assert argument in metric.inputs_description


def test_exact_continuation_by_hand():
    assert compute("exact_continuation", ONE, OTHER) == {"exact_continuation": pytest.approx(1 / 3)}
    assert compute("exact_continuation", ONE, OTHER, each=True)["each"] == [0, 1, 0]


def test_longest_common_substring_by_hand():
    result = compute("longest_common_substring", ONE, OTHER, each=True)
    assert result["each"] == [3, 9, 0]  # 砌成的
    assert result["longest_common_substring"] == 4


def test_edit_similarity_by_hand():
    result = compute("edit_similarity", ["橋頭", ""], ["橋", ""], each=True)
    assert result == {"edit_similarity": 0.75, "each": [0.5, 1.0]}


def test_rouge_l_by_hand():
    result = compute("rouge_l", ["甲乙丙丁"], ["甲丙"])
    assert result["rouge_l"] == pytest.approx(2 * (2 / 4) * (2 / 2) / (2 / 4 + 2 / 2))


def test_distinct_n_by_hand():
    result = compute("distinct_n", ["甲乙甲", "甲乙"])
    assert result == {"distinct_1": 2 / 5, "distinct_2": 2 / 3, "distinct_3": 1, "distinct_4": 0}


def test_repetition_by_hand():
    result = compute("repetition", ["甲甲甲甲甲甲", "甲乙丙丁", "甲"], each=True)
    assert result["each"] == pytest.approx([1 - 1 / 3, 0, 0])
    assert result["repetition"] == pytest.approx(2 / 9)


def test_bleu_is_one_hundred_for_the_truth_and_nltk_agrees():
    assert compute("character_bleu", ONE, ONE)["character_bleu"] == pytest.approx(100)
    long = ["用青石砌成的橋，年代很久。", "鳥名。頸上有斑點。"]
    truth = ["用青石砌成的小橋，年代很久了。", "鳥名。頸上有一斑點。"]
    expected = corpus_bleu([[list(text)] for text in truth], [list(text) for text in long])
    assert compute("character_bleu", long, truth)["character_bleu"] == pytest.approx(100 * expected)


def test_chrf_by_hand():
    """甲乙 against 甲丙: unigram precision and recall 1/2, no bigram, no longer n-grams: F2 = 1/4."""
    assert compute("chrf", ["甲乙"], ["甲丙"])["chrf"] == pytest.approx(25)
    assert compute("chrf", ONE, ONE)["chrf"] == pytest.approx(100)


class Characters:
    """What rouge-score asks of a tokenizer."""

    def tokenize(self, text):
        return list(text)


def function_of(name):
    """A pure function of a metric's file, as a user would import the file."""
    import importlib.util

    folder = {"common_subsequence": "rouge_l", "edit_distance": "edit_similarity"}.get(name, name)
    file = METRICS_FOLDER / folder / f"{folder}.py"
    spec = importlib.util.spec_from_file_location(folder, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def test_rouge_score_agrees():
    rouge_l = function_of("rouge_l")
    scorer = RougeScorer(["rougeL"], tokenizer=Characters())

    @given(WORDS, WORDS)
    def check(one, other):
        expected = scorer.score(target=other, prediction=one)["rougeL"].fmeasure
        assert rouge_l(one, other) == pytest.approx(expected)

    check()


def test_rapidfuzz_agrees():
    edit_distance, similarity = function_of("edit_distance"), function_of("edit_similarity")
    common_subsequence = function_of("common_subsequence")

    @given(WORDS, WORDS)
    def check(one, other):
        assert edit_distance(one, other) == Levenshtein.distance(one, other)
        assert similarity(one, other) == Levenshtein.normalized_similarity(one, other)
        assert common_subsequence(one, other) == LCSseq.similarity(one, other)

    check()


def test_the_longest_common_substring_is_the_longest_there_is():
    longest_common_substring = function_of("longest_common_substring")

    @given(WORDS, WORDS)
    def check(one, other):
        parts = {one[i:j] for i in range(len(one)) for j in range(i, len(one) + 1)}
        longest = max((len(part) for part in parts if part in other), default=0)
        assert longest_common_substring(one, other) == longest

    check()


def test_entry_structure_by_hand():
    lines = [ENTRY, ENTRY[:-1], "青石橋　好", "青石橋", ENTRY.replace("2.", "3."), ENTRY + "\ufffd"]
    result = compute("entry_structure", lines, each=True)
    assert result["each"] == [1, 0, 0, 0, 0, 0]
    assert result["entry_structure"] == pytest.approx(1 / 6)
    assert result["parses"] == pytest.approx(5 / 6)
    assert result["numbered"] == pytest.approx(4 / 6)
    assert result["balanced"] == pytest.approx(5 / 6)


def test_bopomofo_validity_by_hand():
    lines = [ENTRY, ENTRY.replace("ㄕˊ ", ""), ENTRY.replace("shí", "sí"), "青石橋　好。"]
    result = compute("bopomofo_validity", lines, each=True)
    assert result["each"] == [1, 0, 1, 0]
    assert result["each_agreement"] == [True, False, False, None]
    assert result["bopomofo_validity"] == 0.5
    assert result["pinyin_agreement"] == pytest.approx(1 / 3)


def test_bopomofo_accuracy_by_hand():
    truth = "漂　(一)　ㄆㄧㄠ　piāo　浮著。　(二)　ㄆㄧㄠˇ　piǎo　洗。"
    lines = ["漂　ㄆㄧㄠˇ　洗。", "漂　ㄆㄧㄠˋ　美。", ENTRY.replace("ㄕˊ", "ㄙ"), "橋　好。", "橋"]
    truths = [truth, truth, ENTRY, ENTRY, "橋　沒有注音的。"]
    result = compute("bopomofo_accuracy", lines, truths, each=True)
    assert result["each"] == [1, 0, 0, 0, None]
    assert result["each_syllable"] == [1, 0, pytest.approx(2 / 3), 0, None]
    assert result["reading_accuracy"] == 0.25


def test_metrics_are_combined_and_saved(tmp_path):
    paths = [str(METRICS_FOLDER / name) for name in ("edit_similarity", "rouge_l", "repetition")]
    together = evaluate.combine(paths)
    together.add_batch(predictions=ONE, references=OTHER)
    results = together.compute()
    assert set(results) == {"edit_similarity", "rouge_l", "repetition"}
    assert results["rouge_l"] == compute("rouge_l", ONE, OTHER)["rouge_l"]
    file = evaluate.save(tmp_path, **results)
    assert json.loads(file.read_text(encoding="utf-8"))["rouge_l"] == results["rouge_l"]
