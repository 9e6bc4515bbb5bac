"""What tokens cost is shared among characters and fields, and nothing is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.evaluation.fields import (
    FIELD_GROUPS,
    count_fields,
    group_field,
    label_characters,
    spread_tokens,
    sum_fields,
)


def label(row):
    return [FIELD_GROUPS[number] for number in label_characters(row)]


def as_row(entry):
    document = render_document(entry)
    spans = [{"field": s.field, "start": s.start, "end": s.end} for s in document.spans]
    return {"text": document.text, "spans": spans}


def test_each_character_has_its_field():
    sense = Sense((Passage("definition", "高山。"), Passage("example", "如：「山」。")))
    reading = Reading("ㄩㄝˋ", "yuè", (sense,), (Passage("synonyms", "山"),))
    row = as_row(Entry("嶽", (reading,), sections=(Passage("story", "古"),)))
    assert row["text"] == "嶽　ㄩㄝˋ　yuè　高山。如：「山」。　相似詞：山　典故說明：古"
    found = ["headword", "between", *["bopomofo"] * 3, "between", *["pinyin"] * 3, "between"]
    found += [*["definition"] * 3, *["example"] * 6, *["between"] * 5, "other"]
    found += [*["between"] * 6, "idiom_section", "between"]
    assert label(row) == found


def test_sections_that_other_dictionaries_have_too_are_no_idiom_sections():
    assert {group_field(name) for name in ("synonyms", "variants", "radical")} == {"other"}
    assert {group_field(name) for name in ("usage_examples", "quotations")} == {"idiom_section"}


def test_a_token_that_straddles_two_characters_is_shared_and_bytes_are_gathered():
    """Two tokens are bytes of the first character, one covers the other two, then comes eos."""
    costs = spread_tokens(np.array([1.0, 2.0, 8.0, 0.5]), [(0, 1), (0, 1), (1, 3)], 3)
    assert costs.tolist() == [3.0, 4.0, 4.0, 0.5]


@given(text=st.text(alphabet="山水　ㄕ𠀀a1。", max_size=30), seed=st.integers(0, 99))
def test_fields_add_up_to_what_the_tokens_cost(text, seed, tokenizer):
    encoded = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    costs = np.random.default_rng(seed).random(len(encoded.ids) + 1)
    spread = spread_tokens(costs, encoded.offsets, len(text))
    labels = label_characters(
        {"text": text, "spans": [{"field": "definition", "start": 0, "end": len(text) // 2}]}
    )
    assert spread.sum() == pytest.approx(costs.sum())
    assert sum_fields(labels, spread).sum() == pytest.approx(costs.sum())
    assert count_fields(labels).sum() == len(text)
