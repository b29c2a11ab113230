"""Which engine a workload is spoken to through."""

from __future__ import annotations

from enum import StrEnum

from collectors.model.workloads import Kind, Workload

DOCKER_ENGINES = frozenset({"docker", "podman"})


class Family(StrEnum):
    """Engines that are spoken to in the same way."""

    DOCKER = "docker"
    LIBVIRT = "libvirt"
    SYSTEMD = "systemd"


def family(workload: Workload) -> Family | None:
    """Return how a workload's engine is spoken to; `None` for one that vmtop can only watch."""
    if workload.id.engine in DOCKER_ENGINES:
        return Family.DOCKER
    if workload.kind is Kind.VM:
        return Family.LIBVIRT
    is_unit = workload.id.engine == "systemd" and workload.id.id.endswith(".service")
    return Family.SYSTEMD if is_unit else None
