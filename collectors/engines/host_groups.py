"""Reads the cgroups of this host that limit a workload, and which CPUs the host has."""

from __future__ import annotations

from collectors.engines.cgroup_limits import Group, ReadFile, read_group
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.parsers import cpu_list
from collectors.kernel.procfs import read_bytes
from collectors.model.workloads import Workload

_ONLINE = "/sys/devices/system/cpu/online"


def host_cpus() -> frozenset[int]:
    """Return the CPUs of this host that are online."""
    return cpu_list(read_bytes(_ONLINE) or b"") or frozenset({0})


def is_v1(controller: str) -> bool:
    """Return whether a controller is one of version 1 on this host."""
    return detect().v1(controller) is not None


def group_of(workload: Workload) -> Group | None:
    """Return what limits a workload's group on this host; `None` if it has none here."""
    if not workload.cgroup or workload.endpoint:
        return None
    directories = find_directories(detect(), workload.cgroup)
    if not directories.all:
        return None

    def read(controller: str, v1_name: str, v2_name: str) -> bytes | None:
        is_old = controller in directories.hierarchy.mounts
        if not (v1_name if is_old else v2_name):
            return None
        path = directories.file(controller, v1_name, v2_name)
        return read_bytes(path) if path else None

    reader: ReadFile = read
    return read_group(reader)
