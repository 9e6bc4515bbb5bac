"""A checkpoint's weights wait for the Hub in a place of their own, and what goes wrong is told."""

import queue

import pytest

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.checkpoint_pusher import CheckpointPusher
from hf_zh_dict.sharing.publish_model import Destination


@pytest.fixture
def pusher(tmp_path):
    """One whose thread has ended, in a run with one checkpoint; and what it said."""
    said = []
    paths = RunPaths(tmp_path)
    paths.checkpoint(2).mkdir(parents=True)
    (paths.checkpoint(2) / "model.safetensors").write_bytes(b"weights")
    paths.model.mkdir()
    for name in ("config.json", "model.safetensors"):
        (paths.model / name).write_bytes(b"best")
    pusher = CheckpointPusher(paths, Destination("owner/model"), said.append)
    pusher.waiting.put(None)
    pusher.thread.join()
    return pusher, said


def test_what_waits_outlives_the_checkpoint(pusher):
    pusher, said = pusher
    pusher(2)
    (pusher.paths.checkpoint(2) / "model.safetensors").unlink()
    assert pusher.kept(2).read_bytes() == b"weights"
    assert pusher.files(2) == {"config.json": b"best", "model.safetensors": pusher.kept(2)}
    pusher(4)
    assert said == ["hub: step 4 is not sent: No such file or directory"]
    pusher.finish(wait=False)
    assert not pusher.paths.outbox.exists()


def test_a_disk_without_links_gets_copies(pusher, monkeypatch):
    def refuse(*_paths):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    pusher[0](2)
    assert pusher[0].kept(2).read_bytes() == b"weights"


def test_what_went_wrong_is_told_by_the_training_thread(pusher, monkeypatch):
    pusher, said = pusher
    pusher.waiting = queue.Queue()
    for step in (2, None):
        pusher.waiting.put(step)
    monkeypatch.setattr(pusher, "push", lambda step: (_ for _ in ()).throw(OSError("broken")))
    pusher.work()
    assert said == []
    pusher.tell()
    assert said == ["hub: step 2 is not sent: broken"]
