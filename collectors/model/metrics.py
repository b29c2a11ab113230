"""METRICS, the one table of what vmtop can show: it feeds columns, sorting, filters, export, help and the docs.

A metric is derived from a `Reading` (see `rates`): the workload's newest samples, each with the one before it.
100 % CPU is one host core, everywhere. Memory is measured with one ruler for every kind: what the kernel charges,
less the page cache that it would drop first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Unit(StrEnum):
    """The unit of a metric's value, from which its text is made."""

    PERCENT = "percent"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    PER_SECOND = "1/s"
    COUNT = "count"
    CORES = "cores"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


class Readable(Protocol):
    """What a metric may ask of a reading."""

    def gauge(self, name: str) -> float | None: ...
    def lowest(self, name: str) -> float | None: ...
    def rate(self, name: str) -> float | None: ...
    def rate_beside(self, name: str, beside: str) -> float | None: ...
    def ratio(self, part: str, whole: str) -> float | None: ...
    def value(self, key: str) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    key: str
    """Name in JSON and export; ends with its unit."""
    alias: str
    """Short name in filters and `--sort`."""
    label: str
    """Column header."""
    unit: Unit
    help: str
    formula: str
    derive: Callable[[Readable], float | None]
    fields: tuple[str, ...]
    """Sample fields it is made of; they tell where a value came from."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Source name -> the files or calls that supply it."""
    missing: str = "no source supplies it for this workload"
    """Why a cell may be empty."""


def _rate(name: str, scale: float = 1e9) -> Callable[[Readable], float | None]:
    """Make a derivation: growth per nanosecond, times the scale (1e9 = per second)."""

    def derive(reading: Readable) -> float | None:
        rate = reading.rate(name)
        return None if rate is None else rate * scale

    return derive


def _gauge(name: str) -> Callable[[Readable], float | None]:
    return lambda reading: reading.gauge(name)


def _of_limit(value_key: str, limit_key: str, scale: float) -> Callable[[Readable], float | None]:
    def derive(reading: Readable) -> float | None:
        value, limit = reading.value(value_key), reading.value(limit_key)
        return None if value is None or not limit else value / limit * scale

    return derive


def _throttled(reading: Readable) -> float | None:
    share = reading.ratio("cpu_throttled_periods_total", "cpu_periods_total")
    return None if share is None else share * 100


def _memory_host(reading: Readable) -> float | None:
    """Docker's formula (docker/cli stats_helpers.go, calculateMemUsageUnixNoCache), for every kind."""
    charged = reading.gauge("memory_charged_bytes")
    if charged is None:
        return reading.gauge("memory_rss_bytes")
    inactive = reading.gauge("memory_inactive_file_bytes") or 0
    return charged - inactive if inactive < charged else charged


def _memory_inside(reading: Readable) -> float | None:
    """In a domain: MemTotal less MemAvailable of the guest. In a container: what the host pays."""
    available, usable = reading.gauge("memory_available_bytes"), reading.gauge("memory_usable_bytes")
    if available is not None and usable is not None:
        return max(0.0, available - usable)
    return None if reading.gauge("vcpus") is not None else reading.value("memory_host_bytes")


def _vcpu_percent(reading: Readable) -> float | None:
    rate, vcpus = reading.rate("vcpu_total_ns"), reading.gauge("vcpus")
    return None if rate is None or not vcpus else rate / vcpus * 100


def _steal_percent(reading: Readable) -> float | None:
    rate, vcpus = reading.rate("steal_total_ns"), reading.gauge("vcpus")
    return None if rate is None or not vcpus else rate / vcpus * 100


def _emulator_percent(reading: Readable) -> float | None:
    """Both from libvirt's own record: the cgroup's CPU time is read at other instants."""
    total, vcpu = reading.rate_beside("cpu_total_ns", "vcpu_total_ns"), reading.rate("vcpu_total_ns")
    return None if total is None or vcpu is None else max(0.0, (total - vcpu) * 100)


def _latency(times: str, count: str) -> Callable[[Readable], float | None]:
    def derive(reading: Readable) -> float | None:
        mean_ns = reading.ratio(times, count)
        return None if mean_ns is None else mean_ns / 1e6

    return derive


