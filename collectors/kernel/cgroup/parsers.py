"""Parsers of the kernel's cgroup files: pure functions over the bytes of one file.

They never raise. A key, a line or a number that is not there or makes no sense is `None` (or left out of a sum),
and never zero. Names say which version of cgroups writes the file; results are in nanoseconds and bytes.

Source: kernel Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/{cpuacct,memory,blkio-controller}.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_UNLIMITED_BYTES = 1 << 62
"""v1 writes "no limit" as the largest number of whole pages below 2**63, which depends on the page size."""
_LONGEST_NUMBER = 20
"""Digits of 2**64."""


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


class Disk(NamedTuple):
    """Block I/O over all devices. Bytes and operations."""

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


def limit_bytes(text: bytes) -> int | None:
    """Parse `memory.max` or `memory.limit_in_bytes`; `None` without a limit."""
    value = number(text)
    return None if value is None or value >= _UNLIMITED_BYTES else value


def io_v2(text: bytes) -> Disk:
    """Sum v2 `io.stat` over devices, like `docker stats`.

    A device without I/O may have no line or one without numbers. An empty file is a measured zero: the
    controller is enabled and nothing was read or written.
    """
    sums = {b"rbytes": 0, b"wbytes": 0, b"rios": 0, b"wios": 0}
    for pair in text.split():
        key, _, value = pair.partition(b"=")
        if key in sums:
            sums[key] += number(value) or 0
    return Disk(sums[b"rbytes"], sums[b"wbytes"], sums[b"rios"], sums[b"wios"])


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


def sum_blkio_v1(text: bytes) -> tuple[int, int]:
    """Sum what was read and written over the devices of a v1 blkio file."""
    devices = blkio_v1(text).values()
    return sum(read for read, _ in devices), sum(written for _, written in devices)


def io_v1(service_bytes: bytes, serviced: bytes | None) -> Disk:
    """Sum v1 `blkio.throttle.io_service_bytes_recursive` and `blkio.throttle.io_serviced_recursive` over devices."""
    read_bytes, write_bytes = sum_blkio_v1(service_bytes)
    reads, writes = (None, None) if serviced is None else sum_blkio_v1(serviced)
    return Disk(read_bytes, write_bytes, reads, writes)


def stall_ns(text: bytes) -> int | None:
    """Find `some ... total=N` (microseconds) of a pressure file. `None` when pressure is switched off."""
    start = 0 if text.startswith(b"some ") else text.find(b"\nsome ") + 1
    end = text.find(b"\n", start)
    line = text[start:] if end < 0 else text[start:end]
    averages, key, total = line.rpartition(b"total=")
    return _scaled(number(total), 1000) if key and averages.startswith(b"some ") else None


def quota_v2(text: bytes) -> float | None:
    """Parse `cpu.max` (`MAX PERIOD`) into cores; `None` without a quota."""
    fields = text.split()
    return quota_v1(fields[0], fields[1]) if len(fields) == 2 else None


def quota_v1(quota: bytes, period: bytes) -> float | None:
    """Parse `cpu.cfs_quota_us` and `cpu.cfs_period_us` into cores; `None` without a quota (-1)."""
    quota_us, period_us = number(quota), number(period)
    return None if quota_us is None or not period_us else quota_us / period_us


def cpuset_count(text: bytes) -> int | None:
    """Count the CPUs of a list such as `0-3,8`; `None` for an empty or broken list."""
    count = 0
    for part in text.strip().split(b","):
        first_text, dash, last_text = part.partition(b"-")
        first = number(first_text)
        last = number(last_text) if dash else first
        if first is None or last is None or last < first:
            return None
        count += last - first + 1
    return count


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


def network(text: bytes) -> Network | None:
    """Sum `/proc/<pid>/net/dev` over all interfaces but `lo`. `None` when there is no table.

    A namespace with only the loopback is a measured zero.
    """
    rows = interfaces(text)
    return None if rows is None else traffic(columns for name, columns in rows.items() if name != b"lo")
