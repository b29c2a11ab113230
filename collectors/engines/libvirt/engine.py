"""libvirt: virtual machines of every hypervisor that it manages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.base import Engine
from collectors.engines.options import EngineOption

if TYPE_CHECKING:
    from collectors.engines.libvirt.access import LibvirtAccess
    from collectors.model.actions import Request
    from collectors.model.workloads import Kind, Workload
    from collectors.sampling.source import Source, SourceSpec

_CONTAINER_DRIVERS = ("lxc", "openvz", "vz")
"""Drivers of libvirt whose domains are containers."""
_MACHINE_DRIVERS = frozenset({"qemu", "test", "xen", "esx", "vmware", "vbox", "ch", "bhyve", "hyperv", "vz", "phyp"})
"""Names of libvirt's drivers, as `virsh uri` has them, whose domains are machines."""


class LibvirtEngine(Engine):
    """Domains of libvirt daemons, here or elsewhere. Those that are containers can only be watched."""

    name = "libvirt"
    about = About(
        "libvirt",
        "names, states and their reasons, titles, memory and disks as the guest sees them, steal time, stopped domains",
        "its socket (the group `libvirt`), or a host that is reached by SSH or TLS",
        "libvirt 9.0 and later with QEMU (TCG and KVM); its test driver",
    )
    engine_names = frozenset({"qemu", "lxc"})
    kinds = frozenset({"vm"})
    address = EngineOption(
        "--libvirt",
        "uri",
        "libvirt connection, e.g. qemu:///system; may be repeated.",
        "URI",
        variable="LIBVIRT_DEFAULT_URI",
    )
    environment = ("VIRSH_DEFAULT_CONNECT_URI",)
    libraries = ("libvirt-python",)
    paced_samples = frozenset({"libvirt"})
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "vmtop does not undefine domains"

    def owns(self, workload: Workload) -> bool:
        return workload.kind == "vm" and workload.id.engine in _MACHINE_DRIVERS

    def could_know(self, spec: SourceSpec, kind: Kind | None) -> bool:
        if kind != "container":
            return super().could_know(spec, kind)
        return _driver(str(spec.options.get("uri") or "")) in _CONTAINER_DRIVERS

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.libvirt.source import LibvirtSource

        return LibvirtSource

    def names(self, spec: SourceSpec) -> Sequence[str] | None:
        from collectors.engines.libvirt.names import names_at
        from collectors.engines.libvirt.uri import asked_uri

        options: Any = spec.options
        uri = options.get("uri")
        return None if _driver(asked_uri(uri) or "") in _CONTAINER_DRIVERS else names_at(uri)

    def connect(self, specs: Sequence[SourceSpec]) -> LibvirtAccess:
        from collectors.engines.libvirt.access import LibvirtAccess

        return LibvirtAccess(specs)

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.libvirt.shell_commands import commands

        return commands(request)

    def warnings(self, request: Request) -> list[str]:
        from collectors.engines.libvirt.shell_commands import warnings

        return warnings(request)


def _driver(uri: str) -> str:
    return uri.partition(":")[0].partition("+")[0].lower()
