"""A repository is ours or left alone; names that the Hub cannot have are refused before it is asked."""

import pytest

from hf_zh_dict.messages import InputError
from hf_zh_dict.sharing.repository import Publication, Repository, check_repo_id, check_repository


def repository(*files, kind="model", private=True):
    return Repository("owner/name", kind, "head", files, private)


def test_contents_stand_in_their_folder_with_the_card_first(tmp_path):
    (tmp_path / "weights").write_bytes(b"12345")
    files = {"weights": tmp_path / "weights", "config.yaml": b"a: 1"}
    publication = Publication("owner/name", "model", "字", files, "modelA")
    assert publication.sizes == {
        "modelA/README.md": 3,
        "modelA/weights": 5,
        "modelA/config.yaml": 4,
    }
    assert list(Publication("owner/name", "model", "字", files).contents) == [
        "README.md",
        "weights",
        "config.yaml",
    ]


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_repository_is_new_or_carries_our_tag(kind):
    check_repository(repository(kind=kind), None, public=False)
    check_repository(repository(".gitattributes", kind=kind), None, public=False)
    ours = repository(".gitattributes", "README.md", kind=kind)
    check_repository(ours, {"tags": ["hf_zh_dict"]}, public=False)
    for card in (None, {}, {"tags": None}, {"tags": ["other"]}):
        with pytest.raises(InputError, match="owner/name: holds something else"):
            check_repository(ours, card, public=False)


def test_what_is_public_takes_consent_again():
    with pytest.raises(InputError, match="is public; add --public"):
        check_repository(repository(private=False), None, public=False)
    check_repository(repository(private=False), None, public=True)


@pytest.mark.parametrize("name", ["words", "a/b/c", "owner/", "owner/字", "owner/a--b", "-o/words"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(InputError, match="is not of the form OWNER/NAME"):
        check_repo_id(name)
    check_repo_id("owner/words")
