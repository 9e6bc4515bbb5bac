"""Unmodified clients write to our Hub, read the same back, and are refused as the Hub refuses."""

import json

import pytest
from hub_server import Fault

PRELUDE = """
import json
from pathlib import Path
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import disable_progress_bars
disable_progress_bars()
api = HfApi()
"""
LARGE = bytes(range(256)) * 2000


@pytest.fixture
def client(at_hub):
    """Runs code after PRELUDE at the Hub; returns the JSON that it printed last."""

    def run(code, **environment):
        done = at_hub("-c", PRELUDE + code, **environment)
        assert done.returncode == 0, done.stderr[-3000:]
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]) if lines else None

    return run


@pytest.fixture
def folder(tmp_path):
    """A dataset's folder: a card with one named config, a regular file and a large one."""
    folder = tmp_path / "folder"
    (folder / "data").mkdir(parents=True)
    card = "---\nlicense: cc0-1.0\nconfigs:\n- config_name: lines\n  data_files: data/*.txt\n---\n# 橋\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "data" / "lines.txt").write_text("橋\n燈\n", encoding="utf-8")
    (folder / "data" / "large.bin").write_bytes(LARGE)
    return folder


UPLOAD = """
url = api.create_repo("owner/bridges", repo_type="dataset", exist_ok=True)
commit = api.upload_folder(repo_id="owner/bridges", repo_type="dataset", folder_path="folder")
"""


def test_a_folder_goes_up_and_comes_down(hub, client, folder):
    code = UPLOAD + """
again = api.create_repo("owner/bridges", repo_type="dataset", exist_ok=True)
unchanged = api.upload_folder(repo_id="owner/bridges", repo_type="dataset", folder_path="folder")
info = api.dataset_info("owner/bridges", files_metadata=True)
large = next(file for file in info.siblings if file.rfilename == "data/large.bin")
tree = api.list_repo_tree("owner/bridges", repo_type="dataset", recursive=True)
paths = api.get_paths_info("owner/bridges", ["README.md", "nothing"], repo_type="dataset")
print(json.dumps({
    "url": [str(url), str(again)], "commits": [commit.oid, unchanged.oid, info.sha],
    "titles": [c.title for c in api.list_repo_commits("owner/bridges", repo_type="dataset")],
    "tree": [entry.path for entry in tree], "paths": [path.path for path in paths],
    "lfs": [large.size, large.lfs.sha256], "license": info.card_data.license,
    "who": api.whoami()["name"],
    "folders": [e.path for e in api.list_repo_tree("owner/bridges", "data", repo_type="dataset")],
    "files": {name: hf_hub_download("owner/bridges", name, repo_type="dataset")
              for name in ("data/lines.txt", "data/large.bin")},
}))
"""  # fmt: skip
    told = client(code)
    assert told["url"] == [f"{hub.endpoint}/datasets/owner/bridges"] * 2
    assert len(set(told["commits"])) == 1
    assert told["titles"] == ["Upload folder using huggingface_hub", "initial commit"]
    names = ["README.md", "data/large.bin", "data/lines.txt"]
    assert told["tree"] == [".gitattributes", "README.md", "data", *names[1:]]
    assert told["folders"] == names[1:]
    assert told["paths"] == ["README.md"]
    blob = hub.repo("owner/bridges").branches["main"].files["data/large.bin"]
    assert told["lfs"] == [len(LARGE), blob.sha256]
    assert blob.large
    assert told["license"] == "cc0-1.0"
    assert told["who"] == "owner"
    for name, path in told["files"].items():
        with open(path, "rb") as file:
            assert file.read() == (folder / name).read_bytes()


def test_the_storage_never_sees_the_token(hub, client, folder):
    client(UPLOAD + "hf_hub_download('owner/bridges', 'data/large.bin', repo_type='dataset')")
    seen = [request for request in hub.requests if request.path.startswith("/storage/")]
    assert {request.method for request in seen} >= {"PUT", "GET"}
    assert all(request.headers["host"].startswith("localhost") for request in seen)
    assert not any(request.token for request in seen)


