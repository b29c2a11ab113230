"""The recent past for the screen: one ring of floats per workload and charted metric, all on one clock.

Bounded by capacity x workloads x metrics x 4 bytes: 1,000 workloads take about 10 MB, and `MOST_WORKLOADS` have a past.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import isnan, nan

from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import CHARTED
from collectors.model.workloads import Frame, WorkloadId

CAPACITY = 301
"""Ticks kept: a minute at the shortest interval, five at one a second, two screens of braille at 150 columns."""
MOST_WORKLOADS = 5000
"""Workloads that have a past, besides the host; the others have an empty one. The longest absent make room first."""


class History:
    """Rings of the charted metrics. Every ring has the same head; NaN is "not sampled"."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.ticks = 0
        self.held_at: int | None = None
        """The tick that `recent` ends with while the view is frozen; `None` means the newest."""
        self.replacements = 0
        """How often it became another history: whoever keeps what follows from it compares this and `ticks`."""
        self._head = -1
        self._seconds = array("d", [nan]) * capacity
        """When each tick was, in seconds by a clock that is never set; NaN in a gap."""
        self._newest: Frame | None = None
        self._elapsed_s = 0.0
        self._kept = CHARTED
        """The metrics that are kept of every workload; see `keep`."""
        self._rings: dict[WorkloadId, dict[str, array[float]]] = {}
        self._absent_since: dict[WorkloadId, int] = {}

    def keep_as(self, other: History) -> None:
        """Keep the metrics that another history keeps."""
        self._kept = other._kept

    def keep(self, key: str) -> bool:
        """From now on keep this metric of every workload, in addition to the charted ones, and no other.

        Return whether nothing is known of its past: it was not kept until now.
        """
        kept = CHARTED if key in CHARTED else (*CHARTED, key)
        if kept == self._kept:
            return False
        dropped, self._kept = [old for old in self._kept if old not in kept], kept
        for rings in self._rings.values():
            for old in dropped:
                del rings[old]
            self._add_rings(rings)
        return key not in CHARTED

    def _add_rings(self, rings: dict[str, array[float]]) -> None:
        blank = array("f", [nan]) * self.capacity
        rings.update({key: blank[:] for key in self._kept if key not in rings})

    def push(self, moment: Moment) -> None:
        """Add a tick: a value for each workload present, NaN for those that are gone."""
        self.ticks += 1
        self._head = (self._head + 1) % self.capacity
        if self._newest is not None:
            self._elapsed_s += max(0.0, passed_s(self._newest, moment.frame))
        self._newest = moment.frame
        self._seconds[self._head] = self._elapsed_s
        self._write(moment.host.workload.id, moment.host)
        for identity, reading in moment.readings.items():
            self._write(identity, reading)
        for identity in [
            identity
            for identity in self._rings
            if identity not in moment.readings and identity != moment.host.workload.id
        ]:
            self._fade(identity)

    def skip(self, ticks: int) -> None:
        """Leave a gap of N ticks, during which nothing was sampled."""
        for _ in range(min(ticks, self.capacity)):
            self.ticks += 1
            self._head = (self._head + 1) % self.capacity
            self._seconds[self._head] = nan
            for rings in self._rings.values():
                for ring in rings.values():
                    ring[self._head] = nan

    def become(self, other: History) -> None:
        """Take over another history of the same capacity; the kept metric stays."""
        self.replacements += 1
        self.ticks, self._head, self.held_at = other.ticks, other._head, other.held_at
        self._rings, self._absent_since, self._seconds = other._rings, other._absent_since, other._seconds
        self._newest, self._elapsed_s = other._newest, other._elapsed_s
        if self._kept != other._kept:
            for rings in self._rings.values():
                self._add_rings(rings)

    def _write(self, identity: WorkloadId, reading: Reading) -> None:
        rings = self._rings.get(identity)
        if rings is None:
            if not self._has_room():
                return
            blank = array("f", [nan]) * self.capacity
            rings = self._rings[identity] = {key: blank[:] for key in self._kept}
        self._absent_since.pop(identity, None)
        for key, ring in rings.items():
            value = reading.value(key)
            ring[self._head] = nan if value is None else value

    def _has_room(self) -> bool:
        """Return whether one more workload may have a past, for which an absent one may be forgotten."""
        if len(self._rings) > MOST_WORKLOADS and self._absent_since:
            longest_absent = next(iter(self._absent_since))
            del self._rings[longest_absent], self._absent_since[longest_absent]
        return len(self._rings) <= MOST_WORKLOADS

    def _fade(self, identity: WorkloadId) -> None:
        """Leave a gap for an absent workload; forget it once the gap is the whole ring."""
        since = self._absent_since.setdefault(identity, self.ticks)
        if self.ticks - since >= self.capacity:
            del self._rings[identity], self._absent_since[identity]
            return
        for ring in self._rings[identity].values():
            ring[self._head] = nan

    def recent(self, identity: WorkloadId, key: str, count: int) -> list[float]:
        """Return the last values, oldest first, exactly `count` of them (NaN where nothing was sampled).

        `count` beyond what is kept is filled with NaN at the front.
        """
        back = 0 if self.held_at is None else min(self.ticks - self.held_at, self.capacity)
        kept_count = min(count, self.capacity - back)
        padding = [nan] * (count - kept_count)
        rings = self._rings.get(identity)
        if rings is None or key not in rings:
            return padding + [nan] * kept_count
        ring = rings[key]
        end = (self._head + 1 - back) % self.capacity
        start = end - kept_count
        return padding + (ring[start:end] if start >= 0 else ring[start:] + ring[:end]).tolist()

    def lasting(self, key: str, count: int, newest: int) -> Callable[[WorkloadId], float | None]:
        """Return a function that gives the mean of a workload's last values: `None` if none was sampled.

        Where the newest are all above the mean, it gives the lowest of them: a load that has just begun, and lasts.

        Args:
            key: The metric.
            count: How many ticks the mean is of, at least 1.
            newest: How many ticks a load has to last; 0: the mean alone.
        """
        back = 0 if self.held_at is None else min(self.ticks - self.held_at, self.capacity)
        count = max(1, min(count, self.capacity - back))
        end = (self._head - back) % self.capacity + 1
        start = end - count
        rings_of = self._rings

        def value(identity: WorkloadId) -> float | None:
            ring = rings_of[identity].get(key) if identity in rings_of else None
            if ring is None:
                return None
            values = ring[start:end] if start >= 0 else ring[start:] + ring[:end]
            mean = sum(values) / count
            if isnan(mean):
                values = array("f", [sampled for sampled in values if not isnan(sampled)])
                if not values:
                    return None
                mean = sum(values) / len(values)
            return max(mean, min(values[-newest:])) if newest else mean

        return value

    def last_known(self, identity: WorkloadId, key: str, count: int) -> list[float]:
        """Return the last values that were sampled, oldest first, at most `count` of them."""
        return [value for value in self.recent(identity, key, self.capacity) if not isnan(value)][-count:]

    def instants(self, span_s: float) -> list[float]:
        """Return when the last ticks were, oldest first: those of the last `span_s` seconds, and the one before them.

        They count from the first tick, in seconds; NaN in a gap. Index for index they go with `recent`.
        """
        back = 0 if self.held_at is None else min(self.ticks - self.held_at, self.capacity)
        end = (self._head + 1 - back) % self.capacity
        seconds = (self._seconds[end:] + self._seconds[:end])[-min(self.ticks - back, self.capacity - back) :].tolist()
        if not seconds or self.ticks <= back:
            return []
        oldest = seconds[-1] - span_s
        count = 1
        while count < len(seconds) and not seconds[-count] < oldest:
            count += 1
        return seconds[-count:]

    def span_s(self, count: int, interval_s: float) -> float:
        """Return the seconds from the first to the last of N ticks; earlier ones count an interval each."""
        back = 0 if self.held_at is None else min(self.ticks - self.held_at, self.capacity)
        end = (self._head + 1 - back) % self.capacity
        seconds = (self._seconds[end:] + self._seconds[:end])[max(0, self.capacity - count) :]
        sampled = [index for index, second in enumerate(seconds) if not isnan(second)]
        if len(sampled) < 2:
            return (count - 1) * interval_s
        first, last = sampled[0], sampled[-1]
        return seconds[last] - seconds[first] + (first + count - len(seconds)) * interval_s


def passed_s(previous: Frame, frame: Frame) -> float:
    """Return the seconds between two frames, a suspension of the host included.

    Within a run the wall clock is not used: it may be set, and jump. Between two runs there is no other clock.
    """
    if frame.run != previous.run:
        return frame.wall - previous.wall
    return max(frame.at_ns - previous.at_ns, frame.boot_ns - previous.boot_ns) / 1e9
