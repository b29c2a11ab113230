"""Measures a control group from its beginning, or from a moment, to its end."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.fast_files import FastFiles
from collectors.kernel.cgroup.oom_kills import InnerOomKills
from collectors.kernel.cgroup.open_files import CgroupDirs, GroupGone
from collectors.kernel.cgroup.process_io import ProcessIo, is_blkio_dead
from collectors.kernel.procfs import read_bytes
from collectors.model.workloads import Sample
from collectors.running.quantities import Measured, Usage, missing
from collectors.running.quota_watch import QuotaWatch, quota_directory
from collectors.running.resident import ResidentPeak

_NS = 1e9
_DISK_BLOCK = 512
"""Bytes of `ru_inblock` and `ru_oublock` (kernel task_io_get_inblock)."""


class GroupMeter:
    """Reads a group again and again.

    Args:
        directories: The group's.
        pids: Returns its processes, for what no controller counts.
        is_whole: Whether the group is new, so that its counters are those of the command alone.

    Raises:
        GroupGone: No tree counts CPU time or memory for it.
    """

    def __init__(self, directories: CgroupDirs, pids: Callable[[], Sequence[int]], is_whole: bool = True) -> None:
        self._directories = directories
        self._pids = pids
        self._is_whole = is_whole
        hierarchy = directories.hierarchy
        blkio = hierarchy.v1("blkio")
        is_dead = blkio is not None and is_blkio_dead(blkio)
        self._files = FastFiles(directories, BlockDevices(), is_dead)
        self._process_io = ProcessIo(lambda: directories.all) if is_dead else None
        self._process_totals: tuple[int, int] | None = None
        self._kills_file = directories.file("memory", "memory.oom_control", "memory.events")
        has_inner = self._kills_file is not None and hierarchy.has_local_events
        self._inner_kills = InnerOomKills(self._kills_file) if has_inner and self._kills_file else None
        self._peak_file = directories.file("memory", "memory.max_usage_in_bytes", "memory.peak")
        self._tasks_file = directories.file("pids", "pids.peak", "pids.peak")
        self._quotas = QuotaWatch(hierarchy, quota_directory(hierarchy, directories.directories))
        self._resident = ResidentPeak()
        self._peak: int | None = None
        self._kills: int | None = None
        self._tasks: int | None = None
        self._most_charged = self._most_working = -1
        self._now: Sample = self._files.read(None)
        self._read_slow()
        self._before, self._peak_before, self._kills_before = self._now, self._peak, self._kills
        self._io_before = self._process_totals

    def begin(self) -> None:
        """Read before the process becomes the command: what it holds until then is a copy of vmtop's memory."""
        self._read()

    def sample(self) -> bool:
        """Read once; return whether the group is still there. What was read last stays."""
        is_there = self._read()
        if is_there and self._now.memory_charged_bytes is None:
            self._resident.sample(self._pids())
        return is_there

    def _read(self) -> bool:
        try:
            self._files.reopen()
            self._now = now = self._files.read(None)
        except GroupGone:
            return False
        self._read_slow()
        charged = now.memory_charged_bytes
        if charged is not None:
            self._most_charged = max(self._most_charged, charged)
            self._most_working = max(self._most_working, charged - (now.memory_inactive_file_bytes or 0))
        return True

    def usage(self, resources: resource.struct_rusage | None = None) -> Usage:
        """Return what was used until the last reading.

        Args:
            resources: What the kernel counted for the command itself, where it is one that vmtop has started.
        """
        return {
            "mem": self._memory_peak(resources),
            "working_set": self._working_set(),
            **self._cpu(resources),
            **self._quotas.measured(),
            "oom_kills": self._oom_kills(),
            **self._disk(resources),
            "pids": self._tasks_peak(),
        }

    def close(self) -> None:
        """Close the files."""
        self._files.close()
        if self._process_io is not None:
            self._process_io.close()

    def _read_slow(self) -> None:
        """Read what has a file of its own; a file that has gone leaves what was read last."""
        self._peak = _number(self._peak_file, self._peak)
        self._tasks = _number(self._tasks_file, self._tasks)
        kills = parsers.oom_kills(read_bytes(self._kills_file) or b"") if self._kills_file else None
        if kills is not None:
            self._kills = kills + (self._inner_kills.total() if self._inner_kills is not None else 0)
        if self._process_io is not None:
            self._process_io.find_folders()
            self._process_totals = self._process_io.read() or self._process_totals

    def _memory_peak(self, resources: resource.struct_rusage | None) -> Measured:
        name = (self._peak_file or "").rpartition("/")[2]
        if self._peak is not None and (self._is_whole or self._peak > (self._peak_before or 0)):
            return Measured(self._peak, f"the kernel's {name}, page cache included")
        if self._most_charged >= 0:
            why = "its kernel's peak is from before" if self._peak is not None else "the kernel has no memory.peak"
            return Measured(self._most_charged, f"sampled, page cache included: {why}", is_lower_bound=True)
        return self._resident.peak(resources)

    def _working_set(self) -> Measured:
        if self._most_working < 0:
            return missing("no memory controller counts it")
        return Measured(self._most_working, "sampled, without inactive page cache", is_lower_bound=True)

    def _cpu(self, resources: resource.struct_rusage | None) -> dict[str, Measured]:
        now, before = self._now, self._before
        if now.cpu_total_ns is None and resources is not None:
            return cpu_of(resources)
        how = "cpu.stat of its group" if self._directories.unified else "cpuacct of its group"
        fields = {
            "cpu_seconds": (now.cpu_total_ns, before.cpu_total_ns),
            "user_seconds": (now.cpu_user_total_ns, before.cpu_user_total_ns),
            "system_seconds": (now.cpu_system_total_ns, before.cpu_system_total_ns),
        }
        return {key: self._grown(*values, how, _NS) for key, values in fields.items()}

    def _oom_kills(self) -> Measured:
        how = f"{(self._kills_file or '').rpartition('/')[2]} of its group"
        return self._grown(self._kills, self._kills_before, how)

    def _disk(self, resources: resource.struct_rusage | None) -> dict[str, Measured]:
        now, before = self._now, self._before
        if now.disk_read_total_bytes is not None:
            how = "blkio of its group" if "blkio" in self._directories.directories else "io.stat of its group"
            return {
                "read": self._grown(now.disk_read_total_bytes, before.disk_read_total_bytes, how),
                "written": self._grown(now.disk_write_total_bytes, before.disk_write_total_bytes, how),
            }
        by_processes: dict[str, Measured] = {}
        for index, key in enumerate(("read", "written")):
            totals, begun = self._process_totals, self._io_before
            how = "sampled from its processes, as they dirty pages: no controller counts it"
            value = self._grown(totals[index] if totals else None, begun[index] if begun else 0, how)
            by_processes[key] = value._replace(is_lower_bound=value.value is not None)
        return by_processes if resources is None else _larger(by_processes, disk_of(resources))

    def _tasks_peak(self) -> Measured:
        if self._tasks is None:
            return missing("the kernel has no pids.peak for it")
        return Measured(self._tasks, "pids.peak of its group")

    def _grown(self, now: int | None, before: int | None, how: str, scale: float = 1) -> Measured:
        if now is None:
            return missing("no controller counts it")
        begun = 0 if self._is_whole else before or 0
        return Measured(max(0, now - begun) / scale, how)


