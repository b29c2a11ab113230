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
    among: str = ""
    """The gauge by which the growth is divided, such as the number of virtual CPUs; empty for none."""

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where the counter has no rate, or is to be divided by what is not known or 0."""
        rate = reading.rate(self.counter)
        if self.among and rate is not None:
            sharers = reading.gauge(self.among)
            rate = rate / sharers if sharers else None
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


@dataclass(frozen=True, slots=True)
class Gauge:
    """The newest value of a sample's field: as data, as all that follows."""

    name: str

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where no source has it."""
        return reading.gauge(self.name)


@dataclass(frozen=True, slots=True)
class Lowest:
    """The lowest value that any source has for a sample's field."""

    name: str
    is_within_host: bool = False
    """Whether it is at most the memory of the host, where that is known."""

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where no source has it."""
        lowest, host = reading.lowest(self.name), reading.host_memory_bytes if self.is_within_host else 0
        return min(lowest, host) if lowest is not None and host else lowest


@dataclass(frozen=True, slots=True)
class Ratio:
    """The growth of one counter divided by that of another one of the same source, times a scale."""

    part: str
    whole: str
    scale: float
    most: float
    """What the value is at most."""

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where either has no growth, or the second did not grow."""
        quotient = reading.ratio(self.part, self.whole)
        return None if quotient is None else min(self.most, quotient * self.scale)


@dataclass(frozen=True, slots=True)
class Of:
    """Another metric, times a scale."""

    key: str
    scale: float = 1.0

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where the other metric has none."""
        value = reading.value(self.key)
        return None if value is None else value * self.scale


@dataclass(frozen=True, slots=True)
class ByMachine:
    """One derivation for virtual machines, another one for all else."""

    machine: Derivation
    other: Derivation

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where it is not known."""
        return self.machine(reading) if reading.is_machine else self.other(reading)


@dataclass(frozen=True, slots=True)
class GaugeWith:
    """The newest value of a sample's field, from the source that also has a companion field."""

    name: str
    companion: str

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where that source does not have it."""
        return reading.gauge_with(self.name, self.companion)


@dataclass(frozen=True, slots=True)
class Either:
    """What one derivation makes, or where that is not known, what another one does."""

    first: Derivation
    second: Derivation

    def __call__(self, reading: Readable) -> float | None:
        """Return the value; `None` where neither is known."""
        value = self.first(reading)
        return self.second(reading) if value is None else value


def rate(name: str, scale: float = 1e9) -> Derivation:
    """Return the growth of a counter per nanosecond, times the scale (1e9 = per second)."""
    return PerTime(name, scale)


cpu_percent = PerTime("cpu_total_ns", 100, most=None)
"""CPU time in percent of one core, at most all cores of the host.

The kernel adds up a CPU's time at its ticks: on a host that is busy throughout, the growth may exceed the time.
"""


def gauge(name: str) -> Derivation:
    """Return the newest value of a sample field."""
    return Gauge(name)


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


throttled = Ratio("cpu_throttled_periods_total", "cpu_periods_total", 100, most=100.0)
"""The percentage of CPU quota periods that were throttled."""


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


memory_limit = Lowest("memory_limit_bytes", is_within_host=True)
"""The lowest limit of any source; one above the host's memory is the host's memory, as in `docker stats`."""

memory_held_limit = ByMachine(lambda machine: None, Of("memory_limit_bytes"))
"""The limit of what is held on the host: a machine's applies to its guest's memory only, so it has none."""


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


memory_unreclaimable = ByMachine(Of("memory_inside_bytes"), Gauge("memory_unreclaimable_bytes"))
"""The memory that dropping caches would leave; of a machine that of its guest, as the guest reports it."""

memory_in_reach = ByMachine(GaugeWith("memory_limit_bytes", "vcpus"), Of("memory_limit_bytes"))
"""The most memory that it can use now: its limit, or what a machine's guest has been given."""


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


def _used(available: float | None, usable: float | None) -> float | None:
    return max(0.0, available - usable) if available is not None and usable is not None else None


_reported = Made(_used, ("memory_available_bytes", "memory_usable_bytes"))
memory_inside = ByMachine(_reported, Either(_reported, Of("memory_host_bytes")))
"""Memory used inside: a guest's MemTotal less MemAvailable, otherwise what is charged to the host."""

vcpu_percent = PerTime("vcpu_total_ns", 100, most=1.0, among="vcpus")
"""How busy the virtual CPUs are, in percent of all of them."""

steal_percent = PerTime("steal_total_ns", 100, most=1.0, among="vcpus")
"""The percentage of time in which virtual CPUs were ready and waited."""


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
    return Of(key, scale)


def total(*keys: str) -> Derivation:
    """Return the sum of metrics; `None` where one of them is missing."""

    def derive(reading: Readable) -> float | None:
        values = [value for key in keys if (value := reading.value(key)) is not None]
        return sum(values) if len(values) == len(keys) else None

    return derive


def lowest(name: str) -> Derivation:
    """Return the lowest value that any source has for a sample field."""
    return Lowest(name)


def always(value: float) -> Derivation:
    """Return the same value for every reading."""
    return lambda reading: value


def cpu_seconds(reading: Readable) -> float | None:
    """Return the CPU time used since the workload was created, in seconds."""
    total = reading.total("cpu_total_ns")
    return None if total is None else total / 1e9
