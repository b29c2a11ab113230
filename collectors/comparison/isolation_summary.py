"""Isolation in a few words: of a process from the kernel, of a virtual machine from its definition too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from collectors.kernel.isolation import Isolation, capability_names
from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize

_SYS_ADMIN = 1 << 21
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
"""By the domain's type. Type 1 runs on the bare machine, type 2 within a system; VMware's drivers are of both."""
_KERNEL = "namespaces and status of its first process in /proc"


def of_domain(xml: ElementTree.Element | None) -> Fact:
    """Return how a virtual machine is kept apart."""
    if xml is None:
        return unknown("libvirt did not tell its definition")
    virtual = _VIRTUAL.get(xml.get("type", ""), xml.get("type", ""))
    machine = xml.find("os/type")
    words = [virtual, (machine.get("machine") or "") if machine is not None else ""]
    models = [label.get("model") or "" for label in xml.iterfind("seclabel")]
    words.append(" + ".join(sorted({model for model in models if model})) or "no label")
    launch = xml.find("launchSecurity")
    words.append(f"confidential: {launch.get('type')}" if launch is not None else "")
    return Fact(
        sanitize(", ".join(word for word in words if word)), "domain XML: type, machine, seclabel, launchSecurity"
    )


def of_container(walls: Isolation | None, inspected: Mapping[str, Any]) -> Fact:
    """Return how a container is kept apart."""
    host = inspected.get("HostConfig")
    host = host if isinstance(host, Mapping) else {}
    runtime = str(host.get("Runtime") or "")
    words = ["privileged"] if host.get("Privileged") else []
    if walls is not None:
        words += _words(walls)
    words += [sanitize(runtime)] if runtime else []
    how = _KERNEL + ("; engine: Privileged, Runtime" if inspected else "")
    return Fact(", ".join(words), how) if words else unknown("neither its processes nor its engine could be read")


def walls_of(walls: Isolation | None, inspected: Mapping[str, Any]) -> dict[str, Fact]:
    """Return the facts behind the words, for findings: `is_privileged` and `namespaces_shared`."""
    told: dict[str, Fact] = {}
    host = inspected.get("HostConfig")
    if isinstance(host, Mapping):
        told["is_privileged"] = Fact(float(bool(host.get("Privileged"))), "engine: HostConfig.Privileged")
    if walls is not None and walls.shared is not None:
        told["namespaces_shared"] = Fact(" ".join(walls.shared), _KERNEL)
    return told


def of_service(walls: Isolation | None, unit: Mapping[str, Fact]) -> Fact:
    """Return how a service is kept apart.

    Args:
        walls: Of its first process.
        unit: What `facts.unit` read of it; empty where there is no systemd.
    """
    user, sandbox = unit.get("user"), unit.get("sandbox")
    words = [] if walls is None else _words(walls)
    if user is not None:
        words.append(f"user {user.value}")
    elif walls is not None and walls.uid is not None:
        words.append(f"uid {walls.uid}")
    how = _KERNEL
    if sandbox is not None:
        count = len(str(sandbox.value).split()) if sandbox.value else 0
        words.append(f"{count} sandbox settings" if count else "no sandbox setting")
        how += f"; {sandbox.how}" + (f": {sandbox.value}" if count else "")
    return Fact(", ".join(words), how) if words else unknown("it has no process that may be read")


def _words(found: Isolation) -> list[str]:
    words = []
    if found.own is not None:
        words.append(f"own {' '.join(found.own)}" if found.own else "no namespace of its own")
    if found.seccomp is not None:
        words.append(f"seccomp {found.seccomp}")
    if found.capabilities is not None:
        count = len(capability_names(found.capabilities))
        words.append(f"{count} capabilities" + (" with sys_admin" if found.capabilities & _SYS_ADMIN else ""))
    return words + ([found.label] if found.label else [])
