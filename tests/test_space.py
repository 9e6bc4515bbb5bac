"""push --space puts up the demo's page: what the Space gets starts by itself, as the Hub starts it."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from hub_server import Blob
from huggingface_hub import SpaceCard
from test_dataset_card import MINISTRY

import hf_zh_dict
from hf_zh_dict.cli import main
from hf_zh_dict.sharing.publish_model import Destination
from hf_zh_dict.sharing.space import may_show

gradio = pytest.importorskip("gradio")

CORPUS = [
    "corpus/stage.json",
    "corpus/test.parquet",
    "corpus/train.parquet",
    "corpus/validation.parquet",
]
TERMS = "reviseddict_10312.pdf"
REVISED = {"source": "spreadsheets", "inputs": MINISTRY[:1], "terms": (TERMS,)}

# Runs app.py; once the page is served, says what is on it, and ends.
START = """
import json, os, sys, runpy, warnings
warnings.simplefilter("ignore", DeprecationWarning)
os.chdir(sys.argv[1])
sys.path.insert(0, sys.argv[1])  # as `python app.py` has it
import gradio, httpx
def look(page):
    config = httpx.get(page.local_url + "config").json()
    texts = [c["props"].get("value") for c in config["components"]]
    import hf_zh_dict
    print(json.dumps({"title": config["title"], "texts": [t for t in texts if isinstance(t, str)],
                      "package": hf_zh_dict.__file__}))
    page.close(verbose=False)
