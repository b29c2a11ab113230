"""vSphere: virtual machines of ESXi hosts and vCenter servers, anywhere in the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.base import Engine
from collectors.engines.options import EngineOption

if TYPE_CHECKING:
    from collectors.engines.vsphere.access import VsphereAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

_LIBVIRT = "libvirt"
"""The option of libvirt, whose drivers for these servers are used where pyvmomi is not installed."""
_NEEDS_TOOLS = ("stop", "restart")
_FORBIDDEN_WITHOUT_TOOLS = "VMware Tools do not run in its guest, so that it cannot be asked; only its power can be cut"


class VsphereEngine(Engine):
    """Machines and hosts of the servers that were asked for; nothing is looked for otherwise."""

    name = "vsphere"
    engine_names = frozenset({"vsphere"})
    kinds = frozenset({"vm", "host"})
    address = EngineOption(
        "--vsphere",
        "url",
        "ESXi host or vCenter, e.g. https://root@esxi1; may be repeated.",
        "URL",
        ("https://", "vsphere://", "esx://", "vpx://"),
    )
    environment = ("LIBVIRT_AUTH_FILE",)
    libraries = ("pyvmomi",)
    quick_samples = frozenset({"vsphere"})
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "vmtop does not delete machines of vSphere"
    about = About(
        "vSphere",
        "machines and hosts of ESXi and vCenter as averages over 20 s: CPU, ready time, memory, disk, network; VMware "
        "Tools, events, a ledger of each host, disks, network interfaces and snapshots",
        "pyvmomi (`vmtop[vsphere]`), `--vsphere URL` and a password in a file of mode 0600 or the keyring",
        "govmomi's vSphere simulator as ESXi and as vCenter, with and without TLS; no product of VMware",
    )

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return a source per address that was asked for; none by default."""
        return super().specs(values) if values.get("vsphere") else []

    def redirect(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take over libvirt's URIs for these servers: its drivers report no CPU, memory, disk or network use."""
        from collectors.engines.vsphere.address import FROM_LIBVIRT, is_installed

        uris: Sequence[str] = values.get(_LIBVIRT) or ()
        ours = [uri for uri in uris if uri.lower().startswith(FROM_LIBVIRT)]
        if not ours or not is_installed():
            return values
        others = tuple(uri for uri in uris if uri not in ours)
        return {**values, _LIBVIRT: others, "vsphere": (*(values.get("vsphere") or ()), *ours)}

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.vsphere.source import VsphereSource

        return VsphereSource

    def connect(self, specs: Sequence[SourceSpec]) -> VsphereAccess:
        from collectors.engines.vsphere.access import VsphereAccess

        return VsphereAccess(specs)

    def forbids(self, verb: Verb, workload: Workload) -> str:
        if workload.kind == "host":
            return "vmtop does not act on hosts"
        if verb in _NEEDS_TOOLS and dict(workload.labels).get("tools", "running") != "running":
            return _FORBIDDEN_WITHOUT_TOOLS
        return super().forbids(verb, workload)

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.vsphere.shell_commands import commands

        return commands(request)

    def warnings(self, request: Request) -> list[str]:
        from collectors.engines.vsphere.shell_commands import warnings

        return warnings(request)
