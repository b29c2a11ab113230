"""How metrics are derived from a reading. Pure functions; `None` means that a value is not known, never zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from collectors.model.metric_type import Derivation, Readable


@dataclass(frozen=True, slots=True)
class PerTime:
    """The growth of a counter per nanosecond, times a scale: as data, so that many can be derived in one go."""

    counter: str
    scale: float = 1e9
    """1e9 is per second, 100 is percent of the time that passed."""
    most: float | None = inf
    """What the growth per nanosecond is at most; `None`: the cores of the host, where they are known."""

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where the counter has no rate."""
        rate = reading.rate(self.counter)
        return None if rate is None else min(rate, self.most_on(reading.host_cpus)) * self.scale

    def most_on(self, cpus: int) -> float:
        """Return what the growth per nanosecond is at most on a host of so many cores; 0 if they are not known."""
        return (cpus or inf) if self.most is None else self.most


@dataclass(frozen=True, slots=True)
class Made:
    """What a formula makes of gauges: as data, so that many can be derived in one go."""

    formula: Callable[..., float | None]
    gauges: tuple[str, ...]
    """The formula's arguments: `None` where no source has the field."""

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where it is not known."""
        return self.formula(*map(reading.gauge, self.gauges))


def rate(name: str, scale: float = 1e9) -> Derivation:
    """Return the growth of a counter per nanosecond, times the scale (1e9 = per second)."""
    return PerTime(name, scale)


cpu_percent = PerTime("cpu_total_ns", 100, most=None)
"""CPU time in percent of one core, at most all cores of the host.

The kernel adds up a CPU's time at its ticks: on a host that is busy throughout, the growth may exceed the time.
"""


def gauge(name: str) -> Derivation:
    """Return the newest value of a sample field."""
    return lambda reading: reading.gauge(name)


def cpu_of_limit(reading: Readable) -> float | None:
    """Return the CPU time that a limit applies to, in percent of it; a machine's is at most 100.

    A machine without a quota is limited by the number of its vCPUs, so their time counts: its emulator and I/O threads
    run on other cores. A quota may apply to them too, so under one the whole machine's time counts.
    """
    used, cores = reading.value("cpu_percent"), reading.value("cpu_limit_cores")
    if not cores or used is None:
        return None
    if not reading.is_machine:
        return used / cores
    busy, vcpus = reading.value("vcpu_percent"), reading.gauge("vcpus")
    return busy if busy is not None and vcpus and cores >= vcpus else min(100.0, used / cores)


def share_of_time(name: str) -> Derivation:
    """Return the growth of a duration in percent of the time that passed, 0 to 100.

    The kernel ends the durations at other instants than those at which they are read: the quotient may exceed 100.
    """
    return PerTime(name, 100, most=1.0)


def throttled(reading: Readable) -> float | None:
    """Return the percentage of CPU quota periods that were throttled."""
    share = reading.ratio("cpu_throttled_periods_total", "cpu_periods_total")
    return None if share is None else min(100.0, share * 100)


def _held(charged: float | None, inactive: float | None, hugetlb: float | None, resident: float | None) -> float | None:
    """Return memory by Docker's formula (docker/cli stats_helpers.go, calculateMemUsageUnixNoCache), plus hugepages.

    Neither memcg nor a resident size includes hugepages (kernel Documentation/admin-guide/mm/hugetlbpage.rst).
    """
    if charged is None:
        return None if resident is None else resident + (hugetlb or 0)
    return (charged - inactive if inactive and inactive < charged else charged) + (hugetlb or 0)


memory_host = Made(
    _held, ("memory_charged_bytes", "memory_inactive_file_bytes", "memory_hugetlb_bytes", "memory_rss_bytes")
)


def memory_limit(reading: Readable) -> float | None:
    """Return the lowest limit of any source; one above the host's memory is the host's memory, as in `docker stats`."""
    limit, host = reading.lowest("memory_limit_bytes"), reading.host_memory_bytes
    return min(limit, host) if limit is not None and host else limit


def memory_held_limit(reading: Readable) -> float | None:
    """Return the limit of what is held on the host: a machine's applies to its guest's memory only, so it has none."""
    return None if reading.is_machine else reading.value("memory_limit_bytes")


def memory_of_limit(reading: Readable) -> float | None:
    """Return the memory that a limit applies to, in percent of it.

    A machine's is what its guest uses of the memory it has now, as the guest itself reports; a cgroup's limit does not
    apply to hugepages. A host's is what it cannot make available: page cache that is in use is memory that it has
    (kernel Documentation/filesystems/proc.rst, MemAvailable).
    """
    if reading.is_machine:
        used, assigned = reading.value("memory_inside_bytes"), memory_in_reach(reading)
        return None if used is None or not assigned else used / assigned * 100
    held, limit = reading.value("memory_host_bytes"), reading.value("memory_limit_bytes")
    available = reading.gauge("memory_available_bytes")  # of what is no machine, only hosts have it
    if available is not None and limit:
        return max(0.0, limit - available) / limit * 100
    return None if held is None or not limit else (held - (reading.gauge("memory_hugetlb_bytes") or 0)) / limit * 100


def memory_unreclaimable(reading: Readable) -> float | None:
    """Return the memory that dropping caches would leave; of a machine that of its guest, as the guest reports it."""
    return reading.value("memory_inside_bytes") if reading.is_machine else reading.gauge("memory_unreclaimable_bytes")


def memory_in_reach(reading: Readable) -> float | None:
    """Return the most memory that it can use now: its limit, or what a machine's guest has been given."""
    assigned = reading.gauge_with("memory_limit_bytes", "vcpus")
    return assigned if reading.is_machine else reading.value("memory_limit_bytes")


