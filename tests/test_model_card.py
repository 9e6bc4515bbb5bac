"""A model's card says what its run folder holds, and what it does not hold."""

import importlib.resources
import re

import pytest
from huggingface_hub import ModelCard
from test_dataset_card import MINISTRY

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.model_card import make_family_card, make_model_card
from hf_zh_dict.sharing.model_facts import ModelFacts, read_model_facts


def test_the_card_says_what_the_run_holds(make_model_run):
    card = make_model_card(
        read_model_facts(make_model_run()), repo_id="owner/bridges", files={"curve.png": b""}
    )
    text = str(card)
    for line in (
        'write = pipeline("text-generation", "owner/bridges")',
        'print(write("霧燈", max_new_tokens=60)[0]["generated_text"])',
        "| test | 4.990 (4.900–5.100) | |",
        "| ranking | 0.400 (機會 chance 0.100) |",
        "hf-zh-dict export owner/bridges --format gguf && ollama create bridges "
        '-f bridges-gguf/Modelfile && ollama run bridges "霧燈"',
        "![學習曲線 learning curve](curve.png)",
        "| 參數 parameters | 4,816 |",
        "| 寬 × 層 width × layers | 16 × 2，4 heads |",
        "| 步數 steps | 4 / 4；採用 kept：2 |",
        "| 看過 tokens seen | 1,400 |",
        "| 時間 time | 3.0 min |",
        "| 驗證每字位元數 validation bits per character | 9.000 → 5.500 |",
        "霧燈　ㄨˋ　 " + "光" * 193 + "……",
        "accelerate launch train.py --config config.yaml --output-dir RUN",
        "語料指紋 fingerprint：`0123abcd`",
    ):
        assert line in text.splitlines()
    assert "舊" not in text
    assert "secret" not in text
    assert not re.search(r"\n\n\n", text)


def test_the_metadata_is_what_the_hub_reads(make_model_run):
    data = ModelCard(str(make_model_card(read_model_facts(make_model_run())))).data
    assert (data.library_name, data.pipeline_tag) == ("transformers", "text-generation")
    assert (data.license, data.language, data.base_model) == ("cc0-1.0", ["zh"], None)
    assert {"llama", "zh-Hant", "trained-from-scratch", "hf_zh_dict"} <= set(data.tags)
    found = {(result.metric_type, result.dataset_split) for result in data.eval_results}
    assert ("bits_per_char", "test") in found
    assert {result.dataset_config for result in data.eval_results} == {"plain"}


def test_a_model_of_the_ministrys_text_names_dictionaries_and_editions(make_model_run):
    paths = make_model_run(source="spreadsheets", inputs=MINISTRY[:1])
    card = make_model_card(read_model_facts(paths), terms=["reviseddict_10312.pdf"])
    assert (card.data.license, card.data["license_name"]) == ("other", "cc-by-nd-3.0-tw")
    assert "《重編國語辭典修訂本》（版本編號：2015_20250627）" in str(card)
    assert "[reviseddict_10312.pdf](license/reviseddict_10312.pdf)" in str(card)
    assert "不可冠以教育部之名" in str(card)


def test_a_model_of_a_dataset_on_the_hub_names_it_with_its_commit(make_model_run):
    commit = "c0ffee" * 6 + "c0ff"
    paths = make_model_run(source="hub", repo_id="someone/words", commit=commit, inputs=None)
    card = make_model_card(read_model_facts(paths), license_id="mit")
    assert card.data.datasets == ["someone/words"]
    assert card.data.license == "mit"
    assert f"https://huggingface.co/datasets/someone/words)，commit `{commit}`" in str(card)
    assert card.data.eval_results[0].dataset_type == "someone/words"


def test_what_is_missing_is_said(tmp_path):
    facts = read_model_facts(RunPaths(tmp_path))
    assert facts == ModelFacts({}, {}, {}, None, {}, {}, [])
    card = make_model_card(facts)
    text = str(card)
    for line in (
        "評量結果 evaluation：（未記錄）",
        "學習曲線 learning curve：（未記錄）",
        "| 參數 parameters | （未記錄） |",
        "| 時間 time | （未記錄） |",
        "授權 licence：（未記錄）。",
        "設定 settings：（未記錄）",
    ):
        assert line in text.splitlines()
    assert "None" not in text
    assert "Undefined" not in text
    assert card.data.license is None


def test_a_family_has_a_card_with_the_bits_of_each(make_model_run):
    facts = read_model_facts(make_model_run())
    known = str(make_model_card(facts, repo_id="owner/family", folder="modelA"))
    unknown = str(make_model_card(ModelFacts(facts.corpus, {}, {}, None, {}, {})))
    assert 'from_pretrained("owner/family", subfolder="modelA")' in known
    card = make_family_card("owner/family", {"modelB": unknown, "modelA": known})
    lines = str(card).splitlines()
    assert "| [modelA](modelA/README.md) | 4.990（test） |" in lines
    assert "| [modelB](modelB/README.md) | （未記錄） |" in lines
    assert card.data.license == "cc0-1.0"
    assert "hf_zh_dict" in card.data.tags


@pytest.mark.parametrize("name", ["model_card.md", "family_card.md"])
def test_the_templates_are_part_of_the_package(name):
    template = importlib.resources.files("hf_zh_dict.sharing") / "templates" / name
    assert "{{ card_data }}" in template.read_text(encoding="utf-8")