def cpu_of(resources: resource.struct_rusage) -> dict[str, Measured]:
    """Return the CPU time of the command by the kernel's account of its processes."""
    how = "the kernel's account of it and the descendants that were waited for"
    user, system = resources.ru_utime, resources.ru_stime
    values = {"cpu_seconds": user + system, "user_seconds": user, "system_seconds": system}
    return {key: Measured(value, how, is_lower_bound=True) for key, value in values.items()}


def disk_of(resources: resource.struct_rusage) -> dict[str, Measured]:
    """Return the disk traffic of the command by the kernel's account of its processes."""
    how = "the kernel's account of it and the descendants that were waited for, as they dirty pages"
    values = {"read": resources.ru_inblock, "written": resources.ru_oublock}
    return {key: Measured(value * _DISK_BLOCK, how, is_lower_bound=True) for key, value in values.items()}


def _larger(first: dict[str, Measured], second: dict[str, Measured]) -> dict[str, Measured]:
    """Return the larger of two lower bounds of each value."""
    return {
        key: max(first[key], second[key], key=lambda one: -1.0 if one.value is None else one.value) for key in first
    }


def _number(path: str | None, before: int | None) -> int | None:
    if path is None:
        return before
    value = parsers.number(read_bytes(path) or b"")
    return before if value is None else value
