"""Selects the disks and network interfaces of a host that count: those with hardware, so each byte counts once."""

from __future__ import annotations

import os
import re

from collectors.kernel.cgroup import parsers
from collectors.kernel.procfs import is_stacked_disk

_SECTOR_BYTES = 512
"""The unit of diskstats, whatever the disk's own; see Documentation/admin-guide/iostats.rst."""
_PARTITION = re.compile(r"(?:[shv]d[a-z]+|xvd[a-z]+)\d+|(?:nvme\d+n\d+|mmcblk\d+)p\d+")
_VIRTUAL = re.compile(r"lo$|(?:veth|docker|br-|virbr|vnet|tap|cni)")
_FORGET_EVERY = 60
"""Readings after which devices are looked up again: a name may come back as another device."""


class _Hardware:
    """Remembers which devices of one class have hardware."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._has_hardware: dict[str, bool] = {}
        self._readings = 0

    def has(self, name: str) -> bool:
        has_hardware = self._has_hardware.get(name)
        if has_hardware is None:
            has_hardware = self._has_hardware[name] = os.path.exists(f"{self._directory}/{name}/device")
        return has_hardware

    def start_reading(self) -> None:
        if self._readings % _FORGET_EVERY == 0:
            self._has_hardware.clear()
        self._readings += 1


class Disks:
    """Sums diskstats over whole physical disks: no partitions, no loop, RAM, device-mapper or RAID devices."""

    def __init__(self, sys: str = "/sys") -> None:
        self._hardware = _Hardware(f"{sys}/block")

    def read(self, diskstats: bytes) -> parsers.Disk:
        """Return the totals of `/proc/diskstats`; fields are `None` when it lists no such disk."""
        rows = [fields for line in diskstats.splitlines() if len(fields := line.split()) >= 10]
        self._hardware.start_reading()
        names = [fields[2].decode("utf-8", "surrogateescape") for fields in rows]
        real = {name for name in names if self._hardware.has(name)}
        if not real:  # no sysfs: go by the names
            real = {name for name in names if not is_stacked_disk(name) and not _PARTITION.fullmatch(name)}
        real_rows = [fields for name, fields in zip(names, rows, strict=True) if name in real]
        if not real_rows:
            return parsers.Disk()
        reads, read_sectors, writes, written_sectors = (
            sum(parsers.number(fields[column]) or 0 for fields in real_rows) for column in (3, 5, 7, 9)
        )
        return parsers.Disk(read_sectors * _SECTOR_BYTES, written_sectors * _SECTOR_BYTES, reads, writes)


class Interfaces:
    """Sums net/dev over interfaces with hardware; where there are none, over all that no engine created."""

    def __init__(self, sys: str = "/sys") -> None:
        self._hardware = _Hardware(f"{sys}/class/net")

    def read(self, table: bytes) -> parsers.Network | None:
        """Return the totals of a `net/dev` table; `None` without a table."""
        rows = parsers.interfaces(table)
        if rows is None:
            return None
        self._hardware.start_reading()
        names = {name: name.decode("utf-8", "surrogateescape") for name in rows}
        real = [columns for name, columns in rows.items() if self._hardware.has(names[name])]
        if not real:
            real = [columns for name, columns in rows.items() if not _VIRTUAL.match(names[name])]
        return parsers.traffic(real)
