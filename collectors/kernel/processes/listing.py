"""One pass over the processes of this host: one small file for each, and its control groups once.

Costs some 20 microseconds a process. psutil takes five times as long, and its objects keep what they have read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes, stat_fields
from collectors.model.processes import Process, ProcessId, ProcessPass
from collectors.safety.permissions import as_root, sees_all_processes
from collectors.safety.sanitize import sanitize

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STATES = frozenset("RSDTtZXIPWKx")
_GROUPS_EVERY = 8
"""Passes after which a process's control groups are read again: most are moved just after their start, if at all."""


class _Last(NamedTuple):
    """What is remembered of a process from its last pass."""

    ticks: int
    """User and system time."""
    at_ns: int
    raw_name: bytes
    name: str
    cgroups: tuple[str, ...]
    age: int
    """Passes since its control groups were read."""


class ProcessListing:
    """Reads processes again and again. CPU use is known from a process's second pass on.

    Args:
        proc: Where procfs is mounted.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._last: dict[ProcessId, _Last] = {}

    def read(self, pids: Iterable[int] | None = None) -> ProcessPass:
        """Read some processes, or all. Those that end meanwhile are left out.

        Raises:
            OSError: procfs cannot be listed.
        """
        began = time.thread_time_ns()
        if pids is None:
            pids = [int(name) for name in os.listdir(self._proc) if name.isdigit()]
        last: dict[ProcessId, _Last] = {}
        processes = [process for pid in pids if (process := self._process(pid, last)) is not None]
        self._last = last
        return ProcessPass(time.monotonic_ns(), time.thread_time_ns() - began, tuple(processes), self._note())

    def _process(self, pid: int, last: dict[ProcessId, _Last]) -> Process | None:
        text = read_bytes(f"{self._proc}/{pid}/stat")
        at_ns = time.monotonic_ns()
        fields = stat_fields(text)
        if text is None or len(fields) < 22:
            return None
        try:
            identity = ProcessId(pid, int(fields[19]))
            parent_pid, ticks = int(fields[1]), int(fields[11]) + int(fields[12])
            threads, pages = int(fields[17]), int(fields[21])
        except ValueError:
            return None
        raw_name = text[text.find(b"(") + 1 : text.rfind(b")")]
        before = self._last.get(identity)
        last[identity] = now = self._remembered(pid, before, ticks, at_ns, raw_name)
        state = fields[0].decode("ascii", "replace")
        return Process(
            id=identity,
            parent_pid=parent_pid,
            name=now.name,
            state=state if state in _STATES else "?",
            cpu_percent=_percent(before, now),
            cpu_seconds=ticks / _TICKS_PER_SECOND,
            memory_bytes=pages * _PAGE_BYTES,
            threads=threads,
            cgroups=now.cgroups,
        )

    def _remembered(self, pid: int, before: _Last | None, ticks: int, at_ns: int, raw_name: bytes) -> _Last:
        if before is None or raw_name != before.raw_name or before.age >= _GROUPS_EVERY:
            return _Last(ticks, at_ns, raw_name, sanitize(raw_name), read_cgroups(self._proc, pid), 0)
        return before._replace(ticks=ticks, at_ns=at_ns, age=before.age + 1)

    def _note(self) -> str:
        """Say what hides processes of this host from vmtop."""
        if not sees_all_processes(self._proc):
            return f"only processes of this container: vmtop does not see the host's; fix: {as_root()}"
        if read_bytes(f"{self._proc}/1/stat") is None:
            return f"processes of other users are hidden (hidepid); fix: {as_root()}"
        return ""


def read_cgroups(proc: str, pid: int | str) -> tuple[str, ...]:
    """Return a process's path in each hierarchy, the root's left out; empty where this user may not see them."""
    paths: list[str] = []
    for line in (read_bytes(f"{proc}/{pid}/cgroup") or b"").splitlines():
        path = line.split(b":", 2)[-1].decode("utf-8", "replace")
        if path != "/" and path not in paths:
            paths.append(path)
    return tuple(paths)


def _percent(before: _Last | None, now: _Last) -> float | None:
    if before is None or now.at_ns <= before.at_ns:
        return None
    return max(0, now.ticks - before.ticks) / _TICKS_PER_SECOND * 1e11 / (now.at_ns - before.at_ns)
