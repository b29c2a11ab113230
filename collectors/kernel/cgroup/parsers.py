"""Parsers of the kernel's cgroup files: pure functions over the bytes of one file.

They never raise. A key, a line or a number that is not there or makes no sense is `None` (or left out of a sum),
and never zero. Names say which version of cgroups writes the file; results are in nanoseconds and bytes.

Source: kernel Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/{cpuacct,memory,blkio-controller}.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_UNLIMITED_BYTES = 1 << 62
"""v1 writes "no limit" as the largest number of whole pages below 2**63, which depends on the page size."""
_MOST_CPUS = 1 << 16
"""More than CONFIG_NR_CPUS of any architecture."""
_LONGEST_NUMBER = 20
"""Digits of 2**64."""
_IO_STAT = {b"rbytes": 0, b"wbytes": 1, b"rios": 2, b"wios": 3}


class Cpu(NamedTuple):
    """CPU time of a group and all below it, in nanoseconds."""

    total_ns: int | None = None
    user_ns: int | None = None
    system_ns: int | None = None


class Throttling(NamedTuple):
    """What a group's own CPU quota did to it. All `None` without a quota."""

    periods: int | None = None
    throttled_periods: int | None = None
    throttled_ns: int | None = None


class DeviceIo(NamedTuple):
    """Block I/O of one device. Bytes, and operations as they were before the kernel merged neighbours."""

    read_bytes: int
    write_bytes: int
    reads: int
    writes: int


class Disk(NamedTuple):
    """Block I/O over all disks. Bytes, and operations as they were before the kernel merged neighbours."""

    read_bytes: int | None = None
    write_bytes: int | None = None
    reads: int | None = None
    writes: int | None = None


class Network(NamedTuple):
    """Traffic of one network namespace, as seen from inside, without the loopback."""

    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    drops: int


def number(text: bytes) -> int | None:
    """Parse a non-negative whole number; `None` for anything else, such as `max`."""
    text = text.strip()
    return int(text) if text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def find_value(text: bytes, key: bytes) -> int | None:
    """Find the number of one `key value` line. Ten times as fast as making a dict of memory.stat."""
    if text.startswith(key + b" "):
        start = len(key) + 1
    else:
        line_end = text.find(b"\n" + key + b" ")
        if line_end < 0:
            return None
        start = line_end + len(key) + 2
    end = text.find(b"\n", start)
    return number(text[start:] if end < 0 else text[start:end])


def _scaled(value: int | None, factor: int) -> int | None:
    return None if value is None else value * factor


def cpu_v2(text: bytes) -> Cpu:
    """Parse v2 `cpu.stat` (microseconds)."""
    return Cpu(
        _scaled(find_value(text, b"usage_usec"), 1000),
        _scaled(find_value(text, b"user_usec"), 1000),
        _scaled(find_value(text, b"system_usec"), 1000),
    )


def cpu_v1(usage: bytes, stat: bytes) -> Cpu:
    """Parse v1 `cpuacct.usage` (nanoseconds) and `cpuacct.stat` (clock ticks)."""
    return Cpu(
        number(usage),
        _scaled(find_value(stat, b"user"), NS_PER_TICK),
        _scaled(find_value(stat, b"system"), NS_PER_TICK),
    )


def throttling(text: bytes) -> Throttling:
    """Parse the quota lines of `cpu.stat`: microseconds on v2 (`throttled_usec`), nanoseconds on v1."""
    periods = find_value(text, b"nr_periods")
    if not periods:
        return Throttling()  # no quota was ever in force: "not throttled" would claim to have measured it
    throttled_ns = _scaled(find_value(text, b"throttled_usec"), 1000)
    if throttled_ns is None:
        throttled_ns = find_value(text, b"throttled_time")
    return Throttling(periods, find_value(text, b"nr_throttled"), throttled_ns)


def inactive_file(text: bytes) -> int | None:
    """Find the inactive page cache of a group and all below it, in v1 or v2 `memory.stat`, in bytes."""
    total = find_value(text, b"total_inactive_file")
    return find_value(text, b"inactive_file") if total is None else total


def shared_memory(text: bytes) -> int | None:
    """Find the shared memory and tmpfs of a group and all below it, in v1 or v2 `memory.stat`, in bytes."""
    total = find_value(text, b"total_shmem")
    return find_value(text, b"shmem") if total is None else total


def unreclaimable(stat: bytes, charged: int | None, inactive: int | None) -> int | None:
    """Return what dropping caches would leave of a group and all below it, in bytes.

    On v2 that is what is charged without the page cache of files and the reclaimable slab, which caches names and
    inodes. v1 does not tell how much of the kernel's memory is a cache, so none of it counts there.

    Args:
        stat: Its `memory.stat`.
        charged: Its `memory.current`; not used on v1.
        inactive: Its inactive page cache, as `inactive_file` finds it.

    Source: kernel Documentation/admin-guide/cgroup-v2.rst, "memory.stat"; cgroup-v1/memory.rst, 5.2.
    """
    anonymous = find_value(stat, b"total_rss")
    if anonymous is None:
        active, other = find_value(stat, b"active_file"), find_value(stat, b"slab_reclaimable")
    else:
        active, other, charged = find_value(stat, b"total_active_file"), 0, find_value(stat, b"total_cache")
    if charged is None or inactive is None or active is None or other is None:
        return None
    return max(0, charged + (anonymous or 0) - inactive - active - other)


