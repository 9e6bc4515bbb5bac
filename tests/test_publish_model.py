"""push sends a model that loads anywhere, to a repository that is ours, and otherwise says why not."""

import json
from functools import partial

import pytest
from hub_server import Blob, Fault
from huggingface_hub import ModelCard
from test_dataset_card import MINISTRY

from hf_zh_dict.cli import main

MODEL_FILES = [
    "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
    "tokenizer_config.json",
]  # fmt: skip
ALL_FILES = [".gitattributes", "README.md", "config.yaml", "curve.png", "evaluation.json"]
TERMS = "reviseddict_10312.pdf"

# Runs where the package cannot be imported; prints ids and logits of a text, and what is written.
LOAD = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hf_zh_dict":
            raise ImportError("hf_zh_dict is not here")
sys.meta_path.insert(0, Refuse())
import torch, transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline
transformers.logging.set_verbosity_error()
where, options = sys.argv[1], json.loads(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(where, **options)
model = AutoModelForCausalLM.from_pretrained(where, **options)
batch = tokenizer("霧燈\\u3000ㄨˋ", return_tensors="pt")
with torch.no_grad():
    logits = model(**batch).logits[0]
if "subfolder" in options:
    write = pipeline("text-generation", model, tokenizer=tokenizer)
else:
    write = pipeline("text-generation", where, **options)
text = write("霧燈", max_new_tokens=8, do_sample=False)[0]["generated_text"]
assert text.startswith("霧燈")
config = model.config
assert config.use_cache and config.tie_word_embeddings
assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
    ids = {getattr(place, name) for place in (config, model.generation_config, tokenizer)}
    assert len(ids) == 1 and None not in ids, (name, ids)
print(json.dumps({"ids": batch["input_ids"][0].tolist(), "logits": logits.tolist(), "text": text,
                  "parameters": sum(p.numel() for p in model.parameters())}))
"""


@pytest.fixture
def push(send):
    return partial(send, "push", repo_id="owner/model")


@pytest.fixture
def load(at_hub):
    """Loads a model by name or folder in a process without the package; returns what it gives."""

    def run(where, **options):
        done = at_hub("-c", LOAD, where, json.dumps(options))
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def refused(capsys):
    """Runs push here, which must refuse before it asks the Hub; returns its sentence."""

    def run(run, *options, repo_id="owner/model"):
        assert main(["push", str(run), "--repo-id", repo_id, *options]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    return run


def files_at(hub, repo_id="owner/model"):
    return hub.repo(repo_id, "models").branches["main"].files


def test_a_pushed_model_is_loaded_by_its_name_without_us(hub, push, load, trained_run):
    code, shown = push(trained_run)
    assert code == 0, shown
    repo = hub.repo("owner/model", "models")
    assert f"pushed: {hub.endpoint}/owner/model, commit {repo.branches['main'].oid}" in shown
    assert repo.private
    assert sorted(files_at(hub)) == sorted([*ALL_FILES, *MODEL_FILES])
    assert load("owner/model") == load(trained_run / "model")
    card = ModelCard(files_at(hub)["README.md"].data.decode())
    assert card.data.library_name == "transformers"
    assert {"validation", "test"} <= {result.dataset_split for result in card.data.eval_results}
    assert 'pipeline("text-generation", "owner/model")' in card.text
    for name, blob in files_at(hub).items():
        assert b"hf_writer" not in blob.data, name
        assert str(trained_run.parent).encode() not in blob.data, name
    code, shown = push(trained_run)
    assert "nothing has changed" in shown


def test_a_family_stands_in_folders_of_one_repository(hub, push, load, trained_run, make_model_run):
    assert push(trained_run, "--subfolder", "modelA", "--tag", "v1")[0] == 0
    first = hub.repo("owner/model", "models").branches["main"]
    other = make_model_run("other").root
    assert push(other, "--subfolder", "modelB")[0] == 0
    files = files_at(hub)
    assert {f"modelA/{name}" for name in MODEL_FILES} < set(files)
    assert {"modelB/README.md", "modelB/config.json"} < set(files)
    card = files["README.md"].data.decode()
    assert "[modelA](modelA/README.md)" in card
    assert "| [modelB](modelB/README.md) | 4.990（test） |" in card
    local = load(trained_run / "model")
    assert load("owner/model", subfolder="modelA", revision="v1") == local
    assert hub.repo("owner/model", "models").tags == {"v1": first}
    code, shown = push(trained_run, "--subfolder", "modelC", "--tag", "v1")
    assert code == 2
    assert "the tag “v1” exists already" in shown
    code, shown = push(trained_run)
    assert code == 2
    assert "holds models in folders (modelA, modelB)" in shown
    assert push(trained_run, repo_id="owner/alone")[0] == 0
    code, shown = push(trained_run, "--subfolder", "modelA", repo_id="owner/alone")
    assert code == 2
    assert "holds one model at its top" in shown


def test_a_dry_run_shows_everything_and_sends_nothing(hub, push, make_model_run):
    paths = make_model_run()
    code, shown = push(paths.root, "--dry-run", "--public", "--subfolder", "modelA", token="")
    assert code == 0
    assert "owner/model, public" in shown
    size = (paths.model / "model.safetensors").stat().st_size
    assert f"{size:>12,}  modelA/model.safetensors" in shown
    assert "library_name: transformers" in shown
    assert not hub.requests


def test_a_public_model_and_what_else_is_there(hub, push, make_model_run):
    run = make_model_run().root
    assert push(run, "--public")[0] == 0
    repo = hub.repo("owner/model", "models")
    assert not repo.private
    code, shown = push(run)
    assert code == 2
    assert "is public; add --public" in shown
    head = repo.commit("main", {"other.bin": Blob(b"x")}, "another", "", "owner")
    code, shown = push(run, "--public")
    assert code == 2
    assert "holds something else than a model of hf-zh-dict" in shown
    assert repo.branches["main"] is head


def test_a_hub_that_fails_is_one_sentence(hub, push, make_model_run):
    run = make_model_run().root
    hub.faults.append(Fault("/commit/", status=500))
    code, shown = push(run)
    assert code == 2
    assert "the Hub answers 500" in shown.splitlines()[-1]
    code, shown = push(run, token="")
    assert code == 2
    assert "there is no token for the Hub" in shown


def test_the_ministrys_terms_go_along(refused, make_model_run):
    known = {"source": "spreadsheets", "inputs": MINISTRY[:1], "recipe": "extended"}
    run = make_model_run("a", **known, terms=[TERMS]).root
    assert TERMS in refused(run)
    assert "--license cannot be stated" in refused(run, "--license", "mit", "--terms-read")
    assert main(["push", str(run), "--repo-id", "a/b", "--terms-read", "--dry-run"]) == 0
    assert "its terms of use" in refused(make_model_run("b", **known).root, "--terms-read")
    run = make_model_run("c", source="spreadsheets", inputs=MINISTRY[1:]).root
    assert "its edition number is not known" in refused(run, "--terms-read")


def test_what_is_no_model_and_names_that_are_none_are_refused(refused, make_run, make_model_run):
    assert "holds no model" in refused(make_run("empty"))
    run = make_model_run().root
    assert "is not of the form OWNER/NAME" in refused(run, repo_id="model")
    for option in ("--subfolder", "--tag"):
        assert f"{option}: “a/b” cannot be used" in refused(run, option, "a/b")
    assert "“license” cannot be used" in refused(run, "--subfolder", "license")
