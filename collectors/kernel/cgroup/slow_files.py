"""The slow reading of a group: values that change rarely, or matter less."""

from __future__ import annotations

import time
from enum import IntEnum
from typing import NamedTuple

from msgspec.structs import replace

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.domain_groups import DomainGroups
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.oom_kills import InnerOomKills
from collectors.kernel.cgroup.open_files import BatchRead, CgroupDirs, OpenFile, keep_hottest, slow_file_bound
from collectors.kernel.procfs import read_bytes
from collectors.model.workloads import Kind, Sample

_LIMITS_EVERY = 3
"""Slow readings after which limits are read again: they change only when a user changes them."""


class Depth(IntEnum):
    """How much is read."""

    STATE = 0
    """Whether it is frozen: this comes from outside, and a frozen group does nothing."""
    WAITING = 1
    """Also pressure: what waits for memory or a disk may use no CPU time meanwhile."""
    WHOLE = 2
    """Everything."""


class GroupLimits(NamedTuple):
    """The limits of a group; `None` means no limit."""

    cores: float | None = None
    memory_bytes: int | None = None
    pids: int | None = None


class MachineProcess(NamedTuple):
    """Values of a virtual machine's process that cgroups may lack; `None` for other workloads."""

    threads: int | None = None
    hugetlb_bytes: int | None = None


_PIDS, _PEAK, _KILLS, _SWAP, _MEMORY_PRESSURE, _IO_PRESSURE, _EVENTS, _FREEZE, _FREEZER, _HUGETLB = range(10)
_DEPTHS = {
    _FREEZE: Depth.STATE,
    _FREEZER: Depth.STATE,
    _MEMORY_PRESSURE: Depth.WAITING,
    _IO_PRESSURE: Depth.WAITING,
    _EVENTS: Depth.WAITING,
}
"""At which depth a file is read; the others: when everything is."""