_DISK = {
    "cgroup": "io.stat of the cgroup, all devices (v1: blkio.throttle.io_service_bytes_recursive)",
    "process-io": "approximate: /proc/<pid>/io of its processes, because this kernel's v1 blkio does not count",
    "docker-stats": "Docker stats: blkio_stats.io_service_bytes_recursive",
    "host": "/proc/diskstats, whole disks",
}
_GUEST_DISK = {"libvirt": "domain stats block.N.*, backing files left out"}
_NET = {
    "cgroup": "/proc/<pid>/net/dev of its first process, all interfaces but lo",
    "libvirt": "domain stats net.N.*, as the domain sees it",
    "docker-stats": "Docker stats: networks.*",
    "host": "/proc/net/dev, interfaces with hardware behind them",
}
_PSI = {
    "cgroup": "cpu.pressure, some total",
    "cgroup-slow": "{memory,io}.pressure, some total",
    "host": "/proc/pressure",
}
_LIMIT = {
    "cgroup-slow": "memory.max of it and its ancestors",
    "libvirt": "balloon.current",
    "docker": "HostConfig.Memory",
}
_NO_PSI = "the kernel gives no pressure (PSI) for this workload's cgroup"
_NO_NET = "it shares the host's network, or its processes' network namespace cannot be read"
_VM_ONLY = "only libvirt can tell, and only for a virtual machine"
_NO_DISK = "the io controller is not enabled for its cgroup (on cgroup v1: /proc/<pid>/io, which needs root)"