def memory_overhead(reading: Readable) -> float | None:
    """Return the resident memory of a hypervisor's process beyond the guest's; hugepages are only the guest's.

    `None` while the guest has touched less memory than it has: what is resident is then not told apart. What is
    resident but charged to others, such as shared libraries, is left out as in MEM, which is never exceeded therefore.
    """
    resident, assigned = reading.gauge("memory_rss_bytes"), reading.gauge_with("memory_limit_bytes", "vcpus")
    if not reading.is_machine or resident is None or assigned is None:
        return None
    hugetlb = reading.gauge("memory_hugetlb_bytes") or 0
    held = resident + hugetlb
    charged = reading.value("memory_host_bytes")
    surplus = (held if charged is None else min(held, charged)) - max(assigned, hugetlb)
    return surplus if surplus >= 0 else None


def memory_inside(reading: Readable) -> float | None:
    """Return memory used inside: a guest's MemTotal less MemAvailable, otherwise what is charged to the host."""
    available, usable = reading.gauge("memory_available_bytes"), reading.gauge("memory_usable_bytes")
    if available is not None and usable is not None:
        return max(0.0, available - usable)
    return None if reading.is_machine else reading.value("memory_host_bytes")


def vcpu_percent(reading: Readable) -> float | None:
    """Return how busy the virtual CPUs are, in percent of all of them."""
    rate, vcpus = reading.rate("vcpu_total_ns"), reading.gauge("vcpus")
    return None if rate is None or not vcpus else min(100.0, rate / vcpus * 100)


def steal_percent(reading: Readable) -> float | None:
    """Return the percentage of time in which virtual CPUs were ready and waited."""
    rate, vcpus = reading.rate("steal_total_ns"), reading.gauge("vcpus")
    return None if rate is None or not vcpus else min(100.0, rate / vcpus * 100)


def emulator_percent(reading: Readable) -> float | None:
    """Return the emulator's CPU in percent. Both counters are libvirt's: the cgroup's is read at other instants."""
    total, vcpu = reading.rate_with("cpu_total_ns", "vcpu_total_ns"), reading.rate("vcpu_total_ns")
    return None if total is None or vcpu is None else max(0.0, (total - vcpu) * 100)


def latency(times: str, count: str) -> Derivation:
    """Return the mean time of an operation, in milliseconds."""

    def derive(reading: Readable) -> float | None:
        mean_ns = reading.ratio(times, count)
        return None if mean_ns is None else mean_ns / 1e6

    return derive


def of(key: str, scale: float = 1.0) -> Derivation:
    """Return another metric, times the scale; `None` where it is missing."""

    def derive(reading: Readable) -> float | None:
        value = reading.value(key)
        return None if value is None else value * scale

    return derive


def total(*keys: str) -> Derivation:
    """Return the sum of metrics; `None` where one of them is missing."""

    def derive(reading: Readable) -> float | None:
        values = [value for key in keys if (value := reading.value(key)) is not None]
        return sum(values) if len(values) == len(keys) else None

    return derive


def lowest(name: str) -> Derivation:
    """Return the lowest value that any source has for a sample field."""
    return lambda reading: reading.lowest(name)


def always(value: float) -> Derivation:
    """Return the same value for every reading."""
    return lambda reading: value


def cpu_seconds(reading: Readable) -> float | None:
    """Return the CPU time used since the workload was created, in seconds."""
    total = reading.total("cpu_total_ns")
    return None if total is None else total / 1e9
