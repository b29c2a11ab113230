"""The source of the host itself: its CPU time, memory, disks, network, pressure and a few facts, from procfs."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.parsers import NS_PER_TICK
from collectors.kernel.devices import Disks, Interfaces
from collectors.kernel.hugepages import read_pools
from collectors.kernel.machine.zfs_cache import returnable_bytes
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceReading

_KIB = 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FREE_ON_CPU = re.compile(rb"^ +count: +(\d+)$", re.MULTILINE)
"""Free pages on one CPU's list of one zone, in /proc/zoneinfo."""
_AVAILABLE = b"MemAvailable"
_CPU_LINE = re.compile(rb"^cpu\d+ ", re.MULTILINE)


class HostSource:
    """Reads the host. Its sample is under the host's own id."""

    name = "host"
    interval_s = 0.0
    holds_tick = True
    is_authority = True
    replace_after_s: float | None = None
    is_near = True

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        """Take the paths of procfs and sysfs: `/host/proc` in a container, a captured tree in a test."""
        self._proc = proc
        self._sys = sys
        self._disks = Disks(sys, proc)
        self._interfaces = Interfaces(proc)
        self._hostname = ""
        self._kernel = ""
        self._epoch = ""

    def open(self, wake: Callable[[], None]) -> None:
        """Read what stays the same until the next boot.

        Raises:
            SourceAbsent: There is no procfs.
        """
        if read_bytes(f"{self._proc}/stat") is None:
            raise SourceAbsent(f"no process file system at {self._proc}", "mount procfs, or name where it is")
        self._hostname = sanitize(self._text("sys/kernel/hostname") or platform.node()) or "host"
        self._kernel = sanitize(self._text("sys/kernel/osrelease") or platform.release())
        self._epoch = self._text("sys/kernel/random/boot_id")

    def read(self) -> SourceReading:
        """Read the host once.

        Raises:
            SourceDown: procfs is no longer there.
        """
        stat = read_bytes(f"{self._proc}/stat")
        if stat is None:
            raise SourceDown(f"{self._proc}/stat cannot be read")
        at_ns = time.monotonic_ns()
        memory = self._memory()
        identity = WorkloadId("host", self._hostname)
        began = parsers.find_value(stat, b"btime")
        host = Workload(
            id=identity,
            kind=Kind.HOST,
            name=self._hostname,
            state=State.RUNNING,
            started_at=None if began is None else float(began),
        )
        return SourceReading(
            workloads={},
            samples={identity: (self._sample(stat, at_ns, memory),)},
            host=host,
            cpus=len(_CPU_LINE.findall(stat)) or os.cpu_count() or 1,
            memory_bytes=memory.get(b"MemTotal", 0),
            facts=self._facts(memory),
        )

    def close(self) -> None:
        """Nothing to release."""

    def _sample(self, stat: bytes, at_ns: int, memory: dict[bytes, int]) -> Sample:
        user_ns, system_ns = _cpu_times(stat)
        disk = self._disks.read(read_bytes(f"{self._proc}/diskstats") or b"")
        # Process 1 sees the host's network even if vmtop has its own namespace.
        table = read_bytes(f"{self._proc}/1/net/dev") or read_bytes(f"{self._proc}/net/dev") or b""
        network = self._interfaces.read(table)
        load = self._text("loadavg").split()
        memory_pressure, io_pressure = self._pressure("memory"), self._pressure("io")
        return Sample(
            source="host",
            epoch=self._epoch,
            cpu_total_ns=None if user_ns is None or system_ns is None else user_ns + system_ns,
            cpu_user_total_ns=user_ns,
            cpu_system_total_ns=system_ns,
            cpu_stall_total_ns=parsers.stall_ns(self._pressure("cpu"), b"some"),
            memory_stall_total_ns=parsers.stall_ns(memory_pressure, b"some"),
            memory_stall_full_total_ns=parsers.stall_ns(memory_pressure, b"full"),
            io_stall_total_ns=parsers.stall_ns(io_pressure, b"some"),
            io_stall_full_total_ns=parsers.stall_ns(io_pressure, b"full"),
            memory_charged_bytes=self._taken(memory),
            memory_inactive_file_bytes=memory.get(b"Inactive(file)"),
            memory_unreclaimable_bytes=_difference(memory, b"MemTotal", _AVAILABLE),
            memory_available_bytes=memory.get(_AVAILABLE),
            memory_swap_bytes=_difference(memory, b"SwapTotal", b"SwapFree"),
            memory_zswap_bytes=memory.get(b"Zswap"),
            memory_shmem_bytes=memory.get(b"Shmem"),
            disk_read_total_bytes=disk.read_bytes,
            disk_write_total_bytes=disk.write_bytes,
            disk_reads_total=disk.reads,
            disk_writes_total=disk.writes,
            net_rx_total_bytes=network.rx_bytes if network else None,
            net_tx_total_bytes=network.tx_bytes if network else None,
            net_rx_packets_total=network.rx_packets if network else None,
            net_tx_packets_total=network.tx_packets if network else None,
            net_drops_total=network.drops if network else None,
            load_1m=_float(load[0]) if load else None,
            at_ns=at_ns,
        )

    def _memory(self) -> dict[bytes, int]:
        """Read meminfo, in bytes; what ZFS would give back counts as available, as all other cache does."""
        amounts: dict[bytes, int] = {}
        for line in (read_bytes(f"{self._proc}/meminfo") or b"").splitlines():
            key, _, value = line.partition(b":")
            fields = value.split()
            if len(fields) == 2 and fields[0].isdigit():
                amounts[key] = int(fields[0]) * _KIB  # kB in this file; see fs/proc/meminfo.c
        if _AVAILABLE in amounts:
            amounts[_AVAILABLE] += returnable_bytes(self._proc)
        return amounts

    def _taken(self, memory: dict[bytes, int]) -> int | None:
        """Return what is not free, in bytes.

        MemFree leaves out the free pages that CPUs keep on lists of their own, hundreds of MiB after a large process
        has ended: counted as taken, they would seem to be used by nobody for seconds.
        """
        taken = _difference(memory, b"MemTotal", b"MemFree")
        on_cpus = sum(map(int, _FREE_ON_CPU.findall(read_bytes(f"{self._proc}/zoneinfo") or b"")))
        return None if taken is None else max(0, taken - on_cpus * _PAGE)

    def _facts(self, memory: dict[bytes, int]) -> dict[str, str]:
        swap_used = _difference(memory, b"SwapTotal", b"SwapFree")
        pools = read_pools(self._sys) if memory.get(b"Hugetlb", 1) else []  # the pools of all sizes, since Linux 4.19
        facts = {
            "hostname": self._hostname,
            "kernel": self._kernel,
            "uptime_s": self._text("uptime").partition(" ")[0].partition(".")[0],
            "load": " ".join(self._text("loadavg").split()[:3]),
            "swap_total": _amount(memory.get(b"SwapTotal")),
            "swap_used": _amount(swap_used),
            "memory_available": _amount(memory.get(_AVAILABLE)),
            "hugepages_total": _amount(sum(pool.size_bytes * pool.pages for pool in pools) or None),
            "hugepages_unused": _amount(sum(pool.size_bytes * pool.unused for pool in pools) if pools else None),
        }
        return {key: sanitize(value) for key, value in facts.items() if value}

    def _pressure(self, resource: str) -> bytes:
        return read_bytes(f"{self._proc}/pressure/{resource}") or b""

    def _text(self, path: str) -> str:
        return (read_bytes(f"{self._proc}/{path}") or b"").decode("utf-8", "replace").strip()


def _cpu_times(stat: bytes) -> tuple[int | None, int | None]:
    """Return user and system time of all CPUs in nanoseconds.

    `user` and `nice` already include the time of guests. Waiting for I/O and steal do not use a CPU.
    """
    fields = stat.partition(b"\n")[0].split()
    if len(fields) < 8 or fields[0] != b"cpu" or not all(field.isdigit() for field in fields[1:8]):
        return None, None
    user, nice, system, _idle, _iowait, irq, softirq = (int(field) for field in fields[1:8])
    return (user + nice) * NS_PER_TICK, (system + irq + softirq) * NS_PER_TICK


def _difference(amounts: dict[bytes, int], total_key: bytes, part_key: bytes) -> int | None:
    return amounts[total_key] - amounts[part_key] if total_key in amounts and part_key in amounts else None


def _amount(value: int | None) -> str:
    return "" if value is None else str(value)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
