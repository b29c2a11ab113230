"""The workloads that the processes of a service have started, wherever these are: its shims, monitors and VMMs.

A container's first process is the child of a shim or monitor, and a VMM the child of what started it. If that parent,
or one of its own, is in a service's control group, the service runs the workload. A parent that has ended is not known:
its children belong to process 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.dependence import pids_of_group
from collectors.kernel.procfs import read_process_stat
from collectors.kernel.vmm.scan import machine_of
from collectors.model.workloads import Kind, Workload

_DEEPEST = 32


def carried_by(service: Workload, workloads: Iterable[Workload], proc: str, root: str = "/sys/fs/cgroup") -> list[str]:
    """Return the names of the active containers and machines of this host that a service's processes started.

    Args:
        service: A service of this host with a control group.
        workloads: All current workloads.
        proc: Where procfs is mounted.
        root: Where the control groups are mounted.
    """
    members = set(map(int, pids_of_group(service.cgroup or "", root, proc)))
    inner = [one for one in workloads if one.kind in (Kind.VM, Kind.CONTAINER) and one.state.is_active]
    local = [one for one in inner if one.is_here]
    if not members or not local:
        return []
    hierarchy = detect(root, proc)
    names = []
    for workload in local:
        pid = None
        if workload.cgroup not in (None, "", "/"):
            first = first_process(find_directories(hierarchy, workload.cgroup or "").all, proc, workload.kind)
            pid = None if first is None else first.pid
        elif workload.kind is Kind.VM and (machine := machine_of(*workload.id[:2], proc)) is not None:
            pid = machine.pid
        if pid is not None and not members.isdisjoint(_ancestors(proc, pid)):
            names.append(workload.name)
    return sorted(names)


def _ancestors(proc: str, pid: int) -> list[int]:
    """Return a process's parent, its parent's, and so on, below process 1."""
    found: list[int] = []
    for _ in range(_DEEPEST):
        stat = read_process_stat(proc, pid)
        if stat is None or stat.parent_pid <= 1:
            break
        pid = stat.parent_pid
        found.append(pid)
    return found