def test_a_download_that_breaks_off_goes_on_where_it_was(hub, client, folder):
    chunk = 10 * 2**20  # what huggingface_hub writes at a time
    (folder / "data" / "large.bin").write_bytes(LARGE * 24)
    client(UPLOAD)
    hub.faults.append(Fault("/storage/", method="GET", cut_after=chunk + 1000))
    code = "path = hf_hub_download('owner/bridges', 'data/large.bin', repo_type='dataset')"
    path = client(code + "; print(json.dumps(path))")
    with open(path, "rb") as file:
        assert file.read() == LARGE * 24
    ranges = [request.headers.get("range") for request in hub.asked("GET", "/storage/")]
    assert ranges == [None, f"bytes={chunk}-"]


def test_a_range_of_a_regular_file_is_answered_with_it(client, folder):
    code = (
        UPLOAD
        + """
from huggingface_hub.utils import get_session
url = f"{api.endpoint}/datasets/owner/bridges/resolve/main/data/lines.txt"
part = get_session().get(url, headers={"Range": "bytes=0-2"})
beyond = get_session().get(url, headers={"Range": "bytes=900-"})
print(json.dumps([part.status_code, part.text, beyond.status_code]))
"""
    )
    assert client(code) == [206, "橋", 416]


def test_tags_and_branches_name_commits(client, folder):
    code = (
        UPLOAD
        + """
where = {"repo_id": "owner/bridges", "repo_type": "dataset"}
api.create_tag(tag="v1", **where)
api.create_branch(branch="try/out", revision="v1", **where)
api.delete_file("data/lines.txt", **where)
refs = api.list_repo_refs(**where)
try:
    api.create_tag(tag="v1", **where)
except HfHubHTTPError as error:
    status = error.response.status_code
print(json.dumps({
    "names": [ref.name for ref in [*refs.branches, *refs.tags]], "status": status,
    "same": refs.branches[1].target_commit == refs.tags[0].target_commit == commit.oid,
    "old": api.list_repo_files(revision="try/out", **where), "new": api.list_repo_files(**where),
}))
"""
    )
    told = client(code)
    assert told["names"] == ["main", "try/out", "v1"]
    assert told["status"] == 409
    assert told["same"]
    assert set(told["old"]) - set(told["new"]) == {"data/lines.txt"}


def test_a_private_repository_is_seen_by_its_owner_alone(client):
    client("api.create_repo('owner/secret', repo_type='dataset', private=True)")
    code = """
try:
    print(json.dumps(api.dataset_info("owner/secret").private))
except RepositoryNotFoundError as error:
    print(json.dumps(error.response.status_code))
"""
    assert client(code) is True
    assert client(code, token="hf_reader") == 404
    assert client(code, token="") == 401
    client("api.update_repo_settings('owner/secret', repo_type='dataset', private=False)")
    assert client(code, token="") is False


def test_who_may_not_write_is_refused(client):
    code = """
def status(name):
    try:
        api.create_repo(name, repo_type="dataset")
    except HfHubHTTPError as error:
        return error.response.status_code
print(json.dumps([status("owner/bridges"), status("owner/bridges"), status("others/bridges")]))
"""
    assert client(code) == [None, 409, 403]
    assert client(code, token="hf_reader") == [403, 403, 403]
    assert client(code, token="") == [401, 401, 401]
    assert client(code, token="hf_unknown") == [401, 401, 401]


def test_a_commit_upon_an_old_one_is_refused(client, folder):
    code = (
        UPLOAD
        + """
where = {"repo_id": "owner/bridges", "repo_type": "dataset", "parent_commit": commit.oid}
api.upload_file(path_or_fileobj=b"one", path_in_repo="one", **where)
try:
    api.upload_file(path_or_fileobj=b"two", path_in_repo="two", **where)
except HfHubHTTPError as error:
    print(json.dumps(error.response.status_code))
"""
    )
    assert client(code) == 412


def test_a_card_with_bad_metadata_is_refused(client, folder):
    (folder / "README.md").write_text("---\nlicense: my own\n---\n", encoding="utf-8")
    code = UPLOAD.replace("\n", "\n    ").replace("    \n", "").rstrip()
    told = client(f"try:{code}\nexcept ValueError as error:\n    print(json.dumps(str(error)))")
    assert "license" in told


