"""The files of a group that are read at every tick, on open descriptors.

This is the hottest loop of vmtop. All files are read first, and parsed only if one of them has changed since the
previous reading, which is rare for most workloads of a host. A group that used no CPU time and holds as much memory as
before is idle: files that cannot change without these are read less often. A group whose quota is counted in a separate
file is never treated as idle: it may be throttled, which is counted too. Where BPF tells that nothing of an idle group
has moved, none of its files is read.
"""

from __future__ import annotations

import itertools
import time
from operator import attrgetter

from msgspec.structs import replace

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.bpf.quiet import CHECKED_EVERY, QuietGroups, Watch
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.open_files import BUFFER, BatchRead, CgroupDirs, GroupGone, OpenFile
from collectors.model.workloads import Sample

_CPU, _TICKS, _QUOTA, _MEMORY, _MEMORY_STAT, _DISK, _OPERATIONS, _PRESSURE = range(8)
_LEADING = (_CPU, _MEMORY, _DISK, _OPERATIONS, _PRESSURE)
"""Always read: disk writeback goes on without CPU time of the group, and so does waiting for a CPU."""
_FOLLOWING = (_TICKS, _QUOTA, _MEMORY_STAT)
"""User and system time, throttling, and the composition of memory."""
AT_LEAST_EVERY = 5
"""Readings after which those of an idle group are read too: the kernel may age its pages."""
_TOLD = attrgetter(
    *("cpu_total_ns", "cpu_user_total_ns", "cpu_system_total_ns", "cpu_periods_total", "cpu_throttled_total_ns"),
    *("cpu_stall_total_ns", "disk_read_total_bytes", "disk_write_total_bytes"),
)
"""What cannot have changed in a quiet group. Memory is not among it: it may have grown and shrunk again since."""
_TURNS = itertools.count()
"""Spreads the readings of quiet groups, of which many may have begun at once."""


