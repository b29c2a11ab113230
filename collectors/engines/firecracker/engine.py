"""Firecracker: microVMs, with and without its jailer."""

from __future__ import annotations

from collectors.engines.about import About
from collectors.engines.vmm.api_engine import ApiCall, ApiEngine, VmmApi


class FirecrackerEngine(ApiEngine):
    """MicroVMs through the API of their process (src/firecracker/swagger/firecracker.yaml)."""

    name = "firecracker"
    about = About(
        "Firecracker",
        "microVMs by their id, jailed ones too; with the API, their state and configuration",
        "for actions, the API's socket; those of a jail are for root",
        "stand-ins for its process and its API",
    )
    engine_names = frozenset({"firecracker"})
    api = VmmApi(
        {
            "start": ApiCall("PUT", "/actions", {"action_type": "InstanceStart"}),
            "stop": ApiCall("PUT", "/actions", {"action_type": "SendCtrlAltDel"}),
            "pause": ApiCall("PATCH", "/vm", {"state": "Paused"}),
            "resume": ApiCall("PATCH", "/vm", {"state": "Resumed"}),
        },
        ApiCall("GET", "/"),
        {"Paused": "paused", "Not started": "created"},
        (ApiCall("GET", "/machine-config"),),
    )
    verbs = ("start", "stop", "pause", "resume")
    lacks = "Firecracker has no request for it: its process ends when the guest powers off"
