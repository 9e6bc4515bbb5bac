"""Suites are known by name; a wrong name is told with the right ones."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts, total_score
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.suites import SUITES, bits, dictionary, load_suite
from hf_zh_dict.evaluation.tables import find_measures
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import RunPaths


@pytest.mark.parametrize("name", list(SUITES))
def test_every_suite_can_be_loaded(name):
    assert callable(load_suite(name).run)


def test_a_wrong_name_is_told_with_the_right_ones():
    with pytest.raises(InputError, match=r"no suite “bitz”; the suites are bits, "):
        load_suite("bitz")


def test_bits_of_fields_and_dictionaries_add_up(make_run, tiny_model, tokenizer, tmp_path):
    paths = RunPaths(make_run())
    subject = Subject("tiny", tiny_model, tokenizer, paths, folder=tmp_path / "files")
    results = bits.run(subject)
    texts = [row["text"] for row in subject.read_rows("test", ["text"])]
    prepared = prepare_texts(tokenizer, texts)
    nll = score_texts(tiny_model, prepared, batch_size=8, context_length=subject.context_length)
    total = total_score(prepared, nll)
    test = results["test"]
    for name in ("bits_per_char", "bits_per_byte", "loss"):
        assert test[name]["value"] == pytest.approx(getattr(total, name))
        assert test[name]["low"] < test[name]["value"] < test[name]["high"]
    for name in ("bits_per_char", "character_5gram"):
        needed = test[name]["value"] * total.num_chars
        fields = test["field"].values()
        assert needed == pytest.approx(
            sum(field[name]["value"] * field["characters"] for field in fields)
        )
        kinds = test["dictionary"].values()
        assert needed == pytest.approx(
            sum(kind[name]["value"] * kind["characters"] for kind in kinds)
        )
    kept = dict(bits.read_documents(subject.folder))["test"]
    assert kept["bits"].sum() / kept["num_chars"].sum() == pytest.approx(total.bits_per_char)


def test_the_dictionary_suite_gives_every_number_its_chance(
    make_run, tiny_model, tokenizer, tmp_path
):
    paths = RunPaths(make_run())
    subject = Subject("tiny", tiny_model, tokenizer, paths, folder=tmp_path / "files")
    results = dictionary.run(subject)
    assert list(results) == ["definition", "reverse", "reading", "usage"]
    reading = {key: value for key, value in results["reading"].items() if key != "by_character"}
    for place, measure in find_measures({**results, "reading": reading}):
        assert "chance" in measure, place
        assert measure["count"] > 0
    assert results["reading"]["all"]["exact"]["value"] == 0
    assert results["reading"]["by_character"]["all"]["exact"]["value"] > 0.3
    assert {"words", "idioms", "miswritten"} <= set(results["usage"])
    assert dictionary.run(subject) == results


def test_a_corpus_without_entries_has_no_dictionary_suite(
    make_run, tiny_model, tokenizer, tmp_path
):
    paths = RunPaths(make_run())
    table = pq.read_table(paths.split("test"))
    lines = pa.array(["line"] * len(table))
    place = table.schema.names.index("view")
    pq.write_table(table.set_column(place, "view", lines), paths.split("test"))
    subject = Subject("tiny", tiny_model, tokenizer, paths, folder=tmp_path / "files")
    with pytest.raises(InputError, match="holds out no dictionary entries"):
        dictionary.run(subject)
