"""Who asks, and which repositories there are: made, moved, deleted, shown or hidden."""

from typing import TYPE_CHECKING

from hub_server.repos import PREFIX, Blob, Repo
from hub_server.wire import Answer, Refused, Request, as_json
from hub_server.writing import LARGE_SUFFIXES

if TYPE_CHECKING:
    from hub_server.server import HubServer


def whoami(hub: "HubServer", request: Request) -> Answer:
    account = hub.account(request)
    token = {"displayName": "test", "role": account.role}
    organizations = [{"type": "org", "name": name} for name in account.organizations]
    return as_json({
        "type": "user", "name": account.name, "fullname": account.name, "orgs": organizations,
        "auth": {"type": "access_token", "accessToken": token},
    })  # fmt: skip


def create(hub: "HubServer", request: Request) -> Answer:
    account = hub.account(request)
    wanted = request.json()
    owner = wanted.get("organization") or account.name
    if not account.may_write(owner):
        raise Refused(403, f"You don't have the rights to create a repo under {owner}")
    kind = wanted.get("type", "model") + "s"
    if kind == "spaces" and not wanted.get("sdk"):
        raise Refused(400, '"sdk" is required')
    repo_id = f"{owner}/{wanted['name']}"
    url = f"{hub.endpoint}/{PREFIX[kind]}{repo_id}"
    if (kind, repo_id) in hub.repos:
        message = f"You already created this {kind[:-1]} repo"
        return as_json({"error": message, "url": url}, 409, **{"X-Error-Message": message})
    private = wanted.get("visibility") == "private"
    repo = Repo(kind, repo_id, private=private, sdk=wanted.get("sdk", ""))
    hub.repos[kind, repo_id] = repo
    attributes = "".join(f"*{suffix} filter=lfs -text\n" for suffix in LARGE_SUFFIXES)
    first = {".gitattributes": Blob(attributes.encode())}
    repo.commit("main", first, "initial commit", "", account.name)
    return as_json({"url": url, "name": repo_id, "id": repo_id})


def delete(hub: "HubServer", request: Request) -> Answer:
    wanted = request.json()
    owner = wanted.get("organization") or hub.account(request).name
    repo = hub.find(request, wanted.get("type", "model") + "s", f"{owner}/{wanted['name']}", write=True)  # fmt: skip
    del hub.repos[repo.kind, repo.id]
    return Answer()


def move(hub: "HubServer", request: Request) -> Answer:
    wanted = request.json()
    repo = hub.find(request, wanted.get("type", "model") + "s", wanted["fromRepo"], write=True)
    if not hub.account(request).may_write(wanted["toRepo"].split("/")[0]):
        raise Refused(403, "You don't have the rights to move a repo there")
    if (repo.kind, wanted["toRepo"]) in hub.repos:
        raise Refused(409, "A repository of this name exists already")
    del hub.repos[repo.kind, repo.id]
    repo.id = wanted["toRepo"]
    hub.repos[repo.kind, repo.id] = repo
    return Answer()


def change_settings(hub: "HubServer", request: Request, kind: str, repo_id: str) -> Answer:
    repo = hub.find(request, kind, repo_id, write=True)
    wanted = request.json()
    if "visibility" in wanted:
        repo.private = wanted["visibility"] == "private"
    repo.gated = wanted.get("gated", repo.gated)
    return as_json({"private": repo.private, "gated": repo.gated})
