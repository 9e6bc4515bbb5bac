"""A dataset on the Hub becomes a corpus: pinned to a commit, reused offline, refused in a sentence."""

import json

import pytest
import yaml
from hub_server import Blob, Fault, Repo

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.corpus.hub_dataset import list_configurations, pin_revision
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import SPLITS

COLUMNS = ["text", "headword", "dictionary", "entry_id", "group", "view", "spans"]
LINES = "".join(f"詞{number}：第{number}個詞的說明。\n" for number in range(400)).encode()
EXTEND = "".join(
    f"{chr(0x5000 + number)}{chr(0x6000 + number)}：{chr(0x7000 + number) * 9}。\n"
    for number in range(300)
).encode()
CARD = b"""---
configs:
- config_name: base
  data_files: base.txt
- config_name: extend
  data_files:
  - split: train
    path: extend.txt
---
"""


@pytest.fixture
def make_repo(hub):
    """Puts files into a dataset repository on our Hub; returns the repository."""

    def make(files, repo_id="owner/words", *, private=False):
        repo = hub.repos.setdefault(
            ("datasets", repo_id), Repo("datasets", repo_id, private=private)
        )
        large = (".parquet",)
        blobs = {name: Blob(data, large=name.endswith(large)) for name, data in files.items()}
        hub.storage |= {blob.sha256: blob.data for blob in blobs.values()}
        repo.commit("main", blobs, "files", "", "owner")
        return repo

    return make


@pytest.fixture
def build(at_hub, tmp_path):
    """Builds a corpus from our Hub in a new process; returns its code, what it said, its facts."""

    def run(*options, repo_id="owner/words", name="run", **environment):
        done = at_hub(
            "-m", "hf_zh_dict", "corpus", "--corpus.source", "hub", "--corpus.repo-id", repo_id,
            "--output-dir", tmp_path / name, *options, **environment,
        )  # fmt: skip
        stage = tmp_path / name / "corpus" / "stage.json"
        facts = json.loads(stage.read_text(encoding="utf-8")) if stage.is_file() else {}
        assert "Traceback" not in done.stderr
        assert "hf_writer" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr, facts

    return run


def rows_of(run):
    return {
        split: list(read_rows(run / "corpus" / f"{split}.parquet", COLUMNS)) for split in SPLITS
    }


def test_one_file_of_three_is_read_and_its_commit_recorded(make_repo, build):
    repo = make_repo({"base.txt": LINES, "extend.txt": EXTEND, "synthesize.txt": b"x\n" * 50})
    code, shown, facts = build("--corpus.data-files", "base.txt")
    assert code == 0, shown
    commit = repo.branches["main"].oid
    assert f"corpus: owner/words, commit {commit}" in shown
    assert (facts["commit"], facts["revision"], facts["documents"]) == (commit, "main", 400)


def test_a_run_keeps_its_commit_though_the_branch_moves_on(make_repo, build, hub, at_hub, tmp_path):
    repo = make_repo({"base.txt": LINES})
    first = build()[2]["commit"]
    make_repo({"base.txt": LINES + EXTEND})
    asked = len(hub.requests)
    code, shown, facts = build()
    assert (code, facts["commit"]) == (0, first)
    assert "corpus: reused" in shown
    assert len(hub.requests) == asked
    second = build(name="other")[2]
    assert second["commit"] == repo.branches["main"].oid != first
    assert second["documents"] == 700
    third = build("--corpus.revision", first, name="third")[2]
    assert (third["commit"], third["documents"]) == (first, 400)


def test_configurations_are_read_by_name_and_offline_from_what_was_fetched(make_repo, build, hub):
    make_repo({"README.md": CARD, "base.txt": LINES, "extend.txt": EXTEND})
    code, shown, facts = build("--corpus.config-name", "extend")
    assert (code, facts["documents"]) == (0, 300), shown
    assert not hub.asked("GET", "/resolve/.*base.txt")
    for name, options in {"a": (), "b": ("--corpus.revision", facts["commit"])}.items():
        code, shown, again = build(
            "--corpus.config-name", "extend", *options, name=name, HF_HUB_OFFLINE="1"
        )
        assert (code, again["documents"], again["commit"]) == (0, 300, facts["commit"]), shown
    code, shown, _ = build("--corpus.config-name", "base", name="c", HF_HUB_OFFLINE="1")
    assert code == 2
    assert "cannot be read" in shown
    code, shown, _ = build("--corpus.config-name", "bass", name="d")
    assert code == 2
    assert "has no configuration “bass”; corpus.config_name is one of: base, extend." in shown


