"""Workloads that must not fall to a slip: vmtop's own, a kubelet's, the engines' own services, and labelled ones.

Only the configuration can name exceptions; no key does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collectors.model import Kind, Workload
from collectors.rights import own_containers, read_if_allowed

PROTECT_LABEL = "vmtop.protect"
_ENGINE_SERVICES = frozenset(
    f"{name}.service"
    for name in (
        "docker", "containerd", "podman", "crio", "cri-o", "kubelet", "k3s", "libvirtd", "virtqemud", "virtlogd",
        "virtlockd", "virtproxyd", "virtnetworkd", "virtstoraged", "lxd", "incus", "dbus", "dbus-broker",
        "systemd-machined", "systemd-journald", "systemd-logind", "systemd-udevd",
    )
)  # fmt: skip
"""Ending one of these ends or blinds what it runs."""


class Protection:
    """Knows who is protected, and why.

    Args:
        allowed: From the configuration: names, ids or `kind:name` that may be acted on nevertheless.
        proc: Where the kernel tells of processes.
        dmi: Where the firmware tells of the machine.
    """

    def __init__(
        self, allowed: Sequence[str] = (), proc: Path = Path("/proc"), dmi: Path = Path("/sys/class/dmi/id")
    ) -> None:
        self._allowed = frozenset(allowed)
        self._own_containers = own_containers(proc)
        self._own_groups = own_groups(proc)
        self._own_domain = read_if_allowed(dmi / "product_uuid").strip().lower()

    def reason(self, workload: Workload) -> str:
        """Return why a workload is protected; empty when it is not, or when the configuration allows it."""
        if self._allowed & {workload.name, workload.id.id, f"{workload.kind}:{workload.name}"}:
            return ""
        return self._own(workload) or _kubernetes(workload) or _engine_service(workload) or _label(workload)

    def _own(self, workload: Workload) -> str:
        if workload.id.id in self._own_containers:
            return "vmtop itself runs in it"
        if workload.kind is Kind.VM and self._own_domain and workload.id.id.lower() == self._own_domain:
            return "vmtop itself runs in it"
        group = workload.cgroup
        is_inside = (
            group and group != "/" and any(own == group or own.startswith(f"{group}/") for own in self._own_groups)
        )
        return "vmtop itself runs in it" if is_inside and not workload.endpoint else ""


def own_groups(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the paths of this process's control groups."""
    lines = read_if_allowed(proc / "self/cgroup").splitlines()
    return frozenset(line.split(":", 2)[2] for line in lines if line.count(":") >= 2)


def _kubernetes(workload: Workload) -> str:
    is_owned = any(key.startswith("io.kubernetes.") for key, _ in workload.labels)
    is_owned = is_owned or "kubepods" in (workload.cgroup or "")
    return "a kubelet owns it and would undo this: use kubectl" if is_owned else ""


def _engine_service(workload: Workload) -> str:
    unit = workload.id.id.rpartition("/")[2]
    if workload.kind is Kind.SERVICE and (unit in _ENGINE_SERVICES or unit == "init.scope"):
        return "it is one of the services that run this host's workloads"
    return ""


def _label(workload: Workload) -> str:
    value = dict(workload.labels).get(PROTECT_LABEL, "").lower()
    return f"its label {PROTECT_LABEL} says so" if value in ("true", "yes", "1") else ""
