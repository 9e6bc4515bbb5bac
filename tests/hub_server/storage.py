"""Large objects on another host name: uploaded in one piece or in parts, read whole or in ranges."""

import hashlib
from typing import TYPE_CHECKING

from hub_server.repos import PREFIX
from hub_server.wire import Answer, Refused, Request, as_file, as_json

if TYPE_CHECKING:
    from hub_server.server import HubServer


def start_uploads(hub: "HubServer", request: Request, kind: str, repo_id: str) -> Answer:
    """Git LFS's batch: where each object that is not there yet goes, and who checks it then."""
    hub.find(request, kind, repo_id, write=True)
    wanted = request.json()
    in_parts = hub.part_size > 0 and "multipart" in wanted.get("transfers", [])
    verify = f"{hub.endpoint}/{PREFIX[kind]}{repo_id}.git/info/lfs/verify"
    transfer = "basic"
    for item in wanted["objects"]:
        if item["oid"] in hub.storage:
            continue
        upload: dict[str, object] = {"href": f"{hub.storage_url}/{item['oid']}"}
        if in_parts and item["size"] > hub.part_size:
            transfer = "multipart"
            count = -(-item["size"] // hub.part_size)
            urls = {f"{n:05d}": f"{hub.storage_url}/{item['oid']}/{n}" for n in range(1, count + 1)}
            upload = {
                "href": f"{hub.endpoint}/complete/{item['oid']}",
                "header": {"chunk_size": str(hub.part_size), **urls},
            }
        item["actions"] = {"upload": upload, "verify": {"href": verify}}
    return as_json({"transfer": transfer, "objects": wanted["objects"]})


def write_object(hub: "HubServer", request: Request, oid: str) -> Answer:
    return keep(hub, oid, request.body)


def write_part(hub: "HubServer", request: Request, oid: str, part: str) -> Answer:
    hub.parts.setdefault(oid, {})[int(part)] = request.body
    return Answer(headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})


def join_parts(hub: "HubServer", request: Request, oid: str) -> Answer:
    parts = hub.parts.pop(oid, {})
    etags = {number: f'"{hashlib.md5(data).hexdigest()}"' for number, data in parts.items()}
    named = {part["partNumber"]: part["etag"] for part in request.json()["parts"]}
    if named != etags:
        raise Refused(400, "InvalidPart")
    return keep(hub, oid, b"".join(parts[number] for number in sorted(parts)))


def keep(hub: "HubServer", oid: str, data: bytes) -> Answer:
    if hashlib.sha256(data).hexdigest() != oid:
        raise Refused(400, "BadDigest")
    hub.storage[oid] = data
    return Answer()


def verify(hub: "HubServer", request: Request, kind: str, repo_id: str) -> Answer:
    hub.find(request, kind, repo_id, write=True)
    item = request.json()
    if len(hub.storage.get(item["oid"], b"")) != item["size"]:
        raise Refused(400, "the uploaded object has another size")
    return Answer()


def read_object(hub: "HubServer", request: Request, oid: str) -> Answer:
    if oid not in hub.storage:
        raise Refused(404, "NoSuchKey")
    return as_file(request, hub.storage[oid], ETag=f'"{oid}"')
