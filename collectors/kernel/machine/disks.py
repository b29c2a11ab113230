"""The block devices and file systems of the host. Which devices count is decided in `kernel/block_devices.py`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from collectors.analysis.counter_rates import Rates
from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup.hierarchy import decode_path
from collectors.kernel.cgroup.parsers import number
from collectors.kernel.procfs import read_bytes
from collectors.model.machine import DiskRow, FileSystem
from collectors.safety.sanitize import sanitize

_SECTOR_BYTES = 512
_POOLS = frozenset({"zfs", "btrfs", "bcachefs"})
"""File systems with a device number of their own, and possibly many devices."""
_IMAGES = frozenset({"squashfs", "iso9660", "erofs", "udf"})
"""Read only and always full."""


class Space(NamedTuple):
    """What statvfs says of a file system, in bytes."""

    size: int
    free: int
    available: int


def space_of(path: str) -> Space:
    """Return the space of the file system at a path. May hang with the device.

    Raises:
        OSError: It cannot be asked.
    """
    answer = os.statvfs(path)
    return Space(answer.f_blocks * answer.f_frsize, answer.f_bfree * answer.f_frsize, answer.f_bavail * answer.f_frsize)


def read_file_systems(proc: str, space: Callable[[str], Space] = space_of) -> dict[str, FileSystem]:
    """Return the file systems on block devices and in pools, by device number; each once, at its shortest path.

    Network file systems are left out: asking one hangs while its server is away.
    """
    found: dict[str, FileSystem] = {}
    text = (read_bytes(f"{proc}/1/mountinfo") or read_bytes(f"{proc}/self/mountinfo") or b"").decode("utf-8", "replace")
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        mount, described = before.split(), after.split()
        if len(mount) < 5 or len(described) < 2:
            continue
        device, path, kind, source = mount[2], decode_path(mount[4]), described[0], decode_path(described[1])
        if kind in _IMAGES or not (source.startswith("/dev/") or kind in _POOLS):
            continue
        key = source if kind in _POOLS else device
        if key not in found or len(path) < len(found[key].mount):
            found[key] = FileSystem(path, source, sanitize(kind), None, None, None)
    return {key: _filled(system, space) for key, system in found.items()}


def _filled(system: FileSystem, space: Callable[[str], Space]) -> FileSystem:
    shown = system._replace(mount=sanitize(system.mount), device=sanitize(system.device))
    try:
        answer = space(system.mount)
    except OSError as error:
        return shown._replace(why=sanitize(error.strerror or str(error)))
    if answer.size <= 0:
        return shown._replace(why="it reports no size")
    return shown._replace(
        size_bytes=answer.size, used_bytes=answer.size - answer.free, available_bytes=answer.available
    )


class DiskReader:
    """Reads the devices repeatedly; rates are known from the second reading on.

    Args:
        proc: Where procfs is mounted.
        sys: Where sysfs is mounted.
    """

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._proc, self._sys = proc, sys
        self._devices = BlockDevices(sys, proc)
        self._rates = Rates()

    def read(self, at: float, systems: dict[str, FileSystem]) -> tuple[DiskRow, ...]:
        """Return the disks, then the devices built on them; RAM disks and loop devices are left out.

        Args:
            at: Now, in monotonic seconds.
            systems: The mounted file systems, by device number.
        """
        self._devices.refresh()
        used = self._used(systems)
        rows = []
        for line in (read_bytes(f"{self._proc}/diskstats") or b"").splitlines():
            fields = line.split()
            if len(fields) < 14:
                continue
            key = self._devices.key_of(b"%b:%b" % (fields[0], fields[1]), fields[2])
            if key is not None:
                rows.append(self._row(key, fields, at, used))
        return tuple(sorted(rows, key=lambda row: (row.on != "", row.name)))

    def _row(self, key: bytes, fields: list[bytes], at: float, used: dict[str, list[int]]) -> DiskRow:
        name = fields[2].decode("utf-8", "surrogateescape")
        counters = [float(number(word) or 0) for word in fields[3:14]]
        reads, _, read_sectors, read_ms, writes, _, write_sectors, write_ms, _, busy_ms, _ = counters
        per_second = self._rates.per_second
        requests = per_second(f"{name} n", reads + writes, at)
        waited_ms = per_second(f"{name} w", read_ms + write_ms, at)
        busy = per_second(f"{name} b", busy_ms, at)
        sectors = number(read_bytes(f"{self._sys}/block/{name}/size") or b"")
        sums = used.get(name)
        return DiskRow(
            name=sanitize(self._devices.label(key)),
            on=sanitize(", ".join(self._devices.below(key))),
            size_bytes=sectors * _SECTOR_BYTES if sectors else None,
            used_percent=sums[0] / sums[1] * 100 if sums and sums[1] else None,
            read_bps=_scaled(per_second(f"{name} r", read_sectors, at), _SECTOR_BYTES),
            write_bps=_scaled(per_second(f"{name} s", write_sectors, at), _SECTOR_BYTES),
            iops=requests,
            busy_percent=None if busy is None else min(100.0, busy / 10),
            await_ms=waited_ms / requests if waited_ms is not None and requests else None,
        )

    def _used(self, systems: dict[str, FileSystem]) -> dict[str, list[int]]:
        """Add up used and usable space by whole device; what is reserved for root is not usable, as in df."""
        sums: dict[str, list[int]] = {}
        for key, system in systems.items():
            if system.available_bytes is None or system.used_bytes is None:
                continue
            directory = os.path.realpath(f"{self._sys}/dev/block/{key}")
            if ":" not in key or not os.path.isdir(directory):
                directory = os.path.realpath(f"{self._sys}/class/block/{os.path.basename(system.device)}")
            if os.path.exists(f"{directory}/partition"):
                directory = os.path.dirname(directory)
            whole = sums.setdefault(os.path.basename(directory), [0, 0])
            whole[0] += system.used_bytes
            whole[1] += system.used_bytes + system.available_bytes
        return sums


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
