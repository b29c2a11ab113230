"""The processes inside a workload, from /proc."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from collectors.kernel.cgroup.processes import command, folders, members
from collectors.kernel.procfs import read_process_stat
from collectors.model.details import Column, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.safety.redact import redact_words
from collectors.safety.sanitize import sanitize

AT_MOST = 500
_LONGEST = 400
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_COLUMNS = (
    Column("PID"),
    Column("USER"),
    Column("S"),
    Column("CPU%", Unit.PERCENT),
    Column("MEM", Unit.BYTES),
    Column("THREADS", Unit.COUNT),
    Column("COMMAND"),
)


class Seen(NamedTuple):
    """A process at an earlier look: its start, its CPU seconds, the instant."""

    start: int
    cpu_s: float
    at: float


class Processes:
    """Lists processes; the second look has their CPU use."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._seen: dict[int, Seen] = {}

    def table(self, directories: Iterable[str]) -> Table:
        """List the processes in and below a workload's cgroup, busiest first.

        Args:
            directories: The cgroup's directory in each hierarchy; the first that knows any process answers.
        """
        pids: list[int] = []
        for directory in directories:
            pids = [pid for folder in folders(directory) for pid in members(folder)]
            if pids:
                break
        seen: dict[int, Seen] = {}
        rows = [row for pid in pids[:AT_MOST] if (row := self._row(pid, seen)) is not None]
        self._seen = seen
        rows.sort(key=lambda row: (-(float(row[3] or 0)), -(float(row[4] or 0))))
        note = f"{len(pids) - AT_MOST} more are not shown" if len(pids) > AT_MOST else ""
        return Table(Page.PROCESSES, f"{len(pids)} processes", _COLUMNS, tuple(rows), note=note)

    def _row(self, pid: int, seen: dict[int, Seen]) -> tuple[Value, ...] | None:
        stat = read_process_stat(self._proc, pid)
        if stat is None:
            return None
        now = time.monotonic()
        seen[pid] = Seen(stat.start_ticks, stat.cpu_ticks * _TICK_S, now)
        words = redact_words([word.decode("utf-8", "replace") for word in command(self._proc, pid)])
        shown = sanitize(" ".join(words), _LONGEST) if words else f"[{sanitize(stat.command)}]"
        percent = self._percent(pid, seen[pid])
        return (
            str(pid),
            self._user(pid),
            sanitize(stat.state),
            percent,
            stat.resident_pages * _PAGE,
            stat.threads,
            shown,
        )

    def _percent(self, pid: int, now: Seen) -> float | None:
        before = self._seen.get(pid)
        if before is None or before.start != now.start or now.at <= before.at:
            return None
        return max(0.0, (now.cpu_s - before.cpu_s) / (now.at - before.at) * 100)

    def _user(self, pid: int) -> str | None:
        try:
            return _name_of(os.stat(f"{self._proc}/{pid}").st_uid)
        except OSError:
            return None


@lru_cache(maxsize=256)
def _name_of(uid: int) -> str:
    try:
        return sanitize(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)
