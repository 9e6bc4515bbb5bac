"""HTTP requests of unmodified clients in, a Hub's answers out: repositories in memory, on loopback.

Nothing here imitates a client: huggingface_hub, datasets and transformers talk to it when
`HF_ENDPOINT` names it. Large files are answered with a redirect to another host name, as the Hub
does, and are uploaded there; clients must run with `HF_HUB_DISABLE_XET=1`.

    with HubServer() as hub:
        ...                                # clients with HF_ENDPOINT=hub.endpoint
        hub.faults.append(Fault("/commit/", status=503, retry_after=1))
        assert hub.asked("POST", "/api/repos/create")

wire.py speaks HTTP, repos.py knows repositories, server.py holds them and finds who answers:
accounts.py, reading.py, writing.py or storage.py.
"""

from hub_server.repos import Account, Blob, Repo
from hub_server.server import HubServer
from hub_server.wire import Fault, Request

__all__ = ["Account", "Blob", "Fault", "HubServer", "Repo", "Request"]
