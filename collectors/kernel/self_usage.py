"""The cost of vmtop itself to this host: CPU time and resident memory of its process."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """The cost since the previous look."""

    cpu_percent: float | None
    """Of one core; `None` at the first look."""
    resident_bytes: int | None


class OwnCost:
    """Measures this process repeatedly."""

    def __init__(self) -> None:
        self._previous: tuple[float, float] | None = None

    def look(self) -> Cost:
        """Return the CPU use since the last look, and the memory held now."""
        now, spent = time.monotonic(), time.process_time()
        previous, self._previous = self._previous, (now, spent)
        percent = None if previous is None or now <= previous[0] else (spent - previous[1]) / (now - previous[0]) * 100
        fields = (read_bytes("/proc/self/statm") or b"").split()  # pages; see proc_pid_statm(5)
        return Cost(percent, int(fields[1]) * _PAGE if len(fields) > 1 else None)
