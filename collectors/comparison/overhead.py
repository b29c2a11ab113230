"""The overhead of a container outside its own cgroup: its shim, and its share of the engine.

A virtual machine's overhead is inside its own process; see `kernel.qemu_memory` and the metric EMU%.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import psutil

from collectors.engines import registry
from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize

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
    started_at: float = 0.0
    """Seconds since 1970: a pid may be given to another process."""

    @property
    def identity(self) -> tuple[int, float]:
        """What tells the process from all others since the boot."""
        return self.pid, self.started_at


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
        cpu_before = {process.identity: process.cpu_s for process in before.processes}
        shared = [process for process in self.processes if process.identity in cpu_before]
        return sum(process.cpu_s - cpu_before[process.identity] for process in shared) / max(1, self.containers)

    @property
    def summary(self) -> str:
        """Their names and the number of containers, for the explanation of a fact."""
        names = " and ".join(sorted({process.name for process in self.processes})) or "no engine"
        return f"{names} on this host, divided by {self.containers} containers"


def find_shim(pid: int | None, proc: str = "/proc") -> ProcessUsage | None:
    """Return the shim that is the parent of a container's first process; `None` if it has no known name."""
    if pid is None:
        return None
    psutil.PROCFS_PATH = proc
    try:
        parent = psutil.Process(pid).ppid()
    except psutil.Error:
        return None
    return _usage(parent, lambda name: name.startswith(registry.shims())) if parent > 1 else None


def find_engines(containers: int, proc: str = "/proc") -> EngineProcesses:
    """Return the engines of this host, by the names of their processes."""
    psutil.PROCFS_PATH = proc
    daemons = registry.daemons() | _OTHER_DAEMONS
    usages = (_usage(pid, daemons.__contains__) for pid in psutil.pids())
    return EngineProcesses(tuple(usage for usage in usages if usage is not None), containers)


def _usage(pid: int, is_wanted: Callable[[str], bool]) -> ProcessUsage | None:
    """Return what a process uses; `None` when it has ended, or when its name is not wanted."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name = process.name()
            if not is_wanted(name):
                return None
            times, resident, started_at = process.cpu_times(), process.memory_info().rss, process.create_time()
    except psutil.Error:
        return None
    return ProcessUsage(pid, sanitize(name), times.user + times.system, resident, time.monotonic(), started_at)


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
    if shim_before is None or shim is None or shim_before.identity != shim.identity or shim.at <= shim_before.at:
        return unknown("its shim was not seen in two readings")
    seconds = shim.at - shim_before.at
    grown = shim.cpu_s - shim_before.cpu_s + engines.cpu_since(engines_before)
    how = f"/proc/<pid>/stat: growth of CPU time over {seconds:.0f} s of {shim.name}, and of {engines.summary}"
    return Fact(max(0.0, grown / seconds * 100), how)
