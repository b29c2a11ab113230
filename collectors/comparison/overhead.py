"""The overhead of a container outside its own cgroup: its shim, and its share of the engine.

A virtual machine's overhead is inside its own process; see `kernel.qemu_memory` and the metric EMU%.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from collectors.engines import registry
from collectors.kernel.procfs import read_bytes, read_process_stat
from collectors.model.facts import Fact, unknown

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_OTHER_DAEMONS = frozenset({"crio"})
"""Daemons of engines that vmtop can only watch."""


class ProcessUsage(NamedTuple):
    """CPU time and memory of a shim or an engine's daemon at one instant."""

    pid: int
    name: str
    cpu_s: float
    """CPU seconds since it started."""
    resident: int
    """Resident memory in bytes."""
    at: float
    """Instant of the reading, in seconds of `time.monotonic()`."""


class EngineProcesses(NamedTuple):
    """The daemons that serve all containers of this host together."""

    processes: tuple[ProcessUsage, ...]
    containers: int
    """Number of containers that share them."""

    @property
    def resident(self) -> float:
        """Resident memory per container, in bytes."""
        return sum(process.resident for process in self.processes) / max(1, self.containers)

    def cpu_since(self, before: EngineProcesses) -> float:
        """Return the CPU seconds per container since `before`, of processes that existed at both times."""
        cpu_before = {process.pid: process.cpu_s for process in before.processes}
        shared = [process for process in self.processes if process.pid in cpu_before]
        return sum(process.cpu_s - cpu_before[process.pid] for process in shared) / max(1, self.containers)

    @property
    def summary(self) -> str:
        """Their names and the number of containers, for the explanation of a fact."""
        names = " and ".join(sorted({process.name for process in self.processes})) or "no engine"
        return f"{names} on this host, divided by {self.containers} containers"


def find_shim(pid: int | None, proc: str = "/proc") -> ProcessUsage | None:
    """Return the shim that is the parent of a container's first process; `None` if it has no known name."""
    if pid is None:
        return None
    stat = read_process_stat(proc, pid)
    parent = 0 if stat is None else stat.parent_pid
    process = _usage(parent, proc) if parent > 1 else None
    return process if process is not None and process.name.startswith(registry.shims()) else None


def find_engines(containers: int, proc: str = "/proc") -> EngineProcesses:
    """Return the engines' daemons on this host, recognised by their process names."""
    daemons = frozenset(name.encode() for name in registry.daemons() | _OTHER_DAEMONS)
    pids = [int(name) for name in os.listdir(proc) if name.isdigit()]
    names = ((pid, (read_bytes(f"{proc}/{pid}/comm") or b"").strip()) for pid in pids)
    processes = (_usage(pid, proc) for pid, name in names if name in daemons)
    return EngineProcesses(tuple(process for process in processes if process is not None), containers)


def _usage(pid: int, proc: str) -> ProcessUsage | None:
    stat = read_process_stat(proc, pid)
    if stat is None:
        return None
    name = (read_bytes(f"{proc}/{pid}/comm") or b"").strip().decode("ascii", "replace")
    return ProcessUsage(pid, name, stat.cpu_ticks * _TICK_S, stat.resident_pages * _PAGE, time.monotonic())


def memory_of(shim: ProcessUsage | None, engines: EngineProcesses) -> Fact:
    """Return the memory of the shim plus the container's share of the engine's, in bytes."""
    if shim is None:
        return unknown("no known shim runs it, or /proc cannot be read")
    how = f"/proc/<pid>/stat: resident size of {shim.name} {shim.resident:,} bytes, and of {engines.summary}"
    return Fact(shim.resident + engines.resident, how)


def cpu_of(
    before: tuple[ProcessUsage | None, EngineProcesses], after: tuple[ProcessUsage | None, EngineProcesses]
) -> Fact:
    """Return the CPU of the shim plus the container's share of the engine's between two readings, in % of a core."""
    (shim_before, engines_before), (shim, engines) = before, after
    if shim_before is None or shim is None or shim_before.pid != shim.pid or shim.at <= shim_before.at:
        return unknown("its shim was not seen in two readings")
    seconds = shim.at - shim_before.at
    grown = shim.cpu_s - shim_before.cpu_s + engines.cpu_since(engines_before)
    how = f"/proc/<pid>/stat: growth of CPU time over {seconds:.0f} s of {shim.name}, and of {engines.summary}"
    return Fact(max(0.0, grown / seconds * 100), how)
