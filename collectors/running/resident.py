"""The memory of processes where no control group counts it: sampled, and so a lower bound of the peak."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable

from collectors.kernel.cgroup.parsers import find_value, number
from collectors.kernel.procfs import read_bytes
from collectors.running.quantities import Measured, missing

_COST_SHARE = 0.05
"""Share of the time that reading may take: the kernel walks all page tables of a process for it."""
_GROWTH_BYTES = 16 << 20
"""By how much the copy of vmtop that becomes the command may grow before it does."""


def proportional_bytes(pids: Iterable[int], proc: str = "/proc") -> int | None:
    """Return what processes hold together, each shared page once; `None` if none can be read.

    Source: `Pss` of `/proc/<pid>/smaps_rollup` (Linux 4.14 and newer), proc_pid_smaps(5).
    """
    total = None
    for pid in pids:
        text = read_bytes(f"{proc}/{pid}/smaps_rollup") or b""
        if (kilobytes := _kilobytes(text, b"Pss:")) is not None:
            total = (total or 0) + kilobytes * 1024
    return total


class ResidentPeak:
    """The highest of the samples, and of what the kernel remembers of the largest process."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._most: int | None = None
        self._not_before = 0.0
        own = _kilobytes(read_bytes(f"{proc}/self/status") or b"", b"VmHWM:")
        self._copied_bytes = None if own is None else own * 1024 + _GROWTH_BYTES
        """At most this much is vmtop's own: `ru_maxrss` includes what the process was before it became the command."""

    def sample(self, pids: Iterable[int]) -> None:
        """Read the processes, unless reading them has taken too much of the time lately."""
        began = time.monotonic()
        if began < self._not_before:
            return
        found = proportional_bytes(pids, self._proc)
        if found is not None:
            self._most = max(found, self._most or 0)
        ended = time.monotonic()
        self._not_before = ended + (ended - began) / _COST_SHARE

    def peak(self, resources: resource.struct_rusage | None) -> Measured:
        """Return the peak as far as it is known."""
        largest = None if resources is None else resources.ru_maxrss * 1024
        if largest is not None and (self._copied_bytes is None or largest <= self._copied_bytes):
            largest = None
        if largest is not None and largest > (self._most or 0):
            how = "the kernel's peak of its largest process (ru_maxrss); others may have added to it"
            return Measured(largest, how, is_lower_bound=True)
        if self._most is not None:
            return Measured(self._most, "sampled as Pss of its processes: what is shorter is missed", True)
        return missing("it ended before its memory could be sampled, and no group counts it")


def _kilobytes(text: bytes, key: bytes) -> int | None:
    """Find a size in the form `Key:   123 kB`."""
    for line in text.splitlines():
        if line.startswith(key):
            return number(line[len(key) :].replace(b"kB", b""))
    return find_value(text, key)
