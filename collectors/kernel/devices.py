"""The traffic of the host's disks and of its network's edge, each byte once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.processes import host_network_namespace, network_namespace, one_per_network
from collectors.kernel.links import NamespaceView, view, view_of
from collectors.kernel.network_edge import NetworkEdge, has_hardware, roles

_SECTOR_BYTES = 512
"""The unit of diskstats, whatever the disk's own; see Documentation/admin-guide/iostats.rst."""
_FORGET_EVERY = 60
"""Readings after which devices are looked up again: a name may come back as another device."""


class Disks:
    """Sums diskstats over the disks of the host, as `BlockDevices` counts them."""

    def __init__(self, sys: str = "/sys", proc: str = "/proc") -> None:
        self._devices = BlockDevices(sys, proc)
        self._names: list[bytes] = []
        self._readings = 0

    def read(self, diskstats: bytes) -> parsers.Disk:
        """Return the totals of `/proc/diskstats`; fields are `None` when it lists no disk."""
        disks = self._countable(diskstats)
        return parsers.Disk(*self._devices.total(disks)) if disks else parsers.Disk()

    def are_counted(self, diskstats: bytes, counters: Mapping[bytes, parsers.DeviceIo]) -> bool:
        """Return whether the counters of the root group have I/O of every disk that had any, or of a device on it."""
        of_host = self._devices.by_stack(self._countable(diskstats))
        of_groups = self._devices.by_stack(counters)
        return all(any(of_groups.get(stack, ())[:2]) for stack, sums in of_host.items() if any(sums[:2]))

    def _countable(self, diskstats: bytes) -> dict[bytes, parsers.DeviceIo]:
        """Parse diskstats into the counters of the devices that count."""
        rows = [fields for line in diskstats.splitlines() if len(fields := line.split()) >= 10]
        names = [fields[2] for fields in rows]
        self._readings += 1
        if names != self._names or self._readings % _FORGET_EVERY == 0:
            self._devices.refresh()
            self._names = names
        keys = [self._devices.key_of(b"%b:%b" % (fields[0], fields[1]), fields[2]) for fields in rows]
        return {key: _device_io(fields) for key, fields in zip(keys, rows, strict=True) if key is not None}


def _device_io(fields: list[bytes]) -> parsers.DeviceIo:
    """Return the counters of a line; see Documentation/admin-guide/iostats.rst."""
    reads, merged_reads, read_sectors, _, writes, merged_writes, written_sectors = (
        parsers.number(word) or 0 for word in fields[3:10]
    )
    return parsers.DeviceIo(
        read_sectors * _SECTOR_BYTES, written_sectors * _SECTOR_BYTES, reads + merged_reads, writes + merged_writes
    )


class Interfaces:
    """Sums net/dev over the edge of the host: the interfaces with hardware, or else what leads out of its namespace."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._edge = NetworkEdge(self.roles)

    def read(self, table: bytes) -> parsers.Network | None:
        """Return the totals of a `net/dev` table of the host's namespace; `None` without a table."""
        return self._edge.read(table)

    def roles(self) -> dict[bytes, str] | None:
        """Return the roles of the host's interfaces; `None` without the right to enter its namespace."""
        network = host_network_namespace(self._proc)
        if network is None:
            return None
        is_own = network == network_namespace("/proc", "self")
        interfaces = self._view(is_own, ())
        if interfaces is not None and not has_hardware(interfaces):
            pids = [int(name) for name in os.listdir(self._proc) if name.isdigit()]
            interfaces = self._view(is_own, one_per_network(self._proc, pids))
        return None if interfaces is None else roles(interfaces, is_host=True)

    def _view(self, is_own: bool, inner_pids: Iterable[int]) -> NamespaceView | None:
        if is_own:
            return view(None, inner_pids)
        try:
            process = os.open(f"{self._proc}/1", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return view_of(process, inner_pids)
        finally:
            os.close(process)
