"""The slow reading of a group: what changes seldom, or matters less. Its files are opened and closed each time."""

from __future__ import annotations

import time

from collectors.model import Kind, Sample
from collectors.sources.cgroup import readers
from collectors.sources.cgroup.files import Homes
from collectors.sources.cgroup.limits import Limits
from collectors.sources.cgroup.processes import read_bytes


def read_slow(homes: Homes, limits: Limits, epoch: str, kind: Kind, proc: str, pid: int | None) -> Sample:
    """Read pids, swap, peak, kills, pressure and limits of one group. What a kernel or version lacks is `None`.

    Args:
        homes: Its directories.
        limits: Limits of it and its ancestors.
        epoch: Identity of its counters.
        kind: What it is; a machine's threads are counted from its process where there is no pids controller.
        proc: Where procfs is.
        pid: Its first process.
    """
    unified = homes.unified
    pids = _number(homes.file("pids", "pids.current", "pids.current"))
    return Sample(
        source="cgroup-slow",
        epoch=epoch,
        pids=machine_threads(kind, proc, pid) if pids is None else pids,
        pids_limit=_number(homes.file("pids", "pids.max", "pids.max")),
        memory_swap_bytes=_swap(homes),
        memory_peak_bytes=_number(homes.file("memory", "memory.max_usage_in_bytes", "memory.peak")),
        oom_kills_total=readers.oom_kills(_read(homes.file("memory", "memory.oom_control", "memory.events"))),
        memory_stall_total_ns=readers.stall_ns(_read(f"{unified}/memory.pressure")) if unified else None,
        io_stall_total_ns=readers.stall_ns(_read(f"{unified}/io.pressure")) if unified else None,
        cpu_limit_cores=limits.cores(homes.path),
        memory_limit_bytes=limits.memory_bytes(homes.path),
        at_ns=time.monotonic_ns(),
    )


def machine_threads(kind: Kind, proc: str, pid: int | None) -> int | None:
    """Count the threads of a machine's process: libvirt leaves v1's pids controller alone. `None` for other kinds."""
    if kind is not Kind.VM or pid is None:
        return None
    status = read_bytes(f"{proc}/{pid}/status") or b""
    return readers.number(status.partition(b"\nThreads:")[2].partition(b"\n")[0])


def _read(path: str | None) -> bytes:
    return (read_bytes(path) or b"") if path else b""


def _number(path: str | None) -> int | None:
    return readers.number(_read(path))


def _swap(homes: Homes) -> int | None:
    """v2 counts swap by itself; v1 has it in memory.stat, where swap accounting is on."""
    if "memory" in homes.hierarchy.mounts:
        return readers.find_value(_read(homes.v1_file("memory", "memory.stat")), b"total_swap")
    return _number(f"{homes.unified}/memory.swap.current" if homes.unified else None)
