"""Training pushes its model and checkpoints, and a failing Hub never fails it."""

import json

import pytest
from conftest import TINY
from hub_server import Fault
from safetensors.numpy import load
from test_publish_model import LOAD

from hf_zh_dict.paths import RunPaths


@pytest.fixture
def train(at_hub, tmp_path):
    """Runs a tiny training at our Hub; returns its code, what was shown, and its folder."""

    def run(*options, **environment):
        settings = [f"--{key}={value}" for key, value in TINY.items() if value != ()]
        done = at_hub(
            "-m", "hf_zh_dict", "train", *settings, "--train.report-to", "--train.save-steps", "2",
            "--hub.push", "true", "--hub.repo-id", "owner/model", *options,
            "--output-dir", tmp_path / "run", **environment,
        )  # fmt: skip
        shown = done.stdout + done.stderr
        assert "Traceback" not in shown, shown
        assert "hf_writer" not in shown
        return done.returncode, shown, RunPaths(tmp_path / "run")

    return run


def test_the_best_model_and_every_checkpoint_are_pushed(hub, train, at_hub):
    code, shown, paths = train("--hub.push-checkpoints", "true", "--train.ema-decay", "0.5")
    assert code == 0, shown
    repo = hub.repo("owner/model", "models")
    assert repo.private
    assert f"pushed: {hub.endpoint}/owner/model, commit {repo.branches['main'].oid}" in shown
    best = repo.branches["main"].files["model.safetensors"].data
    assert best == (paths.model / "model.safetensors").read_bytes()
    assert sorted(repo.tags) == ["step-000002", "step-000004"]
    for step in (2, 4):
        commit = repo.tags[f"step-{step:06d}"]
        sent = load(commit.files["model.safetensors"].data)
        kept = load((paths.checkpoint(step) / "ema.safetensors").read_bytes())
        assert all((sent[name] == kept[name]).all() for name in kept)
    assert repo.branches["checkpoints"] is repo.tags["step-000004"]
    assert not paths.outbox.exists()
    done = at_hub("-c", LOAD, "owner/model", json.dumps({"revision": "step-000002"}))
    assert done.returncode == 0, done.stderr[-2000:]
    for path in paths.root.rglob("*"):
        assert not path.is_file() or b"hf_writer" not in path.read_bytes(), path

    paths.evaluation.write_text('{"suites": {"bits": {"bits_per_char": {"value": 1}}}}')
    assert "its card has no results yet" in shown
    code, shown, _ = train("--resume", "--train.max-steps", "6", "--hub.tag", "six")
    assert code == 0, shown
    assert repo.tags["six"] is repo.branches["main"]
    assert (
        b"\nmodel-index" not in repo.tags["six"].files["README.md"].data
    )  # it was of other weights
    assert sorted(set(repo.tags) - {"six"}) == ["step-000002", "step-000004", "step-000006"]


def test_a_hub_that_fails_does_not_fail_the_training(hub, train):
    hub.faults.append(Fault("/commit/", status=403, times=99))
    code, shown, paths = train("--hub.push-checkpoints", "true")
    assert code == 0
    assert "hub: step 2 is not sent: the token may not write to owner/model" in shown
    assert "hub: the model is not sent: the token may not write to owner/model" in shown
    assert f"hf-zh-dict push {paths.root} --repo-id owner/model" in shown
    assert (paths.model / "model.safetensors").is_file()


def test_without_a_network_training_goes_on_and_says_so(train):
    code, shown, _ = train(HF_ENDPOINT="http://127.0.0.1:9")
    assert code == 0
    assert "Training goes on." in shown
    assert "the model is not sent: the Hub cannot be reached" in shown


def test_what_could_never_be_pushed_is_refused_before_training(train):
    for options, environment, sentence in (
        (["--hub.repo-id", "nobody"], {}, "is not of the form OWNER/NAME"),
        ([], {"token": ""}, "there is no token for the Hub"),
        (["--hub.push", "false", "--hub.push-checkpoints", "true"], {}, "needs hub.push true"),
    ):
        code, shown, paths = train(*options, **environment)
        assert code == 2
        assert sentence in shown
        assert not paths.checkpoints.exists()
