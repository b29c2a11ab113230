"""The files of a group that are read at every tick, on open descriptors.

This is the hottest loop of vmtop. All files are read first, and only those that have changed since the previous
reading are parsed, which are few for most workloads of a host. A group that used no CPU time and holds as much memory
as before is idle: files that cannot change without these are read less often. A group whose quota is counted in a
separate file is never treated as idle: it may be throttled, which is counted too.

Nothing at all is read of a group in a folder that has not moved (`quiet_folders.py`), or of which BPF tells that it has
not (`collectors/kernel/bpf/quiet.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import attrgetter

from msgspec.structs import replace

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.bpf.quiet import QuietGroups, Watch
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.open_files import BUFFER, BatchRead, CgroupDirs, GroupGone, OpenFile, keep_hottest
from collectors.kernel.cgroup.quiet_folders import QuietFolder
from collectors.model.workloads import Sample

_CPU, _TICKS, _QUOTA, _MEMORY, _MEMORY_STAT, _DISK, _OPERATIONS, _PRESSURE = range(8)
_LEADING = (_CPU, _MEMORY, _DISK, _OPERATIONS, _PRESSURE)
"""Always read: disk writeback goes on without CPU time of the group, and so does waiting for a CPU."""
_FOLLOWING = (_TICKS, _QUOTA, _MEMORY_STAT)
"""User and system time, throttling, and the composition of memory."""
_NONE, _ALL = frozenset[int](), frozenset(range(8))
_OF_CPU, _OF_DISK = frozenset((_CPU, _TICKS, _QUOTA)), frozenset((_DISK, _OPERATIONS))
_OF_MEMORY = frozenset((_MEMORY, _MEMORY_STAT))
AT_LEAST_EVERY = 5
"""Readings after which those of an idle group are read too: the kernel may age its pages."""
_TOLD = attrgetter(
    *("cpu_total_ns", "cpu_user_total_ns", "cpu_system_total_ns", "cpu_periods_total", "cpu_throttled_total_ns"),
    *("cpu_stall_total_ns", "disk_read_total_bytes", "disk_write_total_bytes"),
)
"""What cannot have changed in a group that BPF calls quiet. Memory may have grown and shrunk again since."""

ReadNetwork = Callable[[bool], parsers.Network | None]
"""Reads a network, given whether the group has used no CPU time since the reading before."""
Fields = dict[str, int | None]
"""Values of a sample by their names."""


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
        self._leading_texts: list[bytes | None] = []
        self._following_texts: list[bytes | None] = []
        self._texts: list[bytes | None] = [None] * len(paths)
        """The newest content of each file, in the order of their indexes."""
        self._network: parsers.Network | None = None
        self.changes = 0
        """How often the CPU time or the memory was not what it was at the reading before."""
        self.is_idle = False
        """Whether the last reading left out what cannot have changed."""
        self.rested = 0
        """For how many readings nothing has moved, as its folder or BPF tells; 0: something has, or may have."""
        self._quiet = 0
        """The same as BPF tells."""
        self._readings = 0
        self._plan()

    @property
    def memory_stat(self) -> bytes | None:
        """The newest memory.stat, for callers that need other keys of it."""
        return self._texts[_MEMORY_STAT]

    def reopen(self) -> None:
        """Open the files that were missing: controllers may be enabled later, one by one."""
        for file in self._missing:
            file.reopen()
        if any(self._missing):
            self._plan()

    def keep(self, count: int) -> int:
        """Keep so many files open, the hottest ones; return how many are. The others are opened for each reading."""
        kept = keep_hottest((self._files[index] for index in (*_LEADING, *_FOLLOWING)), count)
        self._batch()
        return kept

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def read(
        self, read_network: ReadNetwork | None, folder: QuietFolder | None = None, is_thorough: bool = False
    ) -> Sample:
        """Read once; the network's counters are copied as they are.

        Args:
            read_network: Reads its network; `None` where it has none of its own.
            folder: What tells of the folder that the group is in, if anything does, read before.
            is_thorough: Read everything.

        Raises:
            GroupGone: The group was removed.
        """
        self._readings += 1
        previous, watch = self._sample, self._watch
        may_rest = previous is not None and (previous.cpu_periods_total is None or not self._is_quota_apart)
        unchanged = folder.unchanged if folder is not None and may_rest and not is_thorough else 0
        is_quiet = watch is not None and watch.is_quiet() and may_rest and self._shows_idleness
        leading = self._leading_texts if unchanged or is_quiet else self._leading.read()
        used_no_cpu = self._shows_idleness and leading[:1] == self._leading_texts[:1]
        network = read_network(used_no_cpu and not is_thorough) if read_network is not None else None
        is_same_network = network == self._network
        is_quiet = is_quiet and is_same_network
        self._quiet = self._quiet + 1 if is_quiet else 0
        self.rested = max(self._quiet, unchanged)
        if previous is not None and folder is not None and unchanged > AT_LEAST_EVERY and is_same_network:
            self.is_idle = True
            return replace(previous, at_ns=folder.at_ns)
        if previous is not None and watch is not None and is_quiet and not is_thorough:
            self.is_idle = True
            return replace(previous, at_ns=watch.at_ns)
        if not unchanged and leading is self._leading_texts:
            leading = self._leading.read()
        sample = self._take_leading(leading, network, folder if unchanged else None, may_rest, is_thorough)
        if watch is not None and not unchanged:
            watch.note(is_quiet and previous is not None and _TOLD(sample) != _TOLD(previous))
        return sample

    def _take_leading(
        self,
        leading: list[bytes | None],
        network: parsers.Network | None,
        unmoved: QuietFolder | None,
        may_rest: bool,
        is_thorough: bool,
    ) -> Sample:
        """Make a sample of the leading files, and of the following ones, which are not read of an idle group."""
        previous = self._sample
        is_same = may_rest and self._shows_idleness and leading[:2] == self._leading_texts[:2]
        if previous is not None and not is_same:
            self.changes += 1
        self.is_idle = is_same and not is_thorough and self._readings % AT_LEAST_EVERY != 0
        following = self._following_texts if self.is_idle else self._following.read()
        is_of_folder = unmoved is not None and self.is_idle and network == self._network
        at_ns = unmoved.at_ns if unmoved is not None and is_of_folder else time.monotonic_ns()
        changed = _NONE
        if previous is None or leading != self._leading_texts or following != self._following_texts:
            if any(text is not None and len(text) == BUFFER for text in (*leading, *following)):
                leading, following = self._leading.read_whole(), self._following.read_whole()
            changed = self._take(leading, following)
        elif network == self._network:
            return replace(previous, at_ns=at_ns)
        self._sample = sample = self._parse(at_ns, changed, network)
        return sample

    def _plan(self) -> None:
        """Note which files exist."""
        self._missing = [file for file in self._files if not file and file.is_possible]
        self._batch()
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

    def _batch(self) -> None:
        """Note which files are read together, and on which descriptors."""
        present = [[index for index in indexes if self._files[index]] for indexes in (_LEADING, _FOLLOWING)]
        self._present = [*present[0], *present[1]]
        self._leading, self._following = (BatchRead([self._files[index] for index in indexes]) for indexes in present)

    def _take(self, leading: list[bytes | None], following: list[bytes | None]) -> frozenset[int]:
        """Take over what was read; return the indexes of the files that differ from before."""
        texts: list[bytes | None] = [None] * len(self._files)
        for index, text in zip(self._present, [*leading, *following], strict=True):
            texts[index] = text
        changed = frozenset(index for index, text in enumerate(texts) if text != self._texts[index])
        self._leading_texts, self._following_texts, self._texts = leading, following, texts
        return changed

    def _parse(self, at_ns: int, changed: frozenset[int], network: parsers.Network | None) -> Sample:
        """Make a sample of the previous one and of the files that differ, or of all if there is no previous one."""
        previous = self._sample
        is_first = previous is None
        if previous is None:
            previous, changed = Sample(source="cgroup", at_ns=at_ns, epoch=self.epoch), _ALL
        fields: Fields = {}
        if changed & _OF_CPU:
            fields.update(self._cpu_fields(self._texts[_CPU], self._texts[_TICKS], self._texts[_QUOTA]))
        if changed & _OF_DISK:
            fields.update(self._disk_fields(self._texts[_DISK], self._texts[_OPERATIONS]))
        if _PRESSURE in changed:
            pressure = self._texts[_PRESSURE]
            fields["cpu_stall_total_ns"] = parsers.stall_ns(pressure, b"some") if pressure else None
            fields["cpu_stall_full_total_ns"] = parsers.stall_ns(pressure, b"full") if pressure else None
        if changed & _OF_MEMORY:
            fields.update(_memory_fields(self._texts[_MEMORY], self._texts[_MEMORY_STAT]))
        if is_first or network != self._network:
            self._network = network
            fields.update(_network_fields(network))
        return replace(previous, at_ns=at_ns, **fields)

    def _cpu_fields(self, text: bytes | None, ticks: bytes | None, quota: bytes | None) -> Fields:
        cpu = parsers.Cpu()
        if text is not None:
            cpu = parsers.cpu_v2(text) if self._is_v2_cpu else parsers.cpu_v1(text, ticks or b"")
        quota = quota if self._files[_QUOTA] else text
        throttled = parsers.throttling(quota) if quota and not self._has_inner_quotas else parsers.Throttling()
        return {
            "cpu_total_ns": cpu.total_ns,
            "cpu_user_total_ns": cpu.user_ns,
            "cpu_system_total_ns": cpu.system_ns,
            "cpu_periods_total": throttled.periods,
            "cpu_throttled_periods_total": throttled.throttled_periods,
            "cpu_throttled_total_ns": throttled.throttled_ns,
        }

    def _disk_fields(self, text: bytes | None, operations: bytes | None) -> Fields:
        disk = parsers.Disk()
        if text is not None:
            counted = parsers.io_v1(text, operations) if self._is_v1_disk else parsers.io_v2(text)
            total = self._block_devices.total(counted)
            has_no_operations = self._is_v1_disk and operations is None
            disk = parsers.Disk(*total[:2]) if has_no_operations else parsers.Disk(*total)
        return {
            "disk_read_total_bytes": disk.read_bytes,
            "disk_write_total_bytes": disk.write_bytes,
            "disk_reads_total": disk.reads,
            "disk_writes_total": disk.writes,
        }


def _memory_fields(charged_text: bytes | None, stat: bytes | None) -> Fields:
    charged = parsers.number(charged_text) if charged_text else None
    inactive = parsers.inactive_file(stat) if stat else None
    return {
        "memory_charged_bytes": charged,
        "memory_inactive_file_bytes": inactive,
        "memory_unreclaimable_bytes": parsers.unreclaimable(stat, charged, inactive) if stat else None,
    }


def _network_fields(network: parsers.Network | None) -> Fields:
    return {
        "net_rx_total_bytes": network.rx_bytes if network else None,
        "net_tx_total_bytes": network.tx_bytes if network else None,
        "net_rx_packets_total": network.rx_packets if network else None,
        "net_tx_packets_total": network.tx_packets if network else None,
        "net_drops_total": network.drops if network else None,
    }