# fmt: off
_TABLE = (
    Metric(
        "cpu_percent", "cpu", "CPU%", Unit.PERCENT, "CPU time used; 100 is one host core.",
        "growth of CPU time / elapsed time x 100", _rate("cpu_total_ns", 100), ("cpu_total_ns",),
        {
            "cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)",
            "libvirt": "domain stats cpu.time",
            "docker-stats": "Docker stats: cpu_usage.total_usage",
            "host": "/proc/stat: user, nice, system, irq, softirq",
        },
        "its cgroup has no CPU accounting, or this is its first sample",
    ),
    Metric(
        "cpu_wait_percent", "wait", "WAIT%", Unit.PERCENT, "Share of time in which some of its tasks waited for a CPU.",
        "growth of cpu.pressure some total / elapsed time x 100", _rate("cpu_stall_total_ns", 100),
        ("cpu_stall_total_ns",), _PSI, _NO_PSI,
    ),
    Metric(
        "memory_host_bytes", "mem", "MEM", Unit.BYTES, "What the host pays: charged memory less inactive page cache.",
        "charged - inactive_file (Docker's and the kubelet's working set)", _memory_host,
        ("memory_charged_bytes", "memory_rss_bytes"),
        {
            "cgroup": "memory.current - memory.stat inactive_file (v1: usage_in_bytes - total_inactive_file)",
            "libvirt": "resident size of the QEMU process (balloon.rss)",
            "docker-stats": "Docker stats: usage - inactive_file",
            "host": "/proc/meminfo: MemTotal - MemFree - Inactive(file)",
        },
        "the memory controller is not enabled for its cgroup",
    ),
    Metric(
        "memory_of_limit_percent", "limit", "%LIM", Unit.PERCENT, "Memory the host pays, as a share of its limit.",
        "memory_host_bytes / memory_limit_bytes x 100", _of_limit("memory_host_bytes", "memory_limit_bytes", 100),
        ("memory_limit_bytes",), _LIMIT, "it has no memory limit of its own",
    ),
    Metric(
        "disk_read_bytes_per_second", "read", "DISK R", Unit.BYTES_PER_SECOND, "Read from this host's disks.",
        "growth / elapsed time", _rate("disk_read_total_bytes"), ("disk_read_total_bytes",), _DISK, _NO_DISK,
    ),
    Metric(
        "disk_write_bytes_per_second", "write", "DISK W", Unit.BYTES_PER_SECOND, "Written to this host's disks.",
        "growth / elapsed time", _rate("disk_write_total_bytes"), ("disk_write_total_bytes",), _DISK, _NO_DISK,
    ),
    Metric(
        "net_rx_bytes_per_second", "rx", "NET RX", Unit.BYTES_PER_SECOND, "Received by the workload.",
        "growth / elapsed time", _rate("net_rx_total_bytes"), ("net_rx_total_bytes",), _NET, _NO_NET,
    ),
    Metric(
        "net_tx_bytes_per_second", "tx", "NET TX", Unit.BYTES_PER_SECOND, "Sent by the workload.",
        "growth / elapsed time", _rate("net_tx_total_bytes"), ("net_tx_total_bytes",), _NET, _NO_NET,
    ),
    Metric(
        "memory_inside_bytes", "inside", "INSIDE", Unit.BYTES, "What the programs inside use.",
        "guest's MemTotal - MemAvailable; for a container the same as MEM", _memory_inside,
        ("memory_available_bytes", "memory_charged_bytes"),
        {"libvirt": "balloon.available - balloon.usable, by the guest's balloon driver", "cgroup": "as MEM"},
        "the guest's balloon driver does not report (needs <memballoon><stats period=.../>)",
    ),
    Metric(
        "memory_limit_bytes", "memlimit", "LIMIT", Unit.BYTES, "The lowest limit that holds for its memory.",
        "min(own limit, ancestors' limits, balloon target)", lambda r: r.lowest("memory_limit_bytes"),
        ("memory_limit_bytes",), _LIMIT,
        "it has no memory limit",
    ),
    Metric(
        "memory_charged_bytes", "charged", "CHARGED", Unit.BYTES, "All memory charged to it, page cache included.",
        "memory.current", _gauge("memory_charged_bytes"), ("memory_charged_bytes",), {"cgroup": "memory.current"},
    ),
    Metric(
        "memory_swap_bytes", "swap", "SWAP", Unit.BYTES, "Memory in swap.", "memory.swap.current",
        _gauge("memory_swap_bytes"), ("memory_swap_bytes",), {"cgroup-slow": "memory.swap.current"},
    ),
    Metric(
        "memory_peak_bytes", "peak", "PEAK", Unit.BYTES, "Most memory ever charged.", "memory.peak",
        _gauge("memory_peak_bytes"), ("memory_peak_bytes",), {"cgroup-slow": "memory.peak (Linux 5.19 and newer)"},
    ),
    Metric(
        "memory_report_age_seconds", "age", "AGE", Unit.SECONDS, "Age of the guest's own memory report.",
        "time of reading - balloon.last-update", _gauge("memory_report_age_s"), ("memory_report_age_s",),
        {"libvirt": "balloon.last-update"}, _VM_ONLY,
    ),
    Metric(
        "oom_kills", "oom", "OOM", Unit.COUNT, "Processes killed for lack of memory, since it was made.", "oom_kill",
        _gauge("oom_kills_total"), ("oom_kills_total",), {"cgroup-slow": "memory.events oom_kill"},
    ),
    Metric(
        "cpu_limit_cores", "cores", "CPUS", Unit.CORES, "Cores it may use at most.",
        "min(quota of it and its ancestors, cpuset, vCPUs, online CPUs)", lambda r: r.lowest("cpu_limit_cores"),
        ("cpu_limit_cores",), {"cgroup-slow": "cpu.max, cpuset.cpus.effective", "libvirt": "vcpu.current"},
    ),
    Metric(
        "cpu_of_limit_percent", "cpulimit", "CPU/L", Unit.PERCENT, "CPU used, as a share of what it may use.",
        "cpu_percent / cpu_limit_cores", _of_limit("cpu_percent", "cpu_limit_cores", 1), ("cpu_limit_cores",),
    ),
    Metric(
        "cpu_throttled_percent", "throttled", "THROT%", Unit.PERCENT, "Share of its quota periods that were throttled.",
        "growth of nr_throttled / growth of nr_periods x 100", _throttled, ("cpu_throttled_periods_total",),
        {"cgroup": "cpu.stat nr_throttled, nr_periods"}, "it has no CPU quota, or no period passed",
    ),
    Metric(
        "cpu_user_percent", "user", "USER%", Unit.PERCENT, "CPU time in user mode.", "as CPU%",
        _rate("cpu_user_total_ns", 100), ("cpu_user_total_ns",), {"cgroup": "cpu.stat user_usec"},
    ),
    Metric(
        "cpu_system_percent", "sys", "SYS%", Unit.PERCENT, "CPU time in the kernel on its behalf.", "as CPU%",
        _rate("cpu_system_total_ns", 100), ("cpu_system_total_ns",), {"cgroup": "cpu.stat system_usec"},
    ),
    Metric(
        "vcpu_percent", "vcpu", "VCPU%", Unit.PERCENT, "How busy the virtual CPUs are; 100 is all of them.",
        "growth of vcpu.N.time, summed / elapsed time / vCPUs x 100", _vcpu_percent, ("vcpu_total_ns",),
        {"libvirt": "domain stats vcpu.N.time"}, _VM_ONLY,
    ),
    Metric(
        "cpu_emulator_percent", "emulator", "EMU%", Unit.PERCENT, "CPU used by the hypervisor beside the vCPUs.",
        "(growth of cpu.time - growth of vcpu.N.time) / elapsed time x 100",
        _emulator_percent, ("vcpu_total_ns",), {"libvirt": "vcpu.N.time"}, _VM_ONLY,
    ),
    Metric(
        "cpu_steal_percent", "steal", "STEAL%", Unit.PERCENT, "Share of time its vCPUs were ready and had to wait.",
        "growth of vcpu.N.delay, summed / elapsed time / vCPUs x 100", _steal_percent, ("steal_total_ns",),
        {"libvirt": "domain stats vcpu.N.delay"}, _VM_ONLY,
    ),
    Metric(
        "memory_wait_percent", "memwait", "MWAIT%", Unit.PERCENT, "Share of time some of its tasks waited for memory.",
        "growth of memory.pressure some total / elapsed time x 100", _rate("memory_stall_total_ns", 100),
        ("memory_stall_total_ns",), _PSI, _NO_PSI,
    ),
    Metric(
        "io_wait_percent", "iowait", "IOWAIT%", Unit.PERCENT, "Share of time some of its tasks waited for I/O.",
        "growth of io.pressure some total / elapsed time x 100", _rate("io_stall_total_ns", 100),
        ("io_stall_total_ns",), _PSI, _NO_PSI,
    ),
    Metric(
        "disk_reads_per_second", "rops", "R OPS", Unit.PER_SECOND, "Read operations on this host's disks.",
        "growth / elapsed time", _rate("disk_reads_total"), ("disk_reads_total",), _DISK, _NO_DISK,
    ),
    Metric(
        "disk_writes_per_second", "wops", "W OPS", Unit.PER_SECOND, "Write operations on this host's disks.",
        "growth / elapsed time", _rate("disk_writes_total"), ("disk_writes_total",), _DISK, _NO_DISK,
    ),
    Metric(
        "guest_disk_read_bytes_per_second", "gread", "GUEST R", Unit.BYTES_PER_SECOND,
        "Read by the guest from its virtual disks.", "growth / elapsed time", _rate("guest_disk_read_total_bytes"),
        ("guest_disk_read_total_bytes",), _GUEST_DISK, _VM_ONLY,
    ),
    Metric(
        "guest_disk_write_bytes_per_second", "gwrite", "GUEST W", Unit.BYTES_PER_SECOND,
        "Written by the guest to its virtual disks.", "growth / elapsed time", _rate("guest_disk_write_total_bytes"),
        ("guest_disk_write_total_bytes",), _GUEST_DISK, _VM_ONLY,
    ),
    Metric(
        "guest_disk_read_milliseconds", "rlat", "R LAT", Unit.MILLISECONDS, "Mean time of a guest's read.",
        "growth of read time / growth of reads", _latency("guest_disk_read_time_total_ns", "guest_disk_reads_total"),
        ("guest_disk_read_time_total_ns",), _GUEST_DISK, _VM_ONLY,
    ),
    Metric(
        "guest_disk_write_milliseconds", "wlat", "W LAT", Unit.MILLISECONDS, "Mean time of a guest's write.",
        "growth of write time / growth of writes",
        _latency("guest_disk_write_time_total_ns", "guest_disk_writes_total"),
        ("guest_disk_write_time_total_ns",), _GUEST_DISK, _VM_ONLY,
    ),
    Metric(
        "net_drops_per_second", "drops", "DROPS", Unit.PER_SECOND, "Packets dropped, both directions.",
        "growth / elapsed time", _rate("net_drops_total"), ("net_drops_total",), _NET, _NO_NET,
    ),
    Metric(
        "pids", "pids", "PIDS", Unit.COUNT, "Tasks (processes and threads) inside.", "pids.current", _gauge("pids"),
        ("pids",), {"cgroup-slow": "pids.current"}, "the pids controller is not enabled for its cgroup",
    ),
    Metric(
        "vcpus", "vcpus", "VCPUS", Unit.COUNT, "Virtual CPUs in use.", "vcpu.current", _gauge("vcpus"), ("vcpus",),
        {"libvirt": "domain stats vcpu.current"}, _VM_ONLY,
    ),
    Metric(
        "cpu_seconds", "time", "TIME", Unit.SECONDS, "CPU time used since it was made.", "cpu.stat usage_usec",
        lambda r: None if (total := r.gauge("cpu_total_ns")) is None else total / 1e9, ("cpu_total_ns",),
        {"cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)", "libvirt": "domain stats cpu.time"},
    ),
)
# fmt: on

METRICS: dict[str, Metric] = {metric.key: metric for metric in _TABLE}
"""Every metric by key, in the order in which columns, help and docs list them."""

ALIASES: dict[str, str] = {metric.alias: metric.key for metric in _TABLE}
"""Short name -> key."""

CHARTED: tuple[str, ...] = (
    "cpu_percent",
    "memory_host_bytes",
    "disk_read_bytes_per_second",
    "disk_write_bytes_per_second",
    "net_rx_bytes_per_second",
    "net_tx_bytes_per_second",
    "cpu_wait_percent",
)
"""The metrics whose recent past is kept for sparklines."""
