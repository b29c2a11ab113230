"""What vmtop itself costs this host: CPU time and resident memory of its process."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """Since the look before."""

    cpu_percent: float | None
    """Of one core; `None` at the first look."""
    resident_bytes: int | None


class OwnCost:
    """Looks again and again at this process."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def look(self) -> Cost:
        """Return what was spent since the last look, and what is held now."""
        now, spent = time.monotonic(), time.process_time()
        before, self._before = self._before, (now, spent)
        percent = None if before is None or now <= before[0] else (spent - before[1]) / (now - before[0]) * 100
        fields = (read_bytes("/proc/self/statm") or b"").split()  # pages; see proc_pid_statm(5)
        return Cost(percent, int(fields[1]) * _PAGE if len(fields) > 1 else None)
