"""Cloud Hypervisor: machines by their processes."""

from __future__ import annotations

from collectors.engines.about import About
from collectors.engines.vmm.api_engine import ApiCall, ApiEngine, VmmApi


class CloudHypervisorEngine(ApiEngine):
    """Machines through the API of their process (vmm/src/api/openapi/cloud-hypervisor.yaml)."""

    name = "cloud-hypervisor"
    about = About(
        "Cloud Hypervisor",
        "machines by their socket's name, with virtual CPUs, memory and disks; with the API, their state",
        "for actions, the API's socket (`--api-socket`)",
        "stand-ins for its process and its API",
    )
    engine_names = frozenset({"cloud-hypervisor"})
    api = VmmApi(
        {
            "start": ApiCall("PUT", "/api/v1/vm.boot"),
            "stop": ApiCall("PUT", "/api/v1/vm.power-button"),
            "restart": ApiCall("PUT", "/api/v1/vm.reboot"),
            "pause": ApiCall("PUT", "/api/v1/vm.pause"),
            "resume": ApiCall("PUT", "/api/v1/vm.resume"),
            "kill": ApiCall("PUT", "/api/v1/vmm.shutdown"),
        },
        ApiCall("GET", "/api/v1/vm.info"),
        {"Paused": "paused", "Created": "created", "Shutdown": "stopped"},
    )
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "a machine of Cloud Hypervisor goes when it ends: there is nothing to remove"