def test_files_by_name_are_reused_offline(make_repo, build):
    make_repo({"base.txt": LINES, "extend.txt": EXTEND})
    assert build("--corpus.data-files", "base.txt")[0] == 0
    code, shown, facts = build("--corpus.data-files", "base.txt", name="b", HF_HUB_OFFLINE="1")
    assert (code, facts["documents"]) == (0, 400), shown


def test_our_own_corpus_comes_back_the_same(make_repo, build, make_run, tmp_path):
    run = make_run()
    names = [f"{split}.parquet" for split in SPLITS]
    card = CARD.replace(b"base.txt", b'"*.parquet"')
    files = {name: (run / "corpus" / name).read_bytes() for name in names}
    make_repo({"README.md": card, **files})
    code, shown, facts = build("--corpus.config-name", "base", name="back")
    assert code == 0, shown
    before = [row for rows in rows_of(run).values() for row in rows]
    after = [row for rows in rows_of(tmp_path / "back").values() for row in rows]
    for rows in (before, after):
        rows.sort(key=lambda row: (row["dictionary"], row["entry_id"], row["text"]))
    assert after == before
    assert facts["documents"] == len(before)


def test_a_private_dataset_is_read_with_the_token(make_repo, build):
    make_repo({"base.txt": LINES}, private=True)
    assert build()[0] == 0
    for name, token in {"b": "hf_reader", "c": ""}.items():
        code, shown, _ = build(name=name, token=token, HF_HOME=f"home-{name}")
        assert code == 2
        assert "error: owner/words: there is no such dataset on the Hub, or it is private" in shown


def test_a_download_that_broke_off_goes_on_when_run_again(make_repo, build, hub, make_run):
    data = (make_run() / "corpus" / "train.parquet").read_bytes()
    make_repo({"train.parquet": data})
    hub.faults.append(Fault("/storage/", cut_after=1000, times=20))
    code, shown, _ = build()
    assert code == 2
    assert "cannot be read" in shown
    assert "what was fetched is kept" in shown
    hub.faults.clear()
    assert build()[0] == 0


@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        (["--corpus.repo-id", "owner/none"], {}, "owner/none: there is no such dataset on the Hub"),
        (["--corpus.revision", "v9"], {}, "owner/words: has no branch, tag or commit “v9”"),
        (["--corpus.data-files", "b.txt"], {}, "has no file “b.txt”; corpus.data_files can name: base.txt."),
        ([], {"token": "hf_unknown"}, "owner/words: there is no such dataset on the Hub, or it is private"),
        ([], {"HF_ENDPOINT": "http://127.0.0.1:9"}, "owner/words cannot be read"),
        ([], {"HF_HUB_OFFLINE": "1"}, "owner/words cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_is_one_sentence(make_repo, build, options, environment, sentence):
    make_repo({"base.txt": LINES})
    code, shown, _ = build(*options, **environment)
    assert code == 2
    assert sentence in shown.splitlines()[-1]


def test_a_gated_dataset_says_where_to_ask(make_repo, build):
    make_repo({"base.txt": LINES}).gated = "manual"
    code, shown, _ = build(token="hf_reader")
    assert code == 2
    assert "lets in only who asked" in shown.splitlines()[-1]


def test_a_hub_that_is_not_well_is_one_sentence(make_repo, build, hub):
    make_repo({"base.txt": LINES})
    hub.faults.append(Fault("/api/datasets/", status=500, times=99))
    code, shown, _ = build()
    assert code == 2
    assert "the Hub answers 500" in shown.splitlines()[-1]


def test_the_runs_own_commit_is_taken_when_the_same_is_asked_for():
    config = CorpusConfig(source="hub", repo_id="a/b", revision="v1")
    facts = {"repo_id": "a/b", "revision": "v1", "commit": "c" * 40}
    assert pin_revision(config, facts).revision == "c" * 40
    with pytest.raises(InputError, match="cannot be read"):
        pin_revision(config, facts | {"revision": "v2"})
    pinned = CorpusConfig(source="hub", repo_id="a/b", revision="d" * 40)
    assert pin_revision(pinned, facts) == pinned
    assert pin_revision(CorpusConfig(), facts) == CorpusConfig()


def test_configurations_are_those_of_the_card(tmp_path):
    assert list_configurations(tmp_path) == {}
    card = {"configs": [
        {"config_name": "a", "data_files": ["x.txt", "y.txt"]},
        {"config_name": "b", "data_files": [{"split": "test", "path": ["z.txt", "w.txt"]}]},
    ]}  # fmt: skip
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump(card)}---\n", encoding="utf-8")
    assert list_configurations(tmp_path) == {
        "a": {"train": ["x.txt", "y.txt"]},
        "b": {"test": ["z.txt", "w.txt"]},
    }
