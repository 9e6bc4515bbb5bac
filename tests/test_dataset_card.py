"""A corpus folder's card makes it a dataset, and says what is known of it and what is not."""

import importlib.resources
import json
import re

import pytest
from huggingface_hub import DatasetCard

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.paths import SPLITS, RunPaths
from hf_zh_dict.pipeline.building import ensure_corpus
from hf_zh_dict.settings import load_config
from hf_zh_dict.sharing.dataset_card import make_card, write_card
from hf_zh_dict.stages import read_stage

COLUMNS = ["text", "headword", "dictionary", "entry_id", "group", "view", "spans"]
MINISTRY = [
    {"name": "dict_revised_2015_20250627.zip", "sha256": "aa", "dictionary": "revised",
     "edition": "2015_20250627", "terms": "reviseddict_10312.pdf"},
    {"name": "dict_mini.xlsx", "sha256": "bb", "dictionary": "mini", "edition": "", "terms": ""},
]  # fmt: skip

# Runs where the package cannot be imported: a dataset must not need it.
LOAD_WITHOUT_US = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hf_zh_dict":
            raise ImportError("hf_zh_dict is not here")
sys.meta_path.insert(0, Refuse())
from datasets import List, Value, load_dataset
splits = load_dataset(*sys.argv[1:])
text = Value("string")
span = {"field": text, "start": Value("int32"), "end": Value("int32")}
for split in splits.values():
    assert dict(split.features) == {**dict.fromkeys(split.column_names[:-1], text), "spans": List(span)}
