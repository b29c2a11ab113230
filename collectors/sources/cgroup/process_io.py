"""Block I/O of a group by its processes: an approximation for kernels whose v1 blkio does not count.

Since Linux 6.10 blkio counts only on disks with a throttle rule (block/blk-throttle.h, blk_should_throtl). What is
summed here instead counts pages as they are dirtied, and misses the last moments of a process that has ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from collectors.sources.cgroup import processes, readers

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_IMAGINARY = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")


def is_blkio_dead(blkio_root: str, proc: str = "/proc") -> bool:
    """Whether the root group of v1 blkio knows of no I/O while the disks had some."""
    text = processes.read_bytes(f"{blkio_root}/blkio.throttle.io_service_bytes")
    if text is None or any(readers.blkio_v1(text)):
        return text is None
    return _disks_had_io(processes.read_bytes(f"{proc}/diskstats") or b"")


def _disks_had_io(diskstats: bytes) -> bool:
    for line in diskstats.splitlines():
        words = line.split()
        if len(words) < 10 or words[2].decode("ascii", "replace").startswith(_IMAGINARY):
            continue
        if readers.number(words[5]) or readers.number(words[9]):  # sectors read, sectors written
            return True
    return False


class ProcessIo:
    """Adds up what a group's processes read and write, so that the sums never fall when one ends."""

    def __init__(self, directories: Callable[[], list[str]], proc: str = "/proc") -> None:
        """Take a function that gives the group's directory in each hierarchy."""
        self._directories = directories
        self._proc = proc
        self._folders: list[str] = []
        self._last: dict[int, tuple[int, int]] = {}
        self._read_at_ns = 0
        self._sums = [0, 0]
        self._is_readable = False

    def find_folders(self) -> None:
        """Find the cgroups below the group; done once in a while."""
        for directory in self._directories():
            self._folders = list(processes.folders(directory))
            if any(processes.members(folder) for folder in self._folders):
                return

    def read(self) -> tuple[int, int] | None:
        """Return the bytes read and written so far; `None` when no process's counters could ever be read."""
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if not self._folders:
            self.find_folders()
        known = self._last
        self._last = {}
        for pid in {pid for folder in self._folders for pid in processes.members(folder)}:
            counted = self._io(pid)
            if counted is not None:
                self._last[pid] = counted
                self._add(counted, known.get(pid) or self._baseline(pid, counted))
        self._read_at_ns = boot_ns
        self._is_readable = self._is_readable or bool(self._last)
        return (self._sums[0], self._sums[1]) if self._is_readable else None

    def _add(self, now: tuple[int, int], before: tuple[int, int]) -> None:
        for place in (0, 1):
            # less than before: the pid was given to another process
            self._sums[place] += now[place] - before[place] if now[place] >= before[place] else now[place]

    def _baseline(self, pid: int, counted: tuple[int, int]) -> tuple[int, int]:
        """Return what not to count of a new process: nothing if it began since the last reading, else its past.

        The first reading counts everything: a total since the processes began.
        """
        if not self._read_at_ns:
            return (0, 0)
        ticks = processes.start_ticks(processes.read_bytes(f"{self._proc}/{pid}/stat") or b"")
        began_ns = (ticks or 0) * 1_000_000_000 // _TICKS_PER_SECOND
        return (0, 0) if began_ns >= self._read_at_ns - 20_000_000 else counted  # two ticks of rounding

    def _io(self, pid: int) -> tuple[int, int] | None:
        text = processes.read_bytes(f"{self._proc}/{pid}/io")
        if text is None:
            return None
        read, written = readers.find_value(text, b"read_bytes:"), readers.find_value(text, b"write_bytes:")
        return None if read is None or written is None else (read, written)
