"""What is spent for a container beside its own cgroup: the shim that holds it, and its share of the engine.

A virtual machine's overhead is within its own process; see `details.guest_memory` and the metric EMU%.
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
        return f"{names} on this host, divided by {self.containers} containers"


def find_shim(pid: int | None, proc: str = "/proc") -> ProcessUsage | None:
    """Return the shim above a container's first process; `None` if there is none of a known name."""
    if pid is None:
        return None
    stat = read_process_stat(proc, pid)
    parent = 0 if stat is None else stat.parent_pid
    found = _held(parent, proc) if parent > 1 else None
    return found if found is not None and found.name.startswith(registry.shims()) else None


def find_engines(containers: int, proc: str = "/proc") -> EngineProcesses:
    """Return the engines of this host, by the names of their processes."""
    daemons = frozenset(name.encode() for name in registry.daemons() | _OTHER_DAEMONS)
    pids = [int(name) for name in os.listdir(proc) if name.isdigit()]
    names = ((pid, (read_bytes(f"{proc}/{pid}/comm") or b"").strip()) for pid in pids)
    found = (_held(pid, proc) for pid, name in names if name in daemons)
    return EngineProcesses(tuple(one for one in found if one is not None), containers)


def _held(pid: int, proc: str) -> ProcessUsage | None:
    stat = read_process_stat(proc, pid)
    if stat is None:
        return None
    name = (read_bytes(f"{proc}/{pid}/comm") or b"").strip().decode("ascii", "replace")
    return ProcessUsage(pid, name, stat.cpu_ticks * _TICK_S, stat.resident_pages * _PAGE, time.monotonic())


def memory_of(shim: ProcessUsage | None, engines: EngineProcesses) -> Fact:
    """Return what the shim holds, and the container's share of the engine."""
    if shim is None:
        return unknown("no known shim runs it, or /proc cannot be read")
    how = f"/proc/<pid>/stat: resident size of {shim.name} {shim.resident:,} bytes, and of {engines.words}"
    return Fact(shim.resident + engines.resident, how)


def cpu_of(
    before: tuple[ProcessUsage | None, EngineProcesses], after: tuple[ProcessUsage | None, EngineProcesses]
) -> Fact:
    """Return the CPU of the shim and of the share of the engine between two looks, in percent of a core."""
    (shim_before, engines_before), (shim, engines) = before, after
    if shim_before is None or shim is None or shim_before.pid != shim.pid or shim.at <= shim_before.at:
        return unknown("its shim was not seen in two readings")
    seconds = shim.at - shim_before.at
    grown = shim.cpu_s - shim_before.cpu_s + engines.cpu_since(engines_before)
    how = f"/proc/<pid>/stat: growth of CPU time over {seconds:.0f} s of {shim.name}, and of {engines.words}"
    return Fact(max(0.0, grown / seconds * 100), how)