print(json.dumps({name: split.to_list() for name, split in splits.items()}))
"""


def rows_of(corpus):
    return {split: list(read_rows(corpus / f"{split}.parquet", COLUMNS)) for split in SPLITS}


def card_of(run, **options):
    return make_card(run / "corpus", read_stage(run / "corpus"), **options)


def test_a_built_corpus_is_a_dataset_that_loads_without_us(at_hub, tmp_path):
    paths = RunPaths(tmp_path / "run")
    ensure_corpus(load_config(), paths, print)
    done = at_hub("-c", LOAD_WITHOUT_US, paths.corpus, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == rows_of(paths.corpus)
    assert read_stage(paths.corpus)["fingerprint"] in (paths.corpus / "README.md").read_text(
        encoding="utf-8"
    )


def test_the_metadata_is_what_the_hub_and_datasets_read(make_run):
    run = make_run()
    data = card_of(run).data.to_dict()
    info = data.pop("dataset_info")
    assert data == {
        "pretty_name": "hf_zh_dict 內建辭典",
        "language": ["zh"],
        "license": "cc0-1.0",
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["traditional-chinese", "zh-Hant", "dictionary", "hf_zh_dict"],
        "configs": [
            {
                "config_name": "plain",
                "data_files": [{"split": split, "path": f"{split}.parquet"} for split in SPLITS],
                "default": True,
            }
        ],
    }
    assert info["config_name"] == "plain"
    assert [column["name"] for column in info["features"]] == COLUMNS
    rows = rows_of(run / "corpus")
    assert {split["name"]: split["num_examples"] for split in info["splits"]} == {
        split: len(rows[split]) for split in SPLITS
    }
    sizes = [(run / "corpus" / f"{split}.parquet").stat().st_size for split in SPLITS]
    assert info["download_size"] == sum(sizes)
    assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])


def test_the_card_says_what_is_known(make_run):
    run = make_run()
    text = str(card_of(run, repo_id="owner/bridges"))
    facts = read_stage(run / "corpus")
    train = facts["splits"]["train"]
    for line in (
        "hf_zh_dict 專案自撰的一部小辭典，依四種國語辭典的體例寫成，供試跑與測試。",
        f"| train | {train['documents']} | {train['groups']} | {train['characters']:,} |",
        f"- 各寫法的文件數 by view：`plain` {facts['documents']}",
        'corpus = load_dataset("owner/bridges", "plain")',
        "| mini.csv | – | `4567` |",
        "hf-zh-dict corpus --corpus.source embedded --corpus.seed 0",
        "- 略過的 dropped：`repeated` 1,200",
        "- 併組 links：詞條言明的 stated 1,500、近似的 near-duplicates 7、在最弱處切斷的 cut 0；最大的組 largest group 9 條",
        "- 語料指紋 fingerprint：`0123abcd`",
        "- 只有圖、沒有字碼的字以 `〓`（U+3013）代替 characters that exist only as images：3",
    ):
        assert line in text.splitlines()
    assert "未記錄" not in text
    assert "CC0" in text
    assert not re.search(r"\n\n\n", text)


def test_the_ministrys_text_carries_the_notice_that_it_asks_for(make_run):
    run = make_run(source="spreadsheets", inputs=MINISTRY, terms=["reviseddict_10312.pdf"])
    card = card_of(run)
    assert (card.data.license, card.data["license_name"]) == ("other", "cc-by-nd-3.0-tw")
    assert card.data["license_link"].startswith("https://creativecommons.org/licenses/by-nd/3.0/tw")
    assert card.data.pretty_name == "教育部《重編國語辭典修訂本》《國語小字典》語料"
    lines = str(card).splitlines()
    notice = "- 中華民國教育部（Ministry of Education, R.O.C.）。"
    assert (
        notice
        + "《重編國語辭典修訂本》（版本編號：2015_20250627）網址：http://dict.revised.moe.edu.tw/"
        in lines
    )
    assert notice + "《國語小字典》（版本編號：未記錄）網址：http://dict.mini.moe.edu.tw/" in lines
    assert "[reviseddict_10312.pdf](license/reviseddict_10312.pdf)" in str(card)
    assert "必須完整保留" in str(card)
    assert "| dict_revised_2015_20250627.zip | 2015_20250627 | `aa` |" in lines
    assert "| dict_mini.xlsx | （未記錄） | `bb` |" in lines
    assert "--corpus.files dict_revised_2015_20250627.zip dict_mini.xlsx" in str(card)
    assert "文字照錄" in str(card)


def test_a_card_of_altered_text_does_not_call_it_verbatim(make_run):
    run = make_run(source="spreadsheets", inputs=MINISTRY, recipe="extended")
    card = card_of(run)
    assert card.data["configs"][0]["config_name"] == "extended"
    assert "不得散布" in str(card)
    assert "文字照錄" not in str(card)
    assert "verbatim" not in str(card)
    assert "--corpus.recipe extended" in str(card)


def test_ones_own_text_has_the_licence_that_its_owner_states(make_run):
    run = make_run(source="text")
    assert "授權 licence：（未記錄）。" in str(card_of(run))
    assert card_of(run).data.license is None
    card = card_of(run, license_id="mit")
    assert card.data.license == "mit"
    assert "stated by the publisher：`mit`" in str(card)


def test_text_of_the_hub_names_its_repository_and_commit(make_run):
    run = make_run(source="hub", repo_id="someone/words", commit="c0ffee", inputs=None)
    text = str(card_of(run))
    assert "https://huggingface.co/datasets/someone/words）（commit：c0ffee）" in text.replace(
        ")", "）"
    )
    assert "--corpus.repo-id someone/words --corpus.revision c0ffee" in text


def test_what_is_missing_is_said(make_run, tmp_path):
    folder = make_run() / "corpus"
    write_card(folder, {})
    card = DatasetCard.load(folder / "README.md")
    assert card.data["configs"][0]["config_name"] == "default"
    assert card.data.license is None
    text = str(card)
    for line in (
        "| train | （未記錄） | （未記錄） | （未記錄） |",
        "- 各辭典的文件數 by dictionary：（未記錄）",
        "授權 licence：（未記錄）。",
        "來源檔案 source files：（未記錄）",
        "- 略過的 dropped：（未記錄）",
    ):
        assert line in text.splitlines()
    assert "None" not in text
    assert "Undefined" not in text


@pytest.mark.parametrize("missing", ["edition", "dictionary", "name", "sha256"])
def test_what_is_missing_of_a_file_is_said(make_run, missing):
    inputs = [{key: value for key, value in MINISTRY[0].items() if key != missing}]
    text = str(card_of(make_run(source="spreadsheets", inputs=inputs)))
    assert "未記錄" in text
    assert "None" not in text


def test_the_template_is_part_of_the_package():
    template = importlib.resources.files("hf_zh_dict.sharing") / "templates" / "dataset_card.md"
    assert "{{ card_data }}" in template.read_text(encoding="utf-8")
