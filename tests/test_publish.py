"""push-corpus sends what may be sent, to a repository that is ours, and otherwise says why not."""

import json
from functools import partial

import pytest
from hub_server import Blob, Fault
from test_dataset_card import COLUMNS, LOAD_WITHOUT_US, MINISTRY

from hf_zh_dict.cli import main
from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.paths import SPLITS

PARQUET = [f"{split}.parquet" for split in SPLITS]
TERMS = "reviseddict_10312.pdf"
KNOWN = {"source": "spreadsheets", "inputs": MINISTRY[:1]}  # its edition and terms are known


@pytest.fixture
def push(send):
    return partial(send, "push-corpus", repo_id="owner/words")


@pytest.fixture
def refused(capsys):
    """Runs push-corpus here, which must refuse before it asks the Hub; returns its sentence."""

    def run(run, *options, repo_id="owner/words"):
        assert main(["push-corpus", str(run), "--repo-id", repo_id, *options]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    return run


def files_at(hub, repo_id="owner/words"):
    return hub.repo(repo_id).branches["main"].files


def test_a_pushed_corpus_is_loaded_by_its_name_without_us(hub, push, at_hub, make_run):
    run = make_run()
    code, shown = push(run)
    commit = hub.repo("owner/words").branches["main"]
    assert code == 0
    assert f"{hub.endpoint}/datasets/owner/words, commit {commit.oid}" in shown
    assert hub.repo("owner/words").private
    assert sorted(commit.files) == sorted([".gitattributes", "README.md", "stage.json", *PARQUET])
    assert commit.parent.title == "initial commit"
    done = at_hub("-c", LOAD_WITHOUT_US, "owner/words", "plain")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        split: list(read_rows(run / "corpus" / f"{split}.parquet", COLUMNS)) for split in SPLITS
    }
    assert 'load_dataset("owner/words", "plain")' in commit.files["README.md"].data.decode()


def test_our_repository_gets_a_new_commit_when_something_has_changed(hub, push, make_run):
    terms = [TERMS, "conciseddict_10312.pdf"]
    first = make_run("first", terms=terms, **KNOWN)
    assert push(first, "--terms-read")[0] == 0
    assert {f"license/{name}" for name in terms} < set(files_at(hub))
    oid = hub.repo("owner/words").branches["main"].oid
    assert f"nothing has changed: {hub.endpoint}/datasets/owner/words, commit {oid}" in push(first, "--terms-read")[1]  # fmt: skip
    second = make_run("second", terms=[TERMS], **KNOWN, seed=1)
    assert push(second, "--terms-read")[0] == 0
    assert [name for name in files_at(hub) if "license" in name] == [f"license/{TERMS}"]
    assert hub.repo("owner/words").branches["main"].parent.oid == oid
    assert json.loads(files_at(hub)["stage.json"].data)["seed"] == 1


def test_a_dry_run_shows_everything_and_sends_nothing(hub, push, make_run):
    run = make_run(terms=[TERMS], **KNOWN)
    code, shown = push(run, "--terms-read", "--dry-run", "--public", token="")
    assert code == 0
    assert "owner/words, public" in shown
    for name in (*PARQUET, "stage.json", f"license/{TERMS}"):
        assert f"{(run / 'corpus' / name).stat().st_size:>12,}  {name}" in shown
    assert "版本編號：2015_20250627" in shown
    assert "dropped.jsonl" not in shown
    assert not hub.requests


def test_ones_own_text_is_pushed_with_the_licence_stated(hub, push, make_run):
    run = make_run(source="text")
    assert push(run, "--license", "mit", "--public")[0] == 0
    assert not hub.repo("owner/words").private
    assert "license: mit" in files_at(hub)["README.md"].data.decode()
    code, shown = push(run, "--license", "my-own", "--public")
    assert code == 2
    assert "does not accept this" in shown
    assert "license" in shown


def test_the_visibility_of_a_repository_is_never_changed(hub, push, make_run):
    run = make_run()
    assert push(run)[0] == 0
    code, shown = push(run, "--public")
    assert code == 0
    assert "it is private, and stays so" in shown
    hub.repo("owner/words").private = False
    before = len(hub.requests)
    code, shown = push(run)
    assert code == 2
    assert "is public; add --public" in shown
    assert {request.method for request in hub.requests[before:]} == {"GET"}
    assert not hub.asked("PUT", "/settings")


