"""Which headwords an entry names: its other forms and where to look further, and no others."""

import pytest
from hypothesis import given
from strategies import entries

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.links import linked_headwords
from hf_zh_dict.dictionaries.normalize import normalize_headword, split_passages


def named_in(text, *sections, headword="島"):
    senses = (Sense(split_passages(text)),)
    return linked_headwords(Entry(headword, (Reading(senses=senses),), sections=sections))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("參見「島嶼」條。", "島嶼"),
        ("見「島嶼」條。", "島嶼"),
        ("小山。參見：「島嶼」、「半島」", "半島 島嶼"),
        ("小山。也稱：嶼、洲", "嶼 洲"),
        ("參見：嶼", "嶼"),
        ("小山。也作「島嶼」、「洲嶼」。", "島嶼 洲嶼"),
        ("小山。也稱為「嶼」。俗稱「洲」。", "嶼 洲"),
        ("小山。舊寫作「嶹」。", "嶹"),
        ("同「嶼」。", "嶼"),
        ("小山。通「洲」。", "洲"),
        ("「嶼」的異體字。", "嶼"),
        ("「嶼」、「洲」之俗稱。", "嶼 洲"),
        ("「嶼」或「洲」的古字。", "嶼 洲"),
        ("參見「嶼」(一)條。", "嶼"),
        ("參見「嶼」1.、「洲」2.條。", "嶼 洲"),
        ("也作「島」。", ""),
        ("水中的山。", ""),
        ("水中的山。如：「島嶼」、「半島」。", ""),
        ("稱海中的山為「山」。", ""),
        ("《說文解字》：「島，海中山。參見『嶼』。」", ""),
        ("與「陸」相對。", ""),
        ("反「陸」。", ""),
    ],
)
def test_what_a_sense_names(text, names):
    assert " ".join(named_in(text)) == names


def test_aliases_and_variants_count_synonyms_do_not():
    sections = (
        Passage("alias", "嶼，洲"),
        Passage("variants", "嶋、㠀 嶹"),
        Passage("synonyms", "山、陸"),
        Passage("source", "《島嶼志》"),
    )
    assert named_in("水中的山。", *sections) == tuple(sorted("嶼洲嶋㠀嶹"))


def test_names_are_compared_as_headwords_are():
    named = named_in("也作「ＡＢ制」、「一不做，二不休」、「AB制」。")
    assert named == ("AB制", "一不做二不休")
    assert named_in("也作「一不做二不休」。", headword="一不做，二不休") == ()


@given(entries())
def test_names_are_sorted_normalised_and_never_the_headword_itself(entry):
    links = linked_headwords(entry)
    assert list(links) == sorted(set(links))
    assert all(name and normalize_headword(name) == name for name in links)
    assert normalize_headword(entry.headword) not in links
