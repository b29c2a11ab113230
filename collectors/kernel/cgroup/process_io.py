"""Block I/O of a group by its processes: an approximation for kernels whose v1 blkio does not count.

Since Linux 6.10 blkio counts only on disks with a throttle rule (block/blk-throttle.h, blk_should_throtl). What is
summed here instead counts pages as they are dirtied, and misses the last moments of a process that has ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from collectors.kernel import procfs
from collectors.kernel.cgroup import parsers, processes
from collectors.kernel.cgroup.open_files import GroupGone, OpenFile, seldom_kept
from collectors.kernel.devices import Disks

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_AT_ONCE, _SLOWEST = 50, 5
"""So many processes are asked at each reading; of more, only at every second reading or so, down to every fifth."""


def is_blkio_dead(blkio_root: str, proc: str = "/proc", sys: str = "/sys") -> bool:
    """Whether the root group of v1 blkio knows of no I/O while the disks had some."""
    text = procfs.read_bytes(f"{blkio_root}/blkio.throttle.io_service_bytes")
    if text is None or any(map(any, parsers.blkio_v1(text).values())):
        return text is None
    disks = Disks(sys, proc).read(procfs.read_bytes(f"{proc}/diskstats") or b"")
    return bool(disks.read_bytes or disks.write_bytes)


class ProcessIo:
    """Adds up what a group's processes read and write, so that the sums never fall when one ends."""

    def __init__(self, directories: Callable[[], list[str]], proc: str = "/proc") -> None:
        """Take a function that gives the group's directory in each hierarchy."""
        self._directories = directories
        self._proc = proc
        self._folders: list[str] = []
        self._members: dict[str, OpenFile] = {}
        self._counters: dict[int, OpenFile] = {}
        self._listed: list[bytes | None] = []
        self._listed_pids: set[int] = set()
        self._last: dict[int, bytes] = {}
        """Process -> what its counters said: most say the same again."""
        self._read_at_ns = 0
        self._sums = [0, 0]
        self._is_readable = False

    def find_folders(self) -> None:
        """Find the cgroups below the group; done once in a while."""
        for directory in self._directories():
            self._folders = list(processes.folders(directory))
            if any(processes.members(folder) for folder in self._folders):
                break
        for folder in self._members.keys() - self._folders:
            self._members.pop(folder).close()
        for folder in self._folders:
            if not self._members.get(folder):
                self._members[folder] = OpenFile(f"{folder}/cgroup.procs", seldom_kept())

    def close(self) -> None:
        """Close the files."""
        for kept in (*self._members.values(), *self._counters.values()):
            kept.close()
        self._members.clear()
        self._counters.clear()

    @property
    def beat(self) -> int:
        """In how many readings it should be read once: an engine's service holds a process for each container."""
        return min(_SLOWEST, 1 + len(self._last) // _AT_ONCE)

    def read(self) -> tuple[int, int] | None:
        """Return the bytes read and written so far; `None` when no process's counters could ever be read."""
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if not self._folders:
            self.find_folders()
        known = self._last
        self._last = {}
        pids = self._pids()
        for pid in pids:
            text = self._io(pid)
            if text is not None:
                self._last[pid] = text
                if text != (before := known.get(pid)):
                    counted = _counted(text)
                    self._add(counted, _counted(before) if before else self._baseline(pid, counted))
        if len(self._counters) > len(pids):
            for pid in self._counters.keys() - pids:
                self._counters.pop(pid).close()
        self._read_at_ns = boot_ns
        self._is_readable = self._is_readable or bool(self._last)
        return (self._sums[0], self._sums[1]) if self._is_readable else None

    def _pids(self) -> set[int]:
        texts = [_read(kept) for kept in self._members.values()]
        if texts != self._listed:
            self._listed = texts
            self._listed_pids = {pid for text in texts if text for pid in processes.pids_in(text)}
        return self._listed_pids

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
        stat = procfs.read_process_stat(self._proc, pid)
        ticks = None if stat is None else stat.start_ticks
        began_ns = (ticks or 0) * 1_000_000_000 // _TICKS_PER_SECOND
        return (0, 0) if began_ns >= self._read_at_ns - 20_000_000 else counted  # two ticks of rounding

    def _io(self, pid: int) -> bytes | None:
        kept = self._counters.get(pid)
        if kept is None:
            kept = self._counters[pid] = OpenFile(f"{self._proc}/{pid}/io", seldom_kept())
        text = _read(kept)
        if not text or b"read_bytes:" not in text:  # it ended, and another may get its pid; or it may not be read
            self._counters.pop(pid).close()
            return None
        return text


def _counted(text: bytes) -> tuple[int, int]:
    """Find bytes read and written in `/proc/<pid>/io`."""
    return parsers.find_value(text, b"read_bytes:") or 0, parsers.find_value(text, b"write_bytes:") or 0


def _read(kept: OpenFile) -> bytes | None:
    """Return the content; `None` when there is none: a group below went, or a process ended."""
    try:
        return kept.read()
    except GroupGone:
        return None
