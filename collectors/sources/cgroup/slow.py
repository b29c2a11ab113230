"""The slow reading of a group: what changes seldom, or matters less."""

from __future__ import annotations

import time
from typing import NamedTuple

from collectors.model import Kind, Sample
from collectors.sources.cgroup import readers
from collectors.sources.cgroup.files import Homes, KeptFile, seldom_kept
from collectors.sources.cgroup.limits import Limits
from collectors.sources.cgroup.processes import read_bytes

_GIVEN_EVERY = 3
"""Slow readings after which limits are read anew: someone has to change them."""


class Given(NamedTuple):
    """What a group may use at most; `None`: no limit."""

    cores: float | None = None
    memory_bytes: int | None = None
    pids: int | None = None


class SlowFiles:
    """Tasks, swap, peak, kills, pressure, limits and the freezer of one group.

    What a kernel or version lacks is `None`.
    """

    def __init__(self, homes: Homes) -> None:
        unified = homes.unified
        self._path = homes.path
        self._has_v1_memory = "memory" in homes.hierarchy.mounts
        self._pids = _seldom(homes.file("pids", "pids.current", "pids.current"))
        self._pids_limit = _seldom(homes.file("pids", "pids.max", "pids.max"))
        self._peak = _seldom(homes.file("memory", "memory.max_usage_in_bytes", "memory.peak"))
        self._kills = _seldom(homes.file("memory", "memory.oom_control", "memory.events"))
        self._swap = _seldom(f"{unified}/memory.swap.current" if unified and not self._has_v1_memory else None)
        self._memory_pressure = _seldom(f"{unified}/memory.pressure" if unified else None)
        self._io_pressure = _seldom(f"{unified}/io.pressure" if unified else None)
        self._events = _seldom(f"{unified}/cgroup.events" if unified else None)
        self._freezer = _seldom(homes.v1_file("freezer", "freezer.state"))
        self._freeze = _seldom(f"{unified}/cgroup.freeze" if unified and not self._freezer else None)
        self._files = (
            *(self._pids, self._pids_limit, self._peak, self._kills, self._swap, self._memory_pressure),
            *(self._io_pressure, self._events, self._freeze, self._freezer),
        )
        self._given = Given()
        self._readings = 0
        self.is_populated: bool | None = None
        """Whether there is any process in it or below, as of the last look; `None` where v2 does not tell."""

    def reopen(self) -> None:
        """Open the files that were missing."""
        for file in self._files:
            file.reopen()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def is_frozen(self) -> bool:
        """Whether the group is frozen, or about to be: v2 `cgroup.events` and `cgroup.freeze`, or v1 `freezer.state`.

        Raises:
            GroupGone: The group was removed.
        """
        events = self._events.read()
        self.is_populated = None if events is None else b"populated 1" in events
        if events is not None and b"frozen 1" in events:
            return True
        if self._freezer:
            return (self._freezer.read() or b"").strip() == b"FROZEN"
        return (self._freeze.read() or b"").strip() == b"1"

    def read(self, limits: Limits, epoch: str, threads: int | None, memory_stat: bytes | None) -> Sample:
        """Read everything once.

        Args:
            limits: Limits of it and its ancestors.
            epoch: Identity of its counters.
            threads: What to tell of tasks where there is no pids controller.
            memory_stat: The group's memory.stat, in which v1 counts swap where swap accounting is on.

        Raises:
            GroupGone: The group was removed.
        """
        if self._readings % _GIVEN_EVERY == 0:
            cores, memory = limits.cores(self._path), limits.memory_bytes(self._path)
            self._given = Given(cores, memory, _number(self._pids_limit))
        self._readings += 1
        pids, given = _number(self._pids), self._given
        return Sample(
            source="cgroup-slow",
            epoch=epoch,
            pids=threads if pids is None else pids,
            pids_limit=given.pids,
            memory_swap_bytes=readers.find_value(memory_stat or b"", b"total_swap")
            if self._has_v1_memory
            else _number(self._swap),
            memory_peak_bytes=_number(self._peak),
            oom_kills_total=readers.oom_kills(self._kills.read() or b""),
            memory_stall_total_ns=readers.stall_ns(self._memory_pressure.read() or b""),
            io_stall_total_ns=readers.stall_ns(self._io_pressure.read() or b""),
            cpu_limit_cores=given.cores,
            memory_limit_bytes=given.memory_bytes,
            at_ns=time.monotonic_ns(),
        )


def machine_threads(kind: Kind, proc: str, pid: int | None) -> int | None:
    """Count the threads of a machine's process: libvirt leaves v1's pids controller alone. `None` for other kinds."""
    if kind is not Kind.VM or pid is None:
        return None
    status = read_bytes(f"{proc}/{pid}/status") or b""
    return readers.number(status.partition(b"\nThreads:")[2].partition(b"\n")[0])


def _seldom(path: str | None) -> KeptFile:
    return KeptFile(path, seldom_kept())


def _number(file: KeptFile) -> int | None:
    return readers.number(file.read() or b"")