gradio.Blocks.block_thread = look
runpy.run_path("app.py")
"""


@pytest.fixture
def push(send):
    return partial(send, "push", repo_id="owner/model")


@pytest.fixture
def start(hub, tmp_path):
    """Starts a Space from its own files in a new process; returns what its page shows."""

    def run(files, token="hf_writer"):
        folder = tmp_path / "space"
        for name, blob in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(blob.data)
        hidden = ("HF_", "LC_", "LANG", "PYTHON")
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(hidden)}
        done = subprocess.run(
            [sys.executable, "-c", START, folder], capture_output=True, text=True, encoding="utf-8",
            timeout=120, env=inherited | {
                "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "space_home"),
                "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1,localhost",
                "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1",
            },
        )  # fmt: skip
        return done, folder

    return run


def files_of(hub):
    return hub.repo("owner/model", "spaces").find("main").files


def test_the_space_starts_by_itself_and_shows_the_model_of_the_hub(push, start, hub, trained_run):
    code, shown = push(trained_run, "--space")
    assert code == 0, shown
    assert f"{hub.endpoint}/spaces/owner/model" in shown
    assert "secret HF_TOKEN" in shown
    assert hub.repo("owner/model", "spaces").private
    done, folder = start(files_of(hub))
    assert done.returncode == 0, done.stderr[-3000:]
    page = json.loads(done.stdout.splitlines()[-1])
    assert Path(page["package"]).is_relative_to(folder)  # not this installation
    text = "".join(page["texts"])
    assert "小模型寫辭典" in text
    assert "owner/model" in text
    assert "訓練集 834 條" in text

    done, _folder = start(files_of(hub), token="")  # the model is private
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "owner/model" in done.stderr.splitlines()[-1]


def test_a_space_holds_page_needs_package_and_card(push, hub, make_model_run):
    code, _shown = push(make_model_run().root, "--space", "--public")
    assert code == 0
    files = files_of(hub)
    root = Path(hf_zh_dict.__file__).parent
    for module in ("__init__.py", "sharing/demo_page.py", "sharing/templates/demo.css",
                   "locale/zh_TW/LC_MESSAGES/hf_zh_dict.mo"):  # fmt: skip
        assert files[f"hf_zh_dict/{module}"].data == (root / module).read_bytes()
    assert not any("__pycache__" in name for name in files)
    assert "MIT License" in files["hf_zh_dict/LICENSE"].data.decode()
    assert sorted(name for name in files if name.startswith("corpus/")) == CORPUS
    needs = files["requirements.txt"].data.decode().splitlines()
    assert {re.split("[<>=]", line)[0] for line in needs} >= {
        "torch",
        "transformers",
        "jinja2",
        "pyarrow",
    }
    assert not any("extra ==" in line or line.startswith("pytest") for line in needs)
    data = SpaceCard(files["README.md"].data.decode()).data
    assert (data.sdk, data.sdk_version, data.app_file) == ("gradio", gradio.__version__, "app.py")
    assert (data.models, data.license, data.language) == (["owner/model"], "cc0-1.0", ["zh"])
    assert not hub.repo("owner/model", "spaces").private


def test_the_ministry_s_entries_go_along_as_its_terms_have_it(push, hub, make_model_run):
    run = make_model_run(**REVISED).root
    code, shown = push(run, "--space", "--terms-read")
    assert code == 0, shown
    files = files_of(hub)
    assert f"corpus/license/{TERMS}" in files
    card = files["README.md"].data.decode()
    assert "中華民國教育部" in card
    assert "cc-by-nd-3.0-tw" in card


def test_a_corpus_that_may_not_be_passed_on_is_taken_away_again(push, hub, make_model_run):
    code, shown = push(make_model_run().root, "--space")
    assert code == 0
    assert "corpus/train.parquet" in files_of(hub)
    extended = make_model_run("other", **REVISED, recipe="extended").root
    code, shown = push(extended, "--space", "--terms-read")
    assert code == 0, shown
    assert "goes without the corpus" in shown
    files = files_of(hub)
    assert not any(name.startswith("corpus/") for name in files)
    assert "app.py" in files
    assert "entries cannot be compared" in files["README.md"].data.decode()


@pytest.mark.parametrize(
    ("facts", "shown"),
    [({}, True), (REVISED, True), ({**REVISED, "recipe": "extended"}, False),
     ({"source": "text"}, False), ({"source": "hub", "repo_id": "owner/words"}, False)],
)  # fmt: skip
def test_a_corpus_is_shown_where_its_terms_let_it(make_run, facts, shown):
    corpus = make_run(**facts) / "corpus"
    assert may_show(corpus, Destination("owner/model", terms_read=True)) == shown
    (corpus / "test.parquet").unlink()
    assert not may_show(corpus, Destination("owner/model", terms_read=True))


def test_a_dry_run_shows_both_and_sends_nothing(push, hub, make_model_run):
    code, shown = push(make_model_run().root, "--space", "--dry-run")
    assert code == 0
    assert "requirements.txt" in shown
    assert "sdk: gradio" in shown
    assert hub.repos == {}


def test_the_same_again_changes_nothing(push, hub, make_model_run):
    run = make_model_run().root
    push(run, "--space")
    before = len(hub.repo("owner/model", "spaces").commits)
    code, shown = push(run, "--space")
    assert code == 0
    assert "nothing has changed" in shown
    assert len(hub.repo("owner/model", "spaces").commits) == before


def test_a_space_of_something_else_is_left_alone(push, hub, at_hub, make_model_run):
    at_hub("-c", "from huggingface_hub import HfApi; HfApi().create_repo('owner/model', repo_type='space', space_sdk='gradio', private=True)")  # fmt: skip
    repo = hub.repo("owner/model", "spaces")
    repo.commit("main", {"app.py": Blob(b"print()")}, "theirs", "", "owner")
    code, shown = push(make_model_run().root, "--space")
    assert code == 2
    assert "a Space of this name holds something else" in shown
    assert files_of(hub)["app.py"].data == b"print()"


def test_a_model_in_a_folder_has_no_space(make_model_run, capsys):
    options = ["--repo-id", "owner/model", "--space", "--subfolder", "modelA"]
    assert main(["push", str(make_model_run().root), *options]) == 2
    assert "leave --subfolder out" in capsys.readouterr().err


def test_without_gradio_it_is_said_before_anything_is_sent(make_model_run, capsys, monkeypatch):
    from importlib import metadata

    from hf_zh_dict.sharing import space

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(space.metadata, "version", version)
    assert main(["push", str(make_model_run().root), "--repo-id", "owner/model", "--space"]) == 2
    assert 'pip install -e ".[demo]"' in capsys.readouterr().err