def test_a_repository_with_something_else_is_left_alone(hub, push, make_run):
    run = make_run()
    assert push(run)[0] == 0
    repo = hub.repo("owner/words")
    foreign = {"README.md": Blob(b"---\nlicense: mit\n---\n"), "data.csv": Blob(b"a,b\n")}
    head = repo.commit("main", foreign, "another dataset", "", "owner")
    code, shown = push(run)
    assert code == 2
    assert "owner/words: holds something else" in shown
    assert repo.branches["main"] is head


@pytest.mark.parametrize(
    ("environment", "repo_id", "sentence"),
    [
        ({"token": ""}, "owner/words", "there is no token for the Hub"),
        ({"token": "hf_unknown"}, "owner/words", "the Hub does not accept the token"),
        ({"token": "hf_reader"}, "reader/words", "the token may not write to reader/words"),
        ({}, "others/words", "the token may not write to others/words"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "owner/words", "the Hub cannot be reached"),
        ({"HF_HUB_OFFLINE": "1"}, "owner/words", "the Hub cannot be reached"),
    ],
)
def test_what_the_hub_or_the_network_refuses_is_one_sentence(
    hub, push, make_run, environment, repo_id, sentence
):
    code, shown = push(make_run(), repo_id=repo_id, **environment)
    assert code == 2
    assert f"error: {sentence}" in shown
    assert shown.count("\n") == (1 if environment.get("token") == "" else 2)
    assert not hub.repos


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("/repos/create", status=404), "owner/words: there is no such owner"),
        (Fault("/commit/", status=412), "owner/words: was changed while this ran"),
        (
            Fault("/commit/", status=500),
            "the Hub answers 500 (the Hub is not well); try again later.",
        ),
        (Fault("/storage/", method="PUT", status=403, times=9), "the token may not write"),
        (Fault("/validate-yaml", status=429, times=9), "the Hub answers 429 (the Hub is not well)"),
    ],
)
def test_what_goes_wrong_on_the_way_is_one_sentence(hub, push, make_run, fault, sentence):
    hub.faults.append(fault)
    code, shown = push(make_run())
    assert code == 2
    assert sentence in shown.splitlines()[-1]
    assert not hub.repos or sorted(files_at(hub)) == [".gitattributes"]


def test_a_busy_hub_is_asked_again(hub, push, make_run):
    hub.faults.append(Fault("/preupload/", status=503, retry_after=0))
    assert push(make_run())[0] == 0


@pytest.mark.parametrize("name", ["words", "a/b/c", "owner/", "owner/字", "owner/a--b", "-o/words"])
def test_a_name_that_is_none_is_refused(refused, make_run, name):
    assert f"“{name}” is not of the form OWNER/NAME" in refused(make_run(), f"--repo-id={name}")


def test_what_is_no_run_is_refused(refused, make_run, tmp_path):
    assert "no run with a corpus" in refused(tmp_path)
    run = make_run()
    (run / "corpus" / "test.parquet").unlink()
    assert "no run with a corpus" in refused(run)
    run = make_run("old", source=None)
    assert "does not say where its text comes from" in refused(run)


def test_text_without_a_licence_and_licences_without_need_are_refused(refused, make_run):
    assert "--license mit" in refused(make_run("text", source="text"))
    assert "leave it out" in refused(make_run("embedded"), "--license", "mit")


def test_text_of_the_hub_is_there_already(refused, make_run):
    run = make_run(source="hub", repo_id="someone/words", inputs=None)
    assert "is on the Hub already, in someone/words" in refused(run)


def test_the_ministrys_text_is_pushed_only_as_its_terms_allow(refused, make_run):
    run = make_run("extended", terms=[TERMS], **KNOWN, recipe="extended")
    assert "may not be passed on altered" in refused(run, "--terms-read")
    run = make_run("unknown recipe", terms=[TERMS], **KNOWN, recipe=None)
    assert "may not be passed on altered" in refused(run, "--terms-read")
    run = make_run("no edition", terms=[TERMS], source="spreadsheets", inputs=MINISTRY)
    sentence = refused(run, "--terms-read")
    assert "dict_mini.xlsx: its edition number is not known" in sentence
    assert "dict_revised_2015_20250627.xlsx" in sentence
    sentence = refused(make_run("no terms", **KNOWN), "--terms-read")
    assert "dict_revised_2015_20250627.zip: its terms of use" in sentence
    assert TERMS in sentence
    sentence = refused(make_run("not read", terms=[TERMS], **KNOWN))
    assert TERMS in sentence
    assert "--terms-read" in sentence
    run = make_run("no inputs", source="spreadsheets", inputs=None)
    assert "does not say where its text comes from" in refused(run, "--terms-read")