class SlowFiles:
    """Tasks, swap, hugepages, peak, kills, pressure, limits and the freezer of one group.

    Values that a kernel or cgroup version lacks are `None`. Files are parsed only if one of them has changed since the
    previous reading.

    Args:
        directories: Its directories.
        kind: What it is: the limits of a virtual machine are also in groups below its own.
        hugepage_sizes: Sizes of which this host has pages, as the controller writes them.
    """

    def __init__(self, directories: CgroupDirs, kind: Kind, hugepage_sizes: tuple[str, ...] = ()) -> None:
        unified = directories.unified
        self._path = directories.path
        self.hugepage_sizes = hugepage_sizes
        self._is_hugetlb_charged = directories.hierarchy.is_hugetlb_charged
        self._domain = DomainGroups(directories) if kind is Kind.VM else None
        kills = directories.file("memory", "memory.oom_control", "memory.events")
        self._inner_kills = InnerOomKills(kills) if kills and directories.hierarchy.has_local_events else None
        self._has_v1_memory = "memory" in directories.hierarchy.mounts
        v1_freezer = directories.v1_file("freezer", "freezer.state")
        paths = (
            directories.file("pids", "pids.current", "pids.current"),
            directories.file("memory", "memory.max_usage_in_bytes", "memory.peak"),
            kills,
            f"{unified}/memory.swap.current" if unified and not self._has_v1_memory else None,
            f"{unified}/memory.pressure" if unified else None,
            f"{unified}/io.pressure" if unified else None,
            f"{unified}/cgroup.events" if unified else None,
            f"{unified}/cgroup.freeze" if unified and not v1_freezer else None,
            v1_freezer,
            *(
                directories.file("hugetlb", f"hugetlb.{size}.usage_in_bytes", f"hugetlb.{size}.current")
                for size in hugepage_sizes
            ),
        )
        self._files = tuple(OpenFile(path, slow_file_bound()) for path in paths)
        self._pids_limit = OpenFile(directories.file("pids", "pids.max", "pids.max"), slow_file_bound())
        self._limits = GroupLimits()
        self._readings = 0
        self._contents: list[list[bytes | None]] | None = None
        """What was read at each depth."""
        self._texts: list[bytes] = []
        self._inner_kill_count = 0
        self._inputs: tuple[object, ...] = ()
        """The values other than files that the sample was made from."""
        self._sample: Sample | None = None
        self.is_frozen = False
        """Whether the group is frozen, or about to be."""
        self.is_populated: bool | None = None
        """Whether it or a group below had any process at the last reading; `None` where v2 does not report it."""
        self._plan()

    def reopen(self) -> None:
        """Open the files that were missing."""
        self._pids_limit.reopen()
        for file in self._missing:
            file.reopen()
        if any(self._missing):
            self._plan()

    def keep(self, count: int) -> int:
        """Keep so many files open, the hottest ones; return how many are. The others are opened for each reading."""
        indexes = [index for indexes in self._present for index in indexes]
        kept = keep_hottest([*(self._files[index] for index in indexes), self._pids_limit], count)
        self._batch()
        return kept

    def close(self) -> None:
        """Close the files."""
        for file in (*self._files, self._pids_limit):
            file.close()

    def read(self, depth: Depth = Depth.WHOLE) -> None:
        """Read the files of a depth and of those before it; all if one of these has changed.

        Raises:
            GroupGone: The group was removed.
        """
        known = self._contents
        read = [batch.read() for batch in self._batches[: depth + 1]]
        if known is None or (depth is not Depth.WHOLE and read != known[: depth + 1]):
            read += [batch.read() for batch in self._batches[depth + 1 :]]
        if len(read) == len(self._batches) and self._inner_kills is not None:
            self._inner_kill_count = self._inner_kills.total()
        if known is not None and read == known[: len(read)]:
            return
        self._contents = read
        texts = [b""] * len(self._files)
        for indexes, contents in zip(self._present, read, strict=True):
            for index, text in zip(indexes, contents, strict=True):
                texts[index] = text or b""
        events = texts[_EVENTS]
        self.is_populated = b"populated 1" in events if events else None
        # v2 has one file for the state and one for the request; v1 has one file with a word for each
        is_requested = texts[_FREEZER].strip() == b"FROZEN" if self._files[_FREEZER] else texts[_FREEZE].strip() == b"1"
        self.is_frozen = b"frozen 1" in events or is_requested
        self._texts = texts
        self._sample = None

    def sample(self, limits: Limits, epoch: str, process: MachineProcess, memory_stat: bytes | None) -> Sample:
        """Return a sample of what was read last.

        Args:
            limits: The limits of the group and its ancestors.
            epoch: Identity of its counters.
            process: Used where there is no controller of tasks or of hugepages.
            memory_stat: The group's memory.stat, in which v1 counts swap where swap accounting is on.

        Raises:
            GroupGone: The group was removed.
        """
        if self._readings % _LIMITS_EVERY == 0:
            pids_limit = parsers.number(self._pids_limit.read() or b"")
            domain = self._domain
            cores = domain.find_cores(limits) if domain else limits.cores(self._path)
            self._limits = GroupLimits(cores, limits.memory_bytes(domain.path if domain else self._path), pids_limit)
        self._readings += 1
        throttled = self._domain.throttling() if self._domain else parsers.Throttling()
        inner_kills = self._inner_kill_count
        inputs = (self._limits, epoch, process, memory_stat, throttled, inner_kills)
        if self._sample is None or inputs != self._inputs:
            self._inputs = inputs
            self._sample = self._parse(epoch, process, memory_stat or b"", throttled, inner_kills)
        else:
            self._sample = replace(self._sample, at_ns=time.monotonic_ns())
        return self._sample

    def _plan(self) -> None:
        """Note which files exist."""
        self._missing = [file for file in self._files if not file and file.is_possible]
        self._batch()
        self._contents = self._sample = None

    def _batch(self) -> None:
        """Note which files are read together, and on which descriptors."""
        present = [index for index, file in enumerate(self._files) if file]
        self._present = [[index for index in present if _DEPTHS.get(index, Depth.WHOLE) is depth] for depth in Depth]
        self._batches = [BatchRead([self._files[index] for index in indexes]) for indexes in self._present]

    def _parse(
        self, epoch: str, process: MachineProcess, memory_stat: bytes, throttled: parsers.Throttling, inner_kills: int
    ) -> Sample:
        texts, limits = self._texts, self._limits
        pids, swap, kills = parsers.number(texts[_PIDS]), parsers.number(texts[_SWAP]), parsers.oom_kills(texts[_KILLS])
        return Sample(
            source="cgroup-slow",
            epoch=epoch,
            cpu_periods_total=throttled.periods,
            cpu_throttled_periods_total=throttled.throttled_periods,
            cpu_throttled_total_ns=throttled.throttled_ns,
            pids=process.threads if pids is None else pids,
            pids_limit=limits.pids,
            memory_swap_bytes=parsers.find_value(memory_stat, b"total_swap") if self._has_v1_memory else swap,
            memory_zswap_bytes=parsers.find_value(memory_stat, b"zswap"),
            memory_shmem_bytes=parsers.shared_memory(memory_stat),
            memory_hugetlb_bytes=self._hugetlb_bytes(process),
            memory_peak_bytes=parsers.number(texts[_PEAK]),
            memory_high_total=None if self._has_v1_memory else parsers.find_value(texts[_KILLS], b"high"),
            oom_kills_total=None if kills is None else kills + inner_kills,
            memory_stall_total_ns=parsers.stall_ns(texts[_MEMORY_PRESSURE], b"some"),
            memory_stall_full_total_ns=parsers.stall_ns(texts[_MEMORY_PRESSURE], b"full"),
            io_stall_total_ns=parsers.stall_ns(texts[_IO_PRESSURE], b"some"),
            io_stall_full_total_ns=parsers.stall_ns(texts[_IO_PRESSURE], b"full"),
            cpu_limit_cores=limits.cores,
            memory_limit_bytes=limits.memory_bytes,
            at_ns=time.monotonic_ns(),
        )

    def _hugetlb_bytes(self, process: MachineProcess) -> int | None:
        """Add up the hugepages of all sizes, by the controller where it is enabled, else by the machine's process."""
        if self._is_hugetlb_charged:
            return None
        counted = [held for text in self._texts[_HUGETLB:] if (held := parsers.number(text)) is not None]
        return sum(counted) if counted else process.hugetlb_bytes


def read_machine_process(kind: Kind, proc: str, pid: int | None) -> MachineProcess:
    """Read the process of a virtual machine: libvirt uses neither v1's pids nor any hugetlb controller."""
    if kind is not Kind.VM or pid is None:
        return MachineProcess()
    status = read_bytes(f"{proc}/{pid}/status") or b""
    threads = parsers.number(status.partition(b"\nThreads:")[2].partition(b"\n")[0])
    return MachineProcess(threads, parsers.hugetlb_bytes(status))