def test_a_dataset_is_loaded_by_its_name(client, folder):
    client(UPLOAD)
    code = """
import datasets
splits = datasets.load_dataset("owner/bridges", "lines")
print(json.dumps({name: split["text"][:] for name, split in splits.items()}))
"""
    assert client(code) == {"train": ["橋", "燈"]}


def test_the_tree_comes_in_pages(hub, client, folder):
    client(UPLOAD)
    hub.page_size = 2
    told = client("print(json.dumps(api.list_repo_files('owner/bridges', repo_type='dataset')))")
    assert told == [".gitattributes", "README.md", "data/large.bin", "data/lines.txt"]


def test_histories_and_lists_of_repositories_come_in_pages(hub, client, folder):
    hub.page_size = 2
    told = client(
        UPLOAD
        + """
for number in range(3):
    api.create_repo(f"owner/bridge{number}", private=number == 2)
    api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="n", repo_id="owner/bridges",
                    repo_type="dataset")
print(json.dumps({
    "titles": [c.title for c in api.list_repo_commits("owner/bridges", repo_type="dataset")],
    "models": [m.id for m in api.list_models(author="owner")],
    "seen": [m.id for m in HfApi(token=False).list_models(author="owner")],
    "datasets": [d.id for d in api.list_datasets(search="Bridge")],
}))
"""
    )
    assert told["titles"][:3] == ["Upload n with huggingface_hub"] * 3
    assert len(told["titles"]) == 5
    assert told["models"] == ["owner/bridge0", "owner/bridge1", "owner/bridge2"]
    assert told["seen"] == told["models"][:2]
    assert told["datasets"] == ["owner/bridges"]


def test_a_large_file_goes_up_in_parts(hub, client, folder):
    hub.part_size = 200_000
    client(UPLOAD)
    assert len(hub.asked("PUT", r"/storage/\w+/\d$")) == 3
    assert len(hub.asked("POST", "/complete/")) == 1
    assert hub.repo("owner/bridges").branches["main"].files["data/large.bin"].data == LARGE


def test_repositories_move_and_go_and_a_space_needs_its_kind(hub, client):
    told = client("""
api.create_repo("owner/old")
api.move_repo("owner/old", "owner/new")
api.create_repo("owner/gone")
api.delete_repo("owner/gone")
try:
    api.delete_repo("owner/gone")
except RepositoryNotFoundError as error:
    gone = error.response.status_code
api.create_repo("owner/room", repo_type="space", space_sdk="static")
print(json.dumps([gone, api.space_info("owner/room").sdk]))
""")
    assert told == [404, "static"]
    assert set(hub.repos) == {("models", "owner/new"), ("spaces", "owner/room")}


def test_a_gated_repository_shows_its_names_but_not_its_files(client, folder):
    client(UPLOAD)
    client("api.update_repo_settings('owner/bridges', repo_type='dataset', gated='auto')")
    code = """
from huggingface_hub.errors import GatedRepoError
names = api.list_repo_files("owner/bridges", repo_type="dataset")
try:
    hf_hub_download("owner/bridges", "data/lines.txt", repo_type="dataset")
    status = 200
except GatedRepoError as error:
    status = error.response.status_code
print(json.dumps([len(names), status]))
"""
    assert client(code, token="hf_reader") == [4, 403]
    assert client(code, token="") == [4, 401]
    assert client(code) == [4, 200]


def test_files_and_folders_are_deleted(hub, client, folder):
    code = """
where = {"repo_id": "owner/bridges", "repo_type": "dataset"}
api.delete_folder("data", **where)
try:
    api.delete_file("nothing", **where)
except HfHubHTTPError as error:
    print(json.dumps(error.response.status_code))
"""
    assert client(UPLOAD + code) == 404
    assert set(hub.repo("owner/bridges").branches["main"].files) == {".gitattributes", "README.md"}


def test_a_busy_hub_is_asked_again(hub, client, folder):
    hub.faults.append(Fault("/preupload/", status=503, retry_after=0, times=2))
    hub.faults.append(Fault("/storage/", method="PUT", status=500))
    client(UPLOAD)
    assert len(hub.asked("POST", "/preupload/")) == 3
    assert len(hub.asked("PUT", "/storage/")) == 2
