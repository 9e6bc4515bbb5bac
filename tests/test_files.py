"""A file or folder is replaced whole; what a kill leaves beside it is put right."""

import os

import pytest

from hf_zh_dict import files
from hf_zh_dict.files import new_folder, remove, replace_folder, sync_tree, write_file


def fill(folder, text):
    (folder / "content").write_text(text, encoding="utf-8")


def read(folder):
    return (folder / "content").read_text(encoding="utf-8")


class Kill(BaseException):
    """The process ends here."""


@pytest.fixture
def kill_at_rename(monkeypatch):
    """The n-th rename from now on does not happen."""

    def arm(number):
        renames = iter(range(1, 100))
        rename = files.Path.rename

        def killing(self, target):
            if next(renames) == number:
                raise Kill
            return rename(self, target)

        monkeypatch.setattr(files.Path, "rename", killing)
        return monkeypatch.undo

    return arm


def test_a_file_is_replaced_and_nothing_stays_beside_it(tmp_path):
    for text in ("橋", "燈"):
        write_file(tmp_path / "file", text)
        assert (tmp_path / "file").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_cannot_be_flushed_stays_as_it_was(tmp_path, monkeypatch):
    write_file(tmp_path / "file", "橋")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "file", "燈")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "橋"


def test_a_folder_is_replaced_and_nothing_stays_beside_it(tmp_path):
    folder = tmp_path / "stage"
    for text in ("橋", "燈"):
        new = new_folder(folder)
        fill(new, text)
        sync_tree(new)
        replace_folder(new, folder)
        assert read(folder) == text
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_kill_at_a_rename_loses_and_mixes_nothing(tmp_path, kill_at_rename, number):
    folder = tmp_path / "stage"
    first = new_folder(folder)
    fill(first, "橋")
    replace_folder(first, folder)
    second = new_folder(folder)
    fill(second, "燈")
    undo = kill_at_rename(number)
    with pytest.raises(Kill):
        replace_folder(second, folder)
    undo()
    assert folder.exists() == (number == 1)
    third = new_folder(folder)
    assert read(folder) == "橋"
    assert list(third.iterdir()) == []


def test_what_stepped_aside_is_removed_when_the_new_one_is_in_place(tmp_path):
    folder = tmp_path / "stage"
    for place, text in ((folder, "燈"), (tmp_path / "stage.old", "橋")):
        place.mkdir()
        fill(place, text)
    new_folder(folder)
    assert read(folder) == "燈"
    assert not (tmp_path / "stage.old").exists()


def test_a_link_is_replaced_and_what_it_names_is_left_alone(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    fill(elsewhere, "橋")
    folder = tmp_path / "stage"
    folder.symlink_to(elsewhere)
    new = new_folder(folder)
    fill(new, "燈")
    replace_folder(new, folder)
    assert (read(folder), read(elsewhere)) == ("燈", "橋")
    assert not folder.is_symlink()


def test_removing_what_is_not_there_is_no_error(tmp_path):
    remove(tmp_path / "nothing")
