"""What is said of a written entry is true of it, in words for each case."""

import pytest

from hf_zh_dict.evaluation.known_entries import KnownEntries, KnownEntry
from hf_zh_dict.evaluation.written_entry import examine_entry

GOOD = "霧燈　ㄨˋ ㄉㄥ　wù dēng　大霧時點亮的燈。"
KNOWN = KnownEntries([
    KnownEntry(GOOD, "霧燈", "test"),
    KnownEntry("霧燈　ㄨˋ ㄉㄥ˙　船上的燈。", "霧燈", "train", "mini"),
    KnownEntry("茶壺　ㄔㄚˊ ㄏㄨˊ　chá hú　泡茶的器具。", "茶壺", "train"),
])  # fmt: skip


def remarks_on(text, word="霧燈", known=KNOWN):
    return {r.name: (r.good, r.sentence) for r in examine_entry(word, text, known).remarks}


def test_a_right_entry_is_praised_for_everything():
    remarks = remarks_on(GOOD)
    assert list(remarks) == ["form", "注音", "漢語拼音", "beside the dictionary"]
    assert all(good for good, _sentence in remarks.values())


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("霧燈", "form", "no definition"),
        ("霧燈　大霧時的燈。", "form", "no 注音 behind the headword"),
        ("霧燈　ㄨˋ ㄉㄥ　2.燈。", "form", "not numbered"),
        ("霧燈　ㄨˋ ㄉㄥ　大霧", "form", "ends before its sentence"),
        ("霧燈　ㄨˋ ㄉㄥ　如：「燈。", "form", "not closed"),
        ("霧燈　ㄨˋ ㄉㄥ　燈\ufffd。", "form", "broken characters"),
        ("霧燈　ㄨˋ　燈。", "注音", "not one for each"),
        ("霧燈　ㄨˋ ㄅㄅ　燈。", "注音", "malformed"),
        ("霧燈　ㄨˋ ㄉㄥ　wú dēng　燈。", "漢語拼音", "something else"),
        ("霧燈　ㄨˊ ㄉㄥ　燈。", "beside the dictionary", "there: ㄨˋ ㄉㄥ、ㄨˋ ㄉㄥ˙"),
    ],
)
def test_what_is_wrong_is_named(text, name, words):
    good, sentence = remarks_on(text)[name]
    assert good is False
    assert words in sentence


def test_what_cannot_be_checked_is_neither_right_nor_wrong():
    remarks = remarks_on("霧燈　大霧時的燈。")
    for name in ("注音", "漢語拼音", "beside the dictionary"):
        assert remarks[name][0] is None


def test_any_of_the_dictionary_s_readings_is_right():
    assert remarks_on("霧燈　ㄨˋ ㄉㄥ˙　燈。")["beside the dictionary"][0]


def test_the_word_s_own_entries_stand_beside_it():
    assert [e.split for e in examine_entry("霧燈", GOOD, KNOWN).truths] == ["test", "train"]
    assert examine_entry("霧", GOOD, KNOWN).truths == ()
    assert "beside the dictionary" not in remarks_on(GOOD, word="霧")


@pytest.mark.parametrize(
    ("text", "novelty", "words"),
    [
        ("泡茶的器具。", 0, "by heart"),
        ("茶壺　ㄔㄚˊ ㄏㄨˊ　chá hú　鳥在田裡。", pytest.approx(0.3, abs=0.1), "much of it is of"),
        ("從來沒有人這樣寫過的一句話。", 1, "the model's own"),
    ],
)
def test_novelty_is_a_number_with_words(text, novelty, words):
    written = examine_entry("茶", text, KNOWN)
    assert written.novelty == novelty
    assert words in written.novelty_in_words
    assert (written.nearest is None) == (written.novelty == 1)


def test_without_a_corpus_form_and_readings_are_still_checked():
    written = examine_entry("霧燈", GOOD, None)
    assert [r.good for r in written.remarks] == [True, True, True]
    assert (written.truths, written.nearest, written.novelty) == ((), None, None)
    assert written.novelty_in_words == ""


def test_a_text_too_short_to_compare_has_no_novelty():
    assert examine_entry("霧", "霧　燈。", KNOWN).novelty is None
