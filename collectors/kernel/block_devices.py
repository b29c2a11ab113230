"""Which block devices are built on which, so that a byte that passes several of them is counted once.

The rule, for a group's counters and for those of the host alike:

- A device with nothing below it is a disk, also a remote one (iSCSI, rbd, nbd). All disks count.
- Of a stack (device-mapper, RAID, bcache, NVMe multipath) count the disks or the devices above them, whichever have
  more: the kernel charges what a layer does in a thread of its own, such as the writes of dm-mirror, to nobody.
- What stays in memory does not count: RAM disks, zram, and loop devices, unless these bypass the page cache.

Source: blk_cgroup_bio_start in block/blk-cgroup.c of the kernel, which counts a request at each device that it passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from collectors.kernel.cgroup.parsers import DeviceIo
from collectors.kernel.procfs import read_bytes
from collectors.kernel.sysfs_block import Device, scan

_NOTHING = DeviceIo(0, 0, 0, 0)


class BlockDevices:
    """The block devices of this host by number, `8:0`; those without one by name."""

    def __init__(self, sys: str = "/sys", proc: str = "/proc") -> None:
        self._sys = sys
        self._proc = proc
        self._devices: dict[bytes, Device] = {}
        self._positions: dict[bytes, _Position | None] = {}
        """Device -> its position in its stack; `None`: it does not count."""
        self.refresh()

    def refresh(self) -> None:
        """Look at the devices of this host again."""
        self._devices = scan(self._sys, self._proc)
        countable = _on_disks(self._devices)
        self._positions = dict.fromkeys(self._devices)
        for stack, levels in enumerate(_stacks({key: self._devices[key].below & countable for key in countable})):
            for key in frozenset[bytes]().union(*levels):
                own_levels = (number for number, level in enumerate(levels) if key in level)
                self._positions[key] = _Position(stack, len(levels), tuple(own_levels))

    def label(self, key: bytes) -> str:
        """Return the name of a device, with the name that device-mapper gives it; else its key."""
        if (device := self._devices.get(key)) is None:
            return key.decode("ascii", "replace")
        mapped = (read_bytes(f"{self._sys}/block/{device.name}/dm/name") or b"").decode("utf-8", "replace").strip()
        return f"{device.name} ({mapped})" if mapped else device.name

    def below(self, key: bytes) -> list[str]:
        """Return the names of the devices that one is directly built on."""
        device = self._devices.get(key)
        keys = () if device is None else device.below
        return sorted(self._devices[lower].name for lower in keys if lower in self._devices)

    def key_of(self, number: bytes, name: bytes) -> bytes | None:
        """Return the key of a device that counts; `None` for other devices, and for partitions."""
        key = number if number in self._devices else name
        return key if self._positions.get(key) else None

    def total(self, counters: Mapping[bytes, DeviceIo]) -> DeviceIo:
        """Add up the counters of devices, each byte and each operation once.

        A device that this host does not have, such as one that was removed, counts as a disk.
        """
        if len(counters) == 1:
            ((key, device),) = counters.items()
            if key in self._positions:
                return device if self._positions[key] else _NOTHING
        sums = list(self.by_stack(counters).values())
        return DeviceIo(*(sums[0] if len(sums) == 1 else map(sum, zip(_NOTHING, *sums, strict=True))))

    def by_stack(self, counters: Mapping[bytes, DeviceIo]) -> dict[int | bytes, list[int]]:
        """Add up the counters of each stack of devices. A stack is known by the same key until the next refresh."""
        if not counters.keys() <= self._positions.keys():
            self._look_for(counters.keys() - self._positions.keys())
        positions = self._positions
        of_levels: dict[int | bytes, list[list[int]]] = {}
        for key, (amount_read, amount_written, reads, writes) in counters.items():
            if (position := positions[key]) is None:
                continue
            if (levels := of_levels.get(position.stack)) is None:
                levels = of_levels[position.stack] = [[0, 0, 0, 0] for _ in range(position.height)]
            for number in position.levels:
                level = levels[number]
                level[0] += amount_read
                level[1] += amount_written
                level[2] += reads
                level[3] += writes
        return {
            stack: levels[0] if len(levels) == 1 else list(map(max, *levels)) for stack, levels in of_levels.items()
        }

    def _look_for(self, keys: Set[bytes]) -> None:
        """Look for devices that appeared; until the next refresh, those that do not exist count as disks."""
        absent = self._positions.keys() - self._devices.keys()
        self.refresh()
        for key in (absent | keys) - self._devices.keys():
            self._positions[key] = _Position(key, 1, (0,))


class _Position(NamedTuple):
    """The position of a device in a stack."""

    stack: int | bytes
    height: int
    """Levels of the stack: sets of devices of which none is above another."""
    levels: tuple[int, ...]
    """The numbers of those that contain the device."""


def _on_disks(devices: Mapping[bytes, Device]) -> set[bytes]:
    """Return the disks, and the devices that have only disks below them."""
    countable = {key for key, device in devices.items() if device.is_disk and not device.below}
    waiting = devices.keys() - countable
    while reached := {key for key in waiting if devices[key].below and devices[key].below <= countable}:
        countable |= reached
        waiting -= reached
    return countable


def _stacks(below: Mapping[bytes, set[bytes]]) -> Iterator[list[frozenset[bytes]]]:
    """Yield the levels of each stack, by height and by depth. A device by itself is a stack of one level."""
    above: dict[bytes, set[bytes]] = {key: set() for key in below}
    for key, lowers in below.items():
        for lower in lowers:
            above[lower].add(key)
    heights, depths = _distances(below), _distances(above)
    waiting = set(below)
    while waiting:
        stack, reached = set[bytes](), {min(waiting)}
        while reached:
            stack |= reached
            reached = {other for key in reached for other in below[key] | above[key]} - stack
        waiting -= stack
        levels: dict[frozenset[bytes], None] = {}
        for distances in (heights, depths):
            for distance in range(max(distances[key] for key in stack) + 1):
                levels[frozenset(key for key in stack if distances[key] == distance)] = None
        yield list(levels)


def _distances(graph: Mapping[bytes, set[bytes]]) -> dict[bytes, int]:
    """Return the longest path from each device to an end of the graph; cycles, which no kernel creates, end it too."""
    distances = dict.fromkeys(graph, 0)
    for _ in range(len(graph)):
        longer = {key: 1 + max(distances[other] for other in others) for key, others in graph.items() if others}
        if all(distances[key] == distance for key, distance in longer.items()):
            break
        distances.update(longer)
    return distances