class FastFiles:
    """CPU time, throttling, memory, block I/O and CPU pressure of one group."""

    def __init__(
        self,
        directories: CgroupDirs,
        block_devices: BlockDevices,
        is_blkio_dead: bool = False,
        has_inner_quotas: bool = False,
        quiet_groups: QuietGroups | None = None,
    ) -> None:
        """Open the files that exist.

        Args:
            directories: Its directories.
            block_devices: The devices of this host.
            is_blkio_dead: Whether this kernel's v1 blkio does not count.
            has_inner_quotas: Whether groups below it may have quotas of their own: the slow reading counts them all.
            quiet_groups: What BPF tells; `None` without it.

        Raises:
            GroupGone: No hierarchy has its CPU time or memory.
        """
        unified = directories.unified
        self._directories = directories
        self._quiet_groups = quiet_groups
        self._watch: Watch | None = None
        self._turn = next(_TURNS)
        self._block_devices = block_devices
        # On a hybrid host the v2 tree counts CPU time too, and cpuacct may lack libvirt's machines.
        self._is_v2_cpu = unified is not None
        self._has_inner_quotas = has_inner_quotas
        self._is_v1_disk = "blkio" in directories.hierarchy.mounts
        disk = directories.file("blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat")
        operations = directories.v1_file("blkio", "blkio.throttle.io_serviced_recursive")
        paths = (
            f"{unified}/cpu.stat" if unified else directories.v1_file("cpuacct", "cpuacct.usage"),
            None if unified else directories.v1_file("cpuacct", "cpuacct.stat"),
            None if has_inner_quotas else directories.v1_file("cpu", "cpu.stat"),
            directories.file("memory", "memory.usage_in_bytes", "memory.current"),
            directories.file("memory", "memory.stat", "memory.stat"),
            None if is_blkio_dead else disk,
            None if is_blkio_dead else operations,
            f"{unified}/cpu.pressure" if unified else None,
        )
        self._files = tuple(OpenFile(path) for path in paths)
        if not self._files[_CPU] and not self._files[_MEMORY]:
            self.close()
            raise GroupGone(directories.path)
        self.epoch = str(self._files[_CPU].inode() or self._files[_MEMORY].inode())
        self._sample: Sample | None = None
        self._texts: list[bytes | None] = []
        self._readings = 0
        self.is_idle = False
        """Whether the group did nothing since the previous reading, as far as the leading files show."""
        self.is_quiet = False
        """Whether BPF tells that nothing of it has moved since its files were last read."""
        self._network: parsers.Network | None = None
        self.memory_stat: bytes | None = None
        """The newest memory.stat, for callers that need other keys of it."""
        self._plan()

    def reopen(self) -> None:
        """Open the files that were missing: controllers may be enabled later, one by one."""
        for file in self._missing:
            file.reopen()
        if any(self._missing):
            self._plan()

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def read(self, network: parsers.Network | None) -> Sample:
        """Read everything once; the network's counters are copied as they are.

        Raises:
            GroupGone: The group was removed.
        """
        self._readings += 1
        previous, watch = self._sample, self._watch
        may_idle = (
            previous is not None
            and self._shows_idleness
            and (previous.cpu_periods_total is None or not self._is_quota_apart)
        )
        self.is_quiet = watch is not None and watch.is_quiet() and may_idle and network == self._network
        is_due = (self._readings + self._turn) % CHECKED_EVERY == 0
        if self.is_quiet and not is_due and previous is not None and watch is not None:
            self.is_idle = True
            return replace(previous, at_ns=watch.at_ns)
        sample = self._read_files(network, may_idle and not self.is_quiet)
        if watch is not None:
            watch.note(self.is_quiet and previous is not None and _TOLD(sample) != _TOLD(previous))
        return sample

    def _read_files(self, network: parsers.Network | None, may_idle: bool) -> Sample:
        leading = self._leading.read()
        previous, count = self._sample, len(leading)
        self.is_idle = may_idle and leading[:2] == self._texts[:2] and self._readings % AT_LEAST_EVERY != 0
        texts = leading + (self._texts[count:] if self.is_idle else self._following.read())
        at_ns = time.monotonic_ns()
        if previous is not None and texts == self._texts and network == self._network:
            return replace(previous, at_ns=at_ns)
        if any(text is not None and len(text) == BUFFER for text in texts):
            texts = self._leading.read_whole() + self._following.read_whole()
        self._texts, self._network = texts, network
        self._sample = sample = self._parse(at_ns, network)
        return sample

    def _plan(self) -> None:
        """Note which files exist."""
        present = [[index for index in indexes if self._files[index]] for indexes in (_LEADING, _FOLLOWING)]
        self._present = [*present[0], *present[1]]
        self._missing = [file for file in self._files if not file and file.is_possible]
        self._leading, self._following = (BatchRead([self._files[index] for index in indexes]) for indexes in present)
        self._shows_idleness = bool(self._files[_CPU] and self._files[_MEMORY])
        self._is_quota_apart = bool(self._files[_QUOTA])
        self._sample = None
        self._watch = self._watched()

    def _watched(self) -> Watch | None:
        """Return what tells whether the group is quiet; `None` if BPF does not cover all that is read of it."""
        unified = self._directories.unified
        if self._quiet_groups is None or unified is None or (self._is_v1_disk and self._files[_DISK]):
            return None
        return self._quiet_groups.watch(unified, self._directories.directories.get("memory"))

    def _parse(self, at_ns: int, network: parsers.Network | None) -> Sample:
        texts: list[bytes | None] = [None] * len(self._files)
        for index, text in zip(self._present, self._texts, strict=True):
            texts[index] = text
        self.memory_stat = memory_stat = texts[_MEMORY_STAT]
        charged, pressure = texts[_MEMORY], texts[_PRESSURE]
        cpu = self._cpu_of(texts[_CPU], texts[_TICKS])
        quota = texts[_QUOTA] if self._files[_QUOTA] else texts[_CPU]
        throttled = parsers.throttling(quota) if quota and not self._has_inner_quotas else parsers.Throttling()
        disk = self._disk_of(texts[_DISK], texts[_OPERATIONS])
        return Sample(
            source="cgroup",
            at_ns=at_ns,
            epoch=self.epoch,
            cpu_total_ns=cpu.total_ns,
            cpu_user_total_ns=cpu.user_ns,
            cpu_system_total_ns=cpu.system_ns,
            cpu_periods_total=throttled.periods,
            cpu_throttled_periods_total=throttled.throttled_periods,
            cpu_throttled_total_ns=throttled.throttled_ns,
            cpu_stall_total_ns=parsers.stall_ns(pressure) if pressure else None,
            memory_charged_bytes=parsers.number(charged) if charged else None,
            memory_inactive_file_bytes=parsers.inactive_file(memory_stat) if memory_stat else None,
            disk_read_total_bytes=disk.read_bytes,
            disk_write_total_bytes=disk.write_bytes,
            disk_reads_total=disk.reads,
            disk_writes_total=disk.writes,
            net_rx_total_bytes=network.rx_bytes if network else None,
            net_tx_total_bytes=network.tx_bytes if network else None,
            net_rx_packets_total=network.rx_packets if network else None,
            net_tx_packets_total=network.tx_packets if network else None,
            net_drops_total=network.drops if network else None,
        )

    def _cpu_of(self, text: bytes | None, ticks: bytes | None) -> parsers.Cpu:
        if text is None:
            return parsers.Cpu()
        return parsers.cpu_v2(text) if self._is_v2_cpu else parsers.cpu_v1(text, ticks or b"")

    def _disk_of(self, text: bytes | None, operations: bytes | None) -> parsers.Disk:
        if text is None:
            return parsers.Disk()
        counted = parsers.io_v1(text, operations) if self._is_v1_disk else parsers.io_v2(text)
        total = self._block_devices.total(counted)
        if self._is_v1_disk and operations is None:
            return parsers.Disk(total.read_bytes, total.write_bytes)
        return parsers.Disk(*total)
