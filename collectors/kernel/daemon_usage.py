"""CPU time that a daemon of this host used while it answered vmtop: what its monitoring costs beyond vmtop itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.kernel.procfs import read_bytes, stat_fields

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class DaemonUsage:
    """Adds up the CPU time of one process over the calls that it answered.

    An upper bound: what the daemon did for others meanwhile is included. The kernel reports whole clock ticks (10 ms),
    so a single call is measured roughly, and many calls well.

    Args:
        names: The daemon's command names as in /proc/PID/comm. If several processes have one of them, it is unknown
            which of them answers, and nothing is measured.
        proc: Where procfs is mounted.
    """

    def __init__(self, *names: str, proc: str = "/proc") -> None:
        self._names = {name.encode() for name in names}
        self._proc = proc
        self._pid: str | None = None
        self.cpu_s: float | None = None
        """CPU seconds since `find`; `None` while it is unknown which process the daemon is."""

    def find(self, pid: int | None = None) -> None:
        """Look for the daemon's process, after a connection to it was opened; `pid` if that is known."""
        pids = self._pids_by_name() if pid is None else [str(pid)]
        self._pid = pids[0] if len(pids) == 1 else None
        self.cpu_s = None if self._pid is None else 0.0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count what the daemon uses within this context. A process that ends makes the usage unknown."""
        before = self._used_s()
        try:
            yield
        finally:
            after = self._used_s()
            self.cpu_s = None if self.cpu_s is None or before is None or after is None else self.cpu_s + after - before

    def _pids_by_name(self) -> list[str]:
        pids = filter(str.isdigit, os.listdir(self._proc))
        return [pid for pid in pids if (read_bytes(f"{self._proc}/{pid}/comm") or b"").strip() in self._names]

    def _used_s(self) -> float | None:
        """Return user and system time, fields 14 and 15 of proc_pid_stat(5), in seconds."""
        fields = stat_fields(read_bytes(f"{self._proc}/{self._pid}/stat")) if self._pid else []
        return (int(fields[11]) + int(fields[12])) * _TICK_S if len(fields) > 12 else None