def limit_bytes(text: bytes) -> int | None:
    """Parse `memory.max` or `memory.limit_in_bytes`; `None` without a limit."""
    value = number(text)
    return None if value is None or value >= _UNLIMITED_BYTES else value


def io_v2(text: bytes) -> dict[bytes, DeviceIo]:
    """Parse v2 `io.stat`, by device.

    A device without I/O may have no line, or one without numbers, which is left out. Several devices have the same
    name if none has a number: `(unknown)`.
    """
    devices: dict[bytes, DeviceIo] = {}
    for line in text.splitlines():
        words = line.split()
        sums = [0, 0, 0, 0]
        for word in words[1:]:
            key, _, value = word.partition(b"=")
            if (place := _IO_STAT.get(key)) is not None:
                sums[place] = number(value) or 0
        if len(words) > 1:
            same = devices.get(words[0])
            devices[words[0]] = DeviceIo(*sums) if same is None else DeviceIo(*map(sum, zip(same, sums, strict=True)))
    return devices


def blkio_v1(text: bytes) -> dict[bytes, tuple[int, int]]:
    """Find the `MAJ:MIN Read n` and `MAJ:MIN Write n` of each device in a v1 blkio file; other lines are left out."""
    devices: dict[bytes, tuple[int, int]] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in (b"Read", b"Write"):
            device, operation, value = fields[0], fields[1], number(fields[2]) or 0
            read, written = devices.get(device, (0, 0))
            devices[device] = (value, written) if operation == b"Read" else (read, value)
    return devices


def io_v1(service_bytes: bytes, serviced: bytes | None) -> dict[bytes, DeviceIo]:
    """Parse v1 `blkio.throttle.io_service_bytes_recursive` and `blkio.throttle.io_serviced_recursive`, by device."""
    amounts, operations = blkio_v1(service_bytes), blkio_v1(serviced or b"")
    none = (0, 0)
    return {
        device: DeviceIo(*amounts.get(device, none), *operations.get(device, none))
        for device in {**amounts, **operations}
    }


def stall_ns(text: bytes, share: bytes) -> int | None:
    """Find `total=N` (microseconds) in a line of a pressure file.

    Args:
        text: The file; empty where pressure is switched off.
        share: Whose time: `some` task's at least, or, as `full`, that of all at once.
    """
    start = 0 if text.startswith(share) else text.find(b"\n" + share) + 1
    end = text.find(b"\n", start)
    line = text[start:] if end < 0 else text[start:end]
    averages, key, total = line.rpartition(b"total=")
    return _scaled(number(total), 1000) if key and averages.startswith(share + b" ") else None


def quota_v2(text: bytes) -> float | None:
    """Parse `cpu.max` (`MAX PERIOD`) into cores; `None` without a quota."""
    fields = text.split()
    return quota_v1(fields[0], fields[1]) if len(fields) == 2 else None


def quota_v1(quota: bytes, period: bytes) -> float | None:
    """Parse `cpu.cfs_quota_us` and `cpu.cfs_period_us` into cores; `None` without a quota (-1)."""
    quota_us, period_us = number(quota), number(period)
    return None if quota_us is None or not period_us else quota_us / period_us


@lru_cache(maxsize=64)
def cpu_list(text: bytes) -> frozenset[int] | None:
    """Parse a list of CPUs such as `0-3,8`; `None` for an empty or broken one. Source: cpuset(7), "List format"."""
    cpus: set[int] = set()
    for part in text.strip().split(b","):
        first_text, dash, last_text = part.partition(b"-")
        first = number(first_text)
        last = number(last_text) if dash else first
        if first is None or last is None or not first <= last < _MOST_CPUS:
            return None
        cpus.update(range(first, last + 1))
    return frozenset(cpus)


def hugetlb_bytes(status: bytes) -> int | None:
    """Find the hugepages that a process has mapped, in `/proc/<pid>/status` (proc_pid_status(5)), in bytes."""
    words = status.partition(b"\nHugetlbPages:")[2].split(None, 2)
    return _scaled(number(words[0]), 1024) if words[1:] and words[1] == b"kB" else None


def oom_kills(text: bytes) -> int | None:
    """Find `oom_kill` in v2 `memory.events` or v1 `memory.oom_control`."""
    return find_value(text, b"oom_kill")


def interfaces(text: bytes) -> dict[bytes, list[bytes]] | None:
    """Split a `net/dev` table into the columns of each interface; `None` when there is no table."""
    lines = text.splitlines()
    if len(lines) < 2:  # two lines of headings
        return None
    rows: dict[bytes, list[bytes]] = {}
    for line in lines[2:]:
        name, colon, counters = line.rpartition(b":")
        columns = counters.split()
        if colon and len(columns) >= 12:
            rows[name.strip()] = columns
    return rows


def traffic(rows: Iterable[list[bytes]]) -> Network:
    """Sum the columns of interfaces: bytes, packets, and what was dropped in either direction."""
    sums = [0, 0, 0, 0, 0]
    for columns in rows:
        for total, column in ((0, 0), (1, 8), (2, 1), (3, 9), (4, 3), (4, 11)):
            sums[total] += number(columns[column]) or 0
    return Network(*sums)
