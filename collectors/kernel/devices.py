"""Which disks and network interfaces of a host count: those with hardware behind them, each byte once."""

from __future__ import annotations

import os
import re

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup import parsers

_SECTOR_BYTES = 512
"""The unit of diskstats, whatever the disk's own; see Documentation/admin-guide/iostats.rst."""
_VIRTUAL = re.compile(r"lo$|(?:veth|docker|br-|virbr|vnet|tap|cni)")
_FORGET_EVERY = 60
"""Readings after which devices are looked up again: a name may come back as another thing."""


class _Hardware:
    """Remembers which devices of one class have hardware behind them."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._known: dict[str, bool] = {}
        self._readings = 0

    def has(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = os.path.exists(f"{self._directory}/{name}/device")
        return known

    def start_reading(self) -> None:
        if self._readings % _FORGET_EVERY == 0:
            self._known.clear()
        self._readings += 1


class Disks:
    """Sums diskstats over the disks of the host, as `BlockDevices` counts them."""

    def __init__(self, sys: str = "/sys", proc: str = "/proc") -> None:
        self._devices = BlockDevices(sys, proc)
        self._names: list[bytes] = []
        self._readings = 0

    def read(self, diskstats: bytes) -> parsers.Disk:
        """Return the totals of `/proc/diskstats`; fields are `None` when it lists no disk."""
        rows = [words for line in diskstats.splitlines() if len(words := line.split()) >= 10]
        names = [words[2] for words in rows]
        self._readings += 1
        if names != self._names or self._readings % _FORGET_EVERY == 0:
            self._devices.refresh()
            self._names = names
        keys = [self._devices.key_of(b"%b:%b" % (words[0], words[1]), words[2]) for words in rows]
        counted = {key: _device_io(words) for key, words in zip(keys, rows, strict=True) if key is not None}
        return parsers.Disk(*self._devices.total(counted)) if counted else parsers.Disk()


def _device_io(words: list[bytes]) -> parsers.DeviceIo:
    """Return the counters of a line; see Documentation/admin-guide/iostats.rst."""
    reads, merged_reads, read_sectors, _, writes, merged_writes, written_sectors = (
        parsers.number(word) or 0 for word in words[3:10]
    )
    return parsers.DeviceIo(
        read_sectors * _SECTOR_BYTES, written_sectors * _SECTOR_BYTES, reads + merged_reads, writes + merged_writes
    )


class Interfaces:
    """Sums net/dev over interfaces with hardware; where there are none, over all that no engine made."""

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
