"""A model's card says what its run folder holds, and what it does not hold."""

import importlib.resources
import json
import re

import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import save_file
from test_dataset_card import MINISTRY
from test_results import EVALUATION

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.model_card import make_family_card, make_model_card
from hf_zh_dict.sharing.model_facts import ModelFacts, read_model_facts

SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 300,
         "max_position_embeddings": 32, "transformers_version": "5.0"}  # fmt: skip
ROWS = [
    {"step": 0, "validation_bits_per_char": 9.0, "tokens": 0, "seconds": 0.0},
    {"step": 1, "loss": 6.0},
    {"step": 2, "validation_bits_per_char": 5.5, "tokens": 700, "seconds": 90.0},
    {"step": 4, "validation_bits_per_char": 5.6, "tokens": 1400, "seconds": 180.0},
]
SAMPLES = [
    {"step": 2, "prompt": "舊　", "text": "舊　早的。", "parses": True},
    {"step": 4, "prompt": "霧燈　", "text": "霧燈　ㄨˋ　\n" + "光" * 300, "parses": False},
]


@pytest.fixture
def make_model_run(make_run):
    """Makes a run folder with a model that has the right files; facts of the corpus may change."""
    import numpy as np
    import yaml

    def make(name="run", *, evaluation=EVALUATION, **changed):
        paths = RunPaths(make_run(name, **changed))
        paths.model.mkdir()
        (paths.model / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
        save_file({"embed": np.zeros((300, 16)), "norm": np.zeros(16)}, paths.model / "model.safetensors")  # fmt: skip
        settings = {
            "corpus": {"source": "embedded", "files": [str(paths.root / "secret" / "a.xlsx")]},
            "train": {"max_steps": 4, "per_device_batch_size": 2, "learning_rate": 0.0005},
            "hub": {"repo_id": "owner/x"},
        }
        paths.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        for path, rows in ((paths.metrics, ROWS), (paths.samples, SAMPLES)):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        if evaluation:
            report = evaluation | {"model": str(paths.model)}
            paths.evaluation.write_text(json.dumps(report), encoding="utf-8")
        paths.curve.write_bytes(b"\x89PNG")
        return paths

    return make


def test_the_card_says_what_the_run_holds(make_model_run):
    card = make_model_card(
        read_model_facts(make_model_run()), repo_id="owner/bridges", files={"curve.png": b""}
    )
    text = str(card)
    for line in (
        'write = pipeline("text-generation", "owner/bridges")',
        'print(write("霧燈", max_new_tokens=60)[0]["generated_text"])',
        "| bits · test · bits_per_char | 4.990 | 4.900 – 5.100 | – | 1,802 |",
        "| dictionary · ranking · accuracy | 0.400 | – | 0.100 | 500 |",
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


def test_the_attached_settings_hold_no_path_of_this_machine(make_model_run):
    settings = read_model_facts(make_model_run()).settings
    assert settings["corpus"]["files"] == ["a.xlsx"]
    assert "hub" not in settings


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
