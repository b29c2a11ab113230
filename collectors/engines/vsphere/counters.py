"""Averages of the server, accumulated into totals. Pure.

A server measures each machine for 20 seconds and gives the average. vmtop derives every rate from totals, so a total
grows by each average times the time that it stands for, and its sample has the time at the end of that time, by the
server's clock: the rate between two samples is the server's own average, and its age is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.model.workloads import Sample

INTERVAL_S = 20
"""Seconds that an average is made over (vSphere API, PerformanceManager: real-time statistics)."""
_LONGEST_GAP_S = 3 * INTERVAL_S
"""After more than this without an average, the totals start again: nothing is known of the time between."""
_KIB = 1024
_MOST = float(1 << 62)
"""Largest total: session files hold 64 bits."""
ALL = "*"
"""The instance that stands for each device; the empty one is the sum that the server makes."""


class Counter(NamedTuple):
    """A counter of the server that is read."""

    name: str
    """Group, name and rollup type, as in VMware's documentation of performance counters."""
    instance: str = ""


CPU, READY = "cpu.usagemhz.average", "cpu.ready.summation"
CONSUMED, ACTIVE = "mem.consumed.average", "mem.active.average"
_FLOWS = {
    "disk.read.average": "disk_read_total_bytes",
    "disk.write.average": "disk_write_total_bytes",
    "virtualDisk.read.average": "guest_disk_read_total_bytes",
    "virtualDisk.write.average": "guest_disk_write_total_bytes",
    "net.received.average": "net_rx_total_bytes",
    "net.transmitted.average": "net_tx_total_bytes",
}
"""KiB a second, and the total that it adds to."""
COUNTERS = (
    Counter(CPU),
    Counter(READY),
    Counter(CONSUMED),
    Counter(ACTIVE),
    *(Counter(name, ALL if name.startswith("virtualDisk") else "") for name in _FLOWS),
)


class Average(NamedTuple):
    """What a server measured of one machine or host."""

    at_ns: int
    """The end of its 20 seconds, by the server's clock, in ns since 1970."""
    values: dict[str, float]
    """By `Counter.name`, in the server's units; a device counter is the sum over the devices."""


class Size(NamedTuple):
    """What a machine or host has; 0 where it is not known."""

    cpu_mhz: float
    """Clock of one core of the host: what 100 % is."""
    cpus: int
    memory_bytes: int
    is_machine: bool


@dataclass(slots=True)
class Meter:
    """The totals of one machine or host, before its newest average and after it."""

    run: str = ""
    """Identity of its run: a change begins new totals."""
    is_begun: bool = False
    """Whether the next sample is after the newest average, not before it: a rate needs both."""
    _breaks: int = 0
    _before_ns: int = 0
    _at_ns: int = 0
    _before: dict[str, float] = field(default_factory=dict)
    _totals: dict[str, float] = field(default_factory=dict)
    _newest: dict[str, float] = field(default_factory=dict)

    def take(self, run: str, averages: Sequence[Average], size: Size) -> None:
        """Add the averages that are newer than the last one. They may be in any order."""
        in_order = sorted(averages, key=lambda average: average.at_ns)
        if not in_order:
            return
        is_set_back = in_order[-1].at_ns < self._at_ns - _LONGEST_GAP_S * 1e9
        is_new = run != self.run or not self._at_ns or is_set_back
        for average in in_order[-1:] if is_new else in_order:
            since_ns = average.at_ns - self._at_ns
            if not is_new and since_ns < INTERVAL_S * 1e9 / 2:
                continue  # known already
            if is_new or since_ns > _LONGEST_GAP_S * 1e9:
                self._begin(run, average.at_ns - int(INTERVAL_S * 1e9))
            self._add(average, size)

    def _begin(self, run: str, at_ns: int) -> None:
        self.run, self._at_ns = run, at_ns
        self._breaks += 1
        self._totals, self.is_begun = {}, False

    def _add(self, average: Average, size: Size) -> None:
        growth = _growth(average.values, size, average.at_ns - self._at_ns)
        self._before_ns, self._before = self._at_ns, {name: self._totals.get(name, 0.0) for name in growth}
        self._totals = {name: before + growth[name] for name, before in self._before.items()}
        self._at_ns, self._newest = average.at_ns, average.values

    def sample(self, source: str, offset_ns: int, now_ns: int, size: Size) -> Sample | None:
        """Return its sample; the first one is before its newest average. `None` while there is no average.

        Args:
            source: Name of the source.
            offset_ns: From the server's clock to this host's monotonic one.
            now_ns: This host's monotonic time.
            size: What it has.
        """
        if not self._at_ns:
            return None
        totals = self._totals if self.is_begun else self._before
        at_ns = offset_ns + (self._at_ns if self.is_begun else self._before_ns)
        self.is_begun = True
        consumed, active = self._newest.get(CONSUMED), self._newest.get(ACTIVE)
        memory = size.memory_bytes or None
        knows_inside = size.is_machine and memory is not None and active is not None
        return Sample(
            source,
            at_ns,
            f"{self.run}/{self._breaks}",
            cpu_limit_cores=float(size.cpus) if size.is_machine and size.cpus else None,
            memory_charged_bytes=None if consumed is None else int(consumed * _KIB),
            memory_limit_bytes=memory,
            memory_maximum_bytes=memory,
            memory_available_bytes=memory if knows_inside else None,
            memory_usable_bytes=max(0, memory - int((active or 0) * _KIB)) if memory and knows_inside else None,
            memory_report_age_s=max(0.0, (now_ns - at_ns) / 1e9) if knows_inside else None,
            vcpus=size.cpus or None if size.is_machine else None,
            **{name: int(min(total, _MOST)) for name, total in totals.items()},
        )


def _growth(values: dict[str, float], size: Size, passed_ns: int) -> dict[str, float]:
    """Return what the totals grow by in a time with these averages."""
    grown = {total: values[name] * _KIB * passed_ns / 1e9 for name, total in _FLOWS.items() if name in values}
    if CPU in values and size.cpu_mhz:
        grown["cpu_total_ns"] = values[CPU] / size.cpu_mhz * passed_ns
    if READY in values and size.is_machine:
        ready_ns = values[READY] / (INTERVAL_S * 1000) * passed_ns
        grown["steal_total_ns"] = ready_ns
        if size.cpus:
            grown["cpu_stall_total_ns"] = ready_ns / size.cpus
    return grown
