"""What is spent for a container beside its own cgroup: the shim that holds it, and its share of the engine.

A virtual machine's overhead is within its own process; see `details.guest_memory` and the metric EMU%.
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
"""Of engines that vmtop can only watch."""


class ProcessUsage(NamedTuple):
    """A process that works for containers, at an instant: a shim, or an engine."""

    pid: int
    name: str
    cpu_s: float
    resident: int
    """Bytes."""
    at: float
    """`time.monotonic()`."""


class EngineProcesses(NamedTuple):
    """What works for all containers of this host together."""

    processes: tuple[ProcessUsage, ...]
    containers: int
    """That share it."""

    @property
    def resident(self) -> float:
        """Bytes for each container."""
        return sum(one.resident for one in self.processes) / max(1, self.containers)

    def cpu_since(self, before: EngineProcesses) -> float:
        """Return the CPU seconds that each container's share grew by; of processes that lived all the time."""
        then = {one.pid: one.cpu_s for one in before.processes}
        grown = sum(one.cpu_s - then[one.pid] for one in self.processes if one.pid in then)
        return grown / max(1, self.containers)

    @property
    def words(self) -> str:
        """Name them."""
        names = " and ".join(sorted({one.name for one in self.processes})) or "no engine"
        return f"{names} of this host, divided by {self.containers} containers"


def find_shim(pid: int | None, proc: str = "/proc") -> ProcessUsage | None:
    """Return the shim above a container's first process; `None` if there is none of a known name."""
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
            times, resident = process.cpu_times(), process.memory_info().rss
    except psutil.Error:
        return None
    return ProcessUsage(pid, sanitize(name), times.user + times.system, resident, time.monotonic())


def memory_of(shim: ProcessUsage | None, engines: EngineProcesses) -> Fact:
    """Return what the shim holds, and the container's share of the engine."""
    if shim is None:
        return unknown("no shim of a known name holds it, or /proc may not be read")
    how = f"/proc/<pid>/stat: resident size of {shim.name} {shim.resident:,} bytes, and of {engines.words}"
    return Fact(shim.resident + engines.resident, how)


def cpu_of(
    before: tuple[ProcessUsage | None, EngineProcesses], after: tuple[ProcessUsage | None, EngineProcesses]
) -> Fact:
    """Return the CPU of the shim and of the share of the engine between two looks, in percent of a core."""
    (shim_before, engines_before), (shim, engines) = before, after
    if shim_before is None or shim is None or shim_before.pid != shim.pid or shim.at <= shim_before.at:
        return unknown("its shim was not seen twice")
    seconds = shim.at - shim_before.at
    grown = shim.cpu_s - shim_before.cpu_s + engines.cpu_since(engines_before)
    how = f"/proc/<pid>/stat: growth of CPU time in {seconds:.0f} s of {shim.name}, and of {engines.words}"
    return Fact(max(0.0, grown / seconds * 100), how)
