"""Block I/O of a group by its processes: an approximation for kernels whose v1 blkio does not count it.

Since Linux 6.10 blkio counts only on disks with a throttle rule (block/blk-throttle.h, blk_should_throtl). The
counters of processes, summed here instead, count pages as they are dirtied, and miss a process's last moments.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from collectors.kernel import procfs
from collectors.kernel.cgroup import parsers, processes
from collectors.kernel.cgroup.open_files import GroupGone, OpenFile, slow_file_bound
from collectors.kernel.devices import Disks

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_AT_ONCE, _SLOWEST = 50, 5
"""Up to 50 processes are read at each reading; more only at every second reading and so on, down to every fifth."""


def is_blkio_dead(blkio_root: str, proc: str = "/proc", sys: str = "/sys") -> bool:
    """Whether v1 blkio counts no I/O of some disk that had any: a throttle rule makes it count on one disk alone."""
    counted = procfs.read_bytes(f"{blkio_root}/blkio.throttle.io_service_bytes_recursive")
    if counted is None:
        counted = procfs.read_bytes(f"{blkio_root}/blkio.throttle.io_service_bytes")
    diskstats = procfs.read_bytes(f"{proc}/diskstats") or b""
    return counted is None or not Disks(sys, proc).are_counted(diskstats, parsers.io_v1(counted, None))


class ProcessIo:
    """Adds up what a group's processes read and write, so that the sums never fall when one ends."""

    def __init__(self, directories: Callable[[], list[str]], proc: str = "/proc") -> None:
        """Take a function that returns the group's directory in each hierarchy."""
        self._directories = directories
        self._proc = proc
        self._folders: list[str] = []
        self._members: dict[str, OpenFile] = {}
        self._counters: dict[int, OpenFile] = {}
        self._member_texts: list[bytes | None] = []
        self._listed_pids: set[int] = set()
        self._io_texts: dict[int, bytes] = {}
        """Pid -> the text of its counters, which is parsed only when it changes."""
        self._read_at_ns = 0
        self._sums = [0, 0]
        self._is_readable = False

    def find_folders(self) -> None:
        """Find the cgroups below the group; called occasionally."""
        for directory in self._directories():
            self._folders = list(processes.folders(directory))
            if any(processes.members(folder) for folder in self._folders):
                break
        for folder in self._members.keys() - self._folders:
            self._members.pop(folder).close()
        for folder in self._folders:
            if not self._members.get(folder):
                self._members[folder] = OpenFile(f"{folder}/cgroup.procs", slow_file_bound())

    def close(self) -> None:
        """Close the files."""
        for file in (*self._members.values(), *self._counters.values()):
            file.close()
        self._members.clear()
        self._counters.clear()

    @property
    def read_every(self) -> int:
        """Readings per read of the processes, 1 to 5: an engine's service has a process for each container."""
        return min(_SLOWEST, 1 + len(self._io_texts) // _AT_ONCE)

    def read(self) -> tuple[int, int] | None:
        """Return the bytes read and written so far; `None` when no process's counters could ever be read."""
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if not self._folders:
            self.find_folders()
        previous_texts = self._io_texts
        self._io_texts = {}
        pids = self._pids()
        for pid in pids:
            text = self._io(pid)
            if text is not None:
                self._io_texts[pid] = text
                if text != (previous := previous_texts.get(pid)):
                    totals = _totals(text)
                    self._add(totals, _totals(previous) if previous else self._baseline(pid, totals))
        if len(self._counters) > len(pids):
            for pid in self._counters.keys() - pids:
                self._counters.pop(pid).close()
        self._read_at_ns = boot_ns
        self._is_readable = self._is_readable or bool(self._io_texts)
        return (self._sums[0], self._sums[1]) if self._is_readable else None

    def _pids(self) -> set[int]:
        texts = [_read(file) for file in self._members.values()]
        if texts != self._member_texts:
            self._member_texts = texts
            self._listed_pids = {pid for text in texts if text for pid in processes.pids_in(text)}
        return self._listed_pids

    def _add(self, totals: tuple[int, int], previous_totals: tuple[int, int]) -> None:
        for index, (total, previous) in enumerate(zip(totals, previous_totals, strict=True)):
            self._sums[index] += total - previous if total >= previous else total  # less: the pid was reused

    def _baseline(self, pid: int, totals: tuple[int, int]) -> tuple[int, int]:
        """Return the totals of a new process not to count: none if it began since the last reading, else all so far.

        The first reading counts everything: totals since the processes began.
        """
        if not self._read_at_ns:
            return (0, 0)
        stat = procfs.read_process_stat(self._proc, pid)
        ticks = None if stat is None else stat.start_ticks
        began_ns = (ticks or 0) * 1_000_000_000 // _TICKS_PER_SECOND
        return (0, 0) if began_ns >= self._read_at_ns - 20_000_000 else totals  # two ticks of rounding

    def _io(self, pid: int) -> bytes | None:
        file = self._counters.get(pid)
        if file is None:
            file = self._counters[pid] = OpenFile(f"{self._proc}/{pid}/io", slow_file_bound())
        text = _read(file)
        if not text or b"read_bytes:" not in text:  # it ended, and its pid may be reused; or this user may not read it
            self._counters.pop(pid).close()
            return None
        return text


def _totals(text: bytes) -> tuple[int, int]:
    """Find bytes read and written in `/proc/<pid>/io`."""
    return parsers.find_value(text, b"read_bytes:") or 0, parsers.find_value(text, b"write_bytes:") or 0


def _read(file: OpenFile) -> bytes | None:
    """Return the content; `None` when there is none: a group below was removed, or a process ended."""
    try:
        return file.read()
    except GroupGone:
        return None
