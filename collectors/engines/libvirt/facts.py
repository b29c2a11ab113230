"""Facts about a domain that only libvirt knows: its isolation, its operating system and its size on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from collectors.engines.libvirt import guest_agent
from collectors.engines.libvirt.domains import safe_xml
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from libvirt import virDomain

    from collectors.engines.libvirt.access import LibvirtAccess

_VIRTUAL = {
    "kvm": "hardware (kvm, type 2)",
    "qemu": "emulated (tcg, type 2)",
    "xen": "hardware (xen, type 1)",
    "hyperv": "hardware (hyperv, type 1)",
    "vmware": "hardware (vmware)",
    "vbox": "hardware (vbox, type 2)",
    "hvf": "hardware (hvf, type 2)",
    "bhyve": "hardware (bhyve, type 2)",
    "lxc": "no virtualisation (lxc container)",
}
"""By the domain's type. Type 1 runs on bare metal, type 2 on an operating system; VMware's drivers do both."""
_OS_ID = re.compile(r"https?://([^/]+)/([^/]+)/(.+)")


class LibvirtFacts:
    """Queries domains one at a time.

    Args:
        access: Access to libvirt.
        may_write: Whether to query guest agents: libvirt does not allow that on read-only connections.
    """

    def __init__(self, access: LibvirtAccess, may_write: bool) -> None:
        self._access = access
        self._may_write = may_write

    def read(self, workload: Workload) -> dict[str, Fact]:
        """Return `isolation`, `system` and `size_bytes`.

        Raises:
            SourceError: libvirt cannot be queried.
        """
        with self._access.daemon(workload).connection() as connection:
            domain = connection.lookupByUUIDString(workload.id.id)
            xml = safe_xml(domain.XMLDesc(0))
            size = _size(domain, xml)
        return {
            "isolation": isolation(xml),
            "system": system(xml, self._ask_agent(workload, xml)),
            "size_bytes": size,
        }

    def _ask_agent(self, workload: Workload, xml: ElementTree.Element | None) -> Fact | None:
        if not guest_agent.is_connected(xml):
            return None
        if not self._may_write:
            return unknown("its guest agent is not queried while actions are locked")
        return guest_agent.ask_system(self._access.daemon(workload), workload.id.id)


def _size(domain: virDomain, xml: ElementTree.Element | None) -> Fact:
    targets = list(_disk_targets(xml))
    if not targets:
        return unknown("it has no disk that libvirt can measure")
    allocated = backing_bytes(xml) + sum(int(domain.blockInfo(target)[1]) for target in targets)
    how = "virDomainGetBlockInfo: allocation of its disks; stat(2) of their backing files, each once"
    return Fact(float(allocated), how)


def _disk_targets(xml: ElementTree.Element | None) -> Iterator[str]:
    for disk in () if xml is None else xml.iterfind("devices/disk"):
        target = disk.find("target")
        if target is not None and disk.find("source") is not None and disk.get("device", "disk") == "disk":
            yield target.get("dev", "")


def backing_bytes(xml: ElementTree.Element | None) -> int:
    """Return the bytes that the backing files of a domain's disks occupy; a shared one counts once."""
    sources = () if xml is None else xml.iterfind("devices/disk//backingStore/source")
    total = 0
    for path in {source.get("file") or "" for source in sources} - {""}:
        with suppress(OSError):  # on another host, or not for this user: then it is not counted
            total += os.stat(path).st_blocks * 512
    return total


def isolation(xml: ElementTree.Element | None) -> Fact:
    """Return how a virtual machine is isolated."""
    if xml is None:
        return unknown("libvirt did not return its definition")
    virtual = _VIRTUAL.get(xml.get("type", ""), xml.get("type", ""))
    machine = xml.find("os/type")
    parts = [virtual, (machine.get("machine") or "") if machine is not None else ""]
    models = [label.get("model") or "" for label in xml.iterfind("seclabel")]
    parts.append(" + ".join(sorted({model for model in models if model})) or "no label")
    launch = xml.find("launchSecurity")
    parts.append(f"confidential: {launch.get('type')}" if launch is not None else "")
    return Fact(
        sanitize(", ".join(part for part in parts if part)), "domain XML: type, machine, seclabel, launchSecurity"
    )


def system(xml: ElementTree.Element | None, from_agent: Fact | None = None) -> Fact:
    """Return a virtual machine's operating system.

    Args:
        xml: Its definition, which may name the system that was installed (libosinfo).
        from_agent: The answer of its guest agent; `None` if there is no agent to query.
    """
    if from_agent is not None and from_agent.value is not None:
        return from_agent
    why = "it has no guest agent to query" if from_agent is None else from_agent.how
    for element in () if xml is None else xml.iterfind("metadata//"):
        claimed = element.get("id")
        if element.tag.endswith("}os") and claimed:
            matched = _OS_ID.fullmatch(claimed)
            name = f"{matched[2]} {matched[3]}" if matched else claimed
            how = f"domain XML: libosinfo metadata, from when it was installed; {why}"
            return Fact(sanitize(f"{name}, its own kernel"), how)
    return unknown(f"its definition does not name a system, and {why}")
