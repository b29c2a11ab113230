"""Metrics of a whole session in a few hundred time steps: the mean and the highest value of each. Bounded."""

from __future__ import annotations

from array import array
from math import isnan, nan

from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import WorkloadId

HOST_KEYS = tuple(key for key, metric in METRICS.items() if metric.host_chart is not None)
MOST_HOSTS = 64
"""Hosts that get a series."""
MOST_WORKLOADS = 2000
"""Workloads that get a series: each takes some 20 KiB."""
WORKLOAD_KEYS = tuple(key for key, metric in METRICS.items() if metric.is_headline)


class Series:
    """One metric of one workload."""

    def __init__(self, count: int) -> None:
        self.tops = array("d", [nan]) * count
        """The highest value of each step; NaN where there is none."""
        self._sums = array("d", [0.0]) * count
        self._counts = array("L", [0]) * count

    def add(self, step: int, value: float) -> None:
        """Add a value to a step (0 to the number of steps less 1)."""
        self._sums[step] += value
        self._counts[step] += 1
        top = self.tops[step]
        self.tops[step] = value if isnan(top) or value > top else top

    def means(self) -> list[float]:
        """Return the mean of each step; NaN where there is none."""
        return [total / count if count else nan for total, count in zip(self._sums, self._counts, strict=True)]


class Buckets:
    """The series of a session's hosts and workloads.

    Args:
        first: Wall time of the first frame.
        last: Wall time of the last frame.
        count: Number of steps.
    """

    def __init__(self, first: float, last: float, count: int = 480) -> None:
        self.first, self.last, self.count = first, last, count
        self.hosts: dict[str, dict[str, Series]] = {}
        """Series by metric key, of each host by its name; that of the host on which the session was made is empty."""
        self.workloads: dict[WorkloadId, dict[str, Series]] = {}

    def take(self, moment: Moment) -> None:
        """Take in the next moment."""
        share = (moment.frame.wall - self.first) / max(self.last - self.first, 1e-9)
        step = min(max(int(share * self.count), 0), self.count - 1)
        hosts = {name: host.reading for name, host in moment.hosts.items()} if moment.hosts else {"": moment.host}
        for name, host in hosts.items():
            if host is not None and (name in self.hosts or len(self.hosts) < MOST_HOSTS):
                self._take(self.hosts.setdefault(name, {}), host, HOST_KEYS, step)
        for identity, reading in moment.readings.items():
            series = self.workloads.get(identity)
            if series is None and len(self.workloads) < MOST_WORKLOADS:
                series = self.workloads[identity] = {}
            if series is not None:
                self._take(series, reading, WORKLOAD_KEYS, step)

    def _take(self, series: dict[str, Series], reading: Reading, keys: tuple[str, ...], step: int) -> None:
        for key in keys:
            value = reading.value(key)
            if value is not None:
                if key not in series:
                    series[key] = Series(self.count)
                series[key].add(step, value)
