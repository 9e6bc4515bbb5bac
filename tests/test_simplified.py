"""Simplified characters are told from those that Traditional text uses too."""

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.simplified import simplified_characters


def test_simplified_and_traditional():
    assert simplified_characters("汉语词典说") == list("汉语词说")
    assert simplified_characters("漢語詞典說，皇后在台北里長家。") == []
    assert simplified_characters("ㄅㄆ abc 〓\U00020000。") == []


def test_radicals_and_compatibility_forms_are_none():
    assert simplified_characters("广部0畫　\uf967\uf97e") == []


def test_a_dictionary_has_next_to_none(embedded_corpus):
    """Variants that it lists are all there is."""
    lines = list(read_texts(embedded_corpus[0] / "train.parquet"))
    assert sum(bool(simplified_characters(line)) for line in lines) < len(lines) / 100
