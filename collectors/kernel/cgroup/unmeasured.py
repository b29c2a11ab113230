"""What the kernel does not measure of a group, and why: files that do not exist or may not be read, and its network."""

from __future__ import annotations

import os

from collectors.kernel.cgroup.identity import Identity
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.kernel.cgroup.processes import network_namespace
from collectors.kernel.procfs import read_bytes
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, Unmeasured
from collectors.safety.sanitize import sanitize

_CONTROLLED = (
    (Topic.MEMORY, "memory", "memory.usage_in_bytes", "memory.current"),
    (Topic.DISK, "blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat"),
    (Topic.DISK_OPERATIONS, "blkio", "blkio.throttle.io_serviced_recursive", "io.stat"),
    (Topic.TASKS, "pids", "pids.current", "pids.current"),
    (Topic.QUOTA, "cpu", "cpu.stat", "cpu.max"),
)
"""Topic, v1 controller, and the files that show whether the controller is enabled: of v1 and of v2."""
_V2_NAMES = {"blkio": "io"}


def unmeasured_files(
    directories: CgroupDirs, is_blkio_dead: bool, pid: int | None, proc: str = "/proc"
) -> tuple[Unmeasured, ...]:
    """Return what cannot be read of a group's files.

    Args:
        directories: The group's directory in each hierarchy.
        is_blkio_dead: Whether this kernel counts disk traffic per process only (see `process_io`).
        pid: The group's first process; `None` if there is none or it cannot be seen.
        proc: The path of procfs.
    """
    notes = [
        _missing(topic, controller, directories, directories.file(controller, v1_file, v2_file))
        for topic, controller, v1_file, v2_file in _CONTROLLED
        if not (controller == "blkio" and is_blkio_dead)
    ]
    cpu = f"{directories.unified}/cpu.stat" if directories.unified else directories.v1_file("cpuacct", "cpuacct.usage")
    notes.append(_missing(Topic.CPU, "cpuacct", directories, cpu))
    notes.append(_pressure(directories, proc))
    if is_blkio_dead:
        notes += _process_io(pid, proc)
    return tuple(note for note in notes if note is not None)


def unmeasured_network(
    kind: Kind, identity: Identity, owner: str | None, host_network: str | None, proc: str = "/proc"
) -> Unmeasured | None:
    """Return why the group's interfaces are not counted; `None` if they are, or if only an engine can count them.

    Args:
        kind: The traffic of virtual machines is counted by libvirt.
        identity: The workload, with its first process and its own network namespace.
        owner: Path of the group that counts the namespace; `None` if it is this one.
        host_network: Identity of the host's network namespace.
        proc: The path of procfs.
    """
    if kind is Kind.VM:
        return None
    if identity.pid is None:
        return Unmeasured(Topic.NETWORK, Cause.NO_PROCESS)
    if owner is not None:
        return Unmeasured(Topic.NETWORK, Cause.SHARED_NETWORK, sanitize(owner, 1024))
    if identity.network:
        return None
    namespace = network_namespace(proc, identity.pid)
    if namespace is not None:
        return Unmeasured(Topic.NETWORK, Cause.HOST_NETWORK) if namespace == host_network else None
    table = read_bytes(f"{proc}/{identity.pid}/net/dev")
    if identity.network is None or table is None:
        return Unmeasured(Topic.NETWORK, Cause.NO_RIGHT, "the network namespace of its processes")
    return Unmeasured(Topic.NETWORK, Cause.HOST_NETWORK)  # for the case that its interfaces are the host's


def _missing(topic: Topic, controller: str, directories: CgroupDirs, path: str | None) -> Unmeasured | None:
    if path is not None and os.access(path, os.R_OK):
        return None
    if path is not None and os.path.exists(path):
        return Unmeasured(topic, Cause.NO_RIGHT, sanitize(path, 1024))
    is_v1 = controller in directories.hierarchy.mounts
    return Unmeasured(topic, Cause.NO_CONTROLLER, controller if is_v1 else _V2_NAMES.get(controller, controller))


def _process_io(pid: int | None, proc: str) -> list[Unmeasured | None]:
    notes: list[Unmeasured | None] = [Unmeasured(Topic.DISK_OPERATIONS, Cause.ONLY_PROCESS_IO)]
    if pid is None:
        notes.append(Unmeasured(Topic.DISK, Cause.NO_PROCESS))
    elif not os.access(f"{proc}/{pid}/io", os.R_OK):
        notes.append(Unmeasured(Topic.DISK, Cause.NO_PROCESS_IO))
    return notes


def _pressure(directories: CgroupDirs, proc: str) -> Unmeasured | None:
    unified = directories.unified
    if unified is None:
        return Unmeasured(Topic.PRESSURE, Cause.NO_PSI_ON_V1)
    if not os.path.exists(f"{unified}/cpu.pressure") or not os.path.exists(f"{proc}/pressure"):
        return Unmeasured(Topic.PRESSURE, Cause.NO_PSI)
    is_off = (read_bytes(f"{unified}/cgroup.pressure") or b"1").strip() == b"0"
    return Unmeasured(Topic.PRESSURE, Cause.PSI_OFF) if is_off else None
