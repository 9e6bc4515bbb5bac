"""A stage's folder appears whole or not at all, and is current only for its own fingerprint."""

import hashlib
import json

import pytest

from hf_zh_dict.stages import (
    STAGE_FILE,
    build_stage,
    fingerprint,
    hash_file,
    is_current,
    read_stage,
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run" / "corpus"


def build(folder, wanted, content, **said):
    with build_stage(folder, wanted) as (new, facts):
        (new / "content.txt").write_text(content, encoding="utf-8")
        facts.update(said)


def test_a_built_stage_holds_its_files_and_what_it_says(folder):
    build(folder, "print", "橋", documents=3, name="橋")
    assert sorted(path.name for path in folder.iterdir()) == ["content.txt", STAGE_FILE]
    assert [path.name for path in folder.parent.iterdir()] == ["corpus"]
    assert read_stage(folder) == {"fingerprint": "print", "documents": 3, "name": "橋"}
    assert "橋" in (folder / STAGE_FILE).read_text(encoding="utf-8")


def test_it_is_current_for_its_own_fingerprint_only(folder):
    assert not is_current(folder, "print")
    build(folder, "print", "橋")
    assert is_current(folder, "print")
    assert not is_current(folder, "another")


def test_building_again_replaces_everything(folder):
    build(folder, "first", "橋")
    (folder / "left over").write_text("")
    build(folder, "second", "燈")
    assert not (folder / "left over").exists()
    assert (folder / "content.txt").read_text(encoding="utf-8") == "燈"
    assert is_current(folder, "second")


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_a_stopped_build_leaves_the_old_stage_as_it_was(folder, stop):
    build(folder, "first", "橋")

    def stopped():
        with build_stage(folder, "second") as (new, _facts):
            (new / "content.txt").write_text("half", encoding="utf-8")
            raise stop

    with pytest.raises(stop):
        stopped()
    assert is_current(folder, "first")
    assert (folder / "content.txt").read_text(encoding="utf-8") == "橋"


def test_a_stopped_first_build_leaves_no_stage_and_the_next_starts_clean(folder):
    def stopped():
        with build_stage(folder, "print") as (new, _facts):
            (new / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not folder.exists()
    assert read_stage(folder) == {}
    build(folder, "print", "橋")
    assert not (folder / "half").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["corpus"]


@pytest.mark.parametrize("damaged", ["", "{", '{"fingerprint": "pri', "\0" * 40])
def test_a_damaged_stage_file_counts_as_not_built(folder, damaged):
    build(folder, "print", "橋")
    (folder / STAGE_FILE).write_text(damaged)
    assert read_stage(folder) == {}
    assert not is_current(folder, "print")


def test_a_file_in_the_folders_place_counts_as_not_built(tmp_path):
    (tmp_path / "corpus").write_text("")
    assert read_stage(tmp_path / "corpus") == {}


def test_the_fingerprint_is_that_of_the_parts_whatever_their_order():
    parts = {"format": 1, "settings": {"a": 1, "b": [2, "橋"]}}
    first = fingerprint(**parts)
    assert len(first) == 64
    assert first == fingerprint(settings={"b": (2, "橋"), "a": 1}, format=1)
    changed = [
        parts | {"format": 2},
        parts | {"settings": {"a": 1, "b": ["橋", 2]}},
        parts | {"settings": {"a": 1}},
        parts | {"more": None},
    ]
    assert len({first, *(fingerprint(**some) for some in changed)}) == 5


def test_the_fingerprint_stays_the_same_from_version_to_version():
    text = json.dumps({"format": 1, "name": "橋"}, ensure_ascii=False)
    assert fingerprint(name="橋", format=1) == hashlib.sha256(text.encode()).hexdigest()


def test_a_files_hash_is_sha256_of_all_its_bytes(tmp_path):
    data = bytes(range(256)) * 5000  # more than one chunk
    (tmp_path / "file").write_bytes(data)
    assert hash_file(tmp_path / "file") == hashlib.sha256(data).hexdigest()
