"""The recent past for the screen: for each tick one column of floats per charted metric, a slot per workload.

Bounded by capacity x workloads x metrics x 4 bytes: 1,000 workloads take 8.4 MB, and `MOST_WORKLOADS` have a past.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from math import isnan, nan

from collectors.analysis.places import Places
from collectors.analysis.rates import Moment
from collectors.model.metrics import CHARTED
from collectors.model.workloads import Frame, WorkloadId

CAPACITY = 301
"""Ticks kept: a minute at the shortest interval, five at one a second, two screens of braille at 150 columns."""
MOST_WORKLOADS = 5000
"""Workloads that have a past, besides the host; the others have an empty one. The longest absent make room first."""


_NOTHING = array("f")
_Columns = dict[str, "array[float]"]
"""A tick's values by metric, at the places of the workloads; NaN, or beyond the end, is "not sampled"."""


class History:
    """The values of the charted metrics at the last ticks; NaN is "not sampled"."""

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
        self._columns: list[_Columns] = [{} for _ in range(capacity)]
        """Of each tick; empty in a gap."""
        self._newest: Frame | None = None
        self._elapsed_s = 0.0
        self._kept = CHARTED
        """The metrics that are kept of every workload; see `keep`."""
        self._places = Places(capacity, MOST_WORKLOADS)
        self._lasts: dict[tuple[str, int, int | None], tuple[list[array[float]], int]] = {}
        """What `_last` found since the last tick: every row of the screen asks for the same."""

    def derive(self, moment: Moment) -> None:
        """Derive what `push` will keep of a moment; nothing changes by it."""
        for key in self._kept:
            moment.columns.of(key)

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
        self._lasts.clear()
        dropped, self._kept = [old for old in self._kept if old not in kept], kept
        for columns in self._columns:
            for old in dropped:
                columns.pop(old, None)
        return key not in CHARTED

    def push(self, moment: Moment) -> None:
        """Add a tick: a value for each workload present, NaN for those that are gone."""
        if self._newest is not None:
            self._elapsed_s += max(0.0, passed_s(self._newest, moment.frame))
        self._newest = moment.frame
        self._advance(self._elapsed_s)
        for place in self._places.take([moment.host.workload.id, *moment.readings], self.ticks):
            self._blank(place)
        arranged = self._places.arranged
        self._columns[self._head] = {key: array("f", arranged(moment.columns.of(key))) for key in self._kept}
        self._lasts.clear()

    def skip(self, ticks: int) -> None:
        """Leave a gap of N ticks, during which nothing was sampled."""
        for _ in range(min(ticks, self.capacity)):
            self._advance(nan)

    def _advance(self, second: float) -> None:
        self.ticks += 1
        self._head = (self._head + 1) % self.capacity
        self._seconds[self._head], self._columns[self._head] = second, {}
        self._lasts.clear()

    def _blank(self, place: int) -> None:
        """Forget what is known of a workload: its place is another one's now."""
        for columns in self._columns:
            for column in columns.values():
                if place < len(column):
                    column[place] = nan

    def become(self, other: History) -> None:
        """Take over another history of the same capacity; the kept metric stays."""
        self.replacements += 1
        self._lasts.clear()
        self.ticks, self._head, self.held_at = other.ticks, other._head, other.held_at
        self._columns, self._places, self._seconds = other._columns, other._places, other._seconds
        self._newest, self._elapsed_s = other._newest, other._elapsed_s

    def _last(self, key: str, count: int) -> tuple[list[array[float]], int]:
        """Return a metric's columns at the last ticks, and the length of the shortest.

        They are the oldest first, at most `count` of them, and empty in a gap.
        """
        asked = key, count, self.held_at
        if asked not in self._lasts:
            columns = self._columns_of(key, count)
            self._lasts[asked] = columns, min(map(len, columns), default=0)
        return self._lasts[asked]

    def _columns_of(self, key: str, count: int) -> list[array[float]]:
        back = 0 if self.held_at is None else min(self.ticks - self.held_at, self.capacity)
        end = (self._head + 1 - back) % self.capacity
        start = end - min(count, self.capacity - back)
        columns = self._columns[start:end] if start >= 0 else self._columns[start:] + self._columns[:end]
        return [column.get(key, _NOTHING) for column in columns]

    def recent(self, identity: WorkloadId, key: str, count: int) -> list[float]:
        """Return the last values, oldest first, exactly `count` of them (NaN where nothing was sampled).

        `count` beyond what is kept is filled with NaN at the front.
        """
        place = self._places.of(identity)
        if place is None:
            return [nan] * count
        columns, shortest = self._last(key, count)
        if place < shortest:
            values = [column[place] for column in columns]
        else:
            values = [column[place] if place < len(column) else nan for column in columns]
        return [nan] * (count - len(values)) + values if len(values) < count else values

    def lasting(self, identities: Iterable[WorkloadId], key: str, count: int, newest: int) -> list[float | None]:
        """Return the mean of the last values of each workload: `None` where none was sampled.

        Where the newest are all above the mean, it is the lowest of them: a load that has just begun, and lasts.

        Args:
            identities: The workloads.
            key: The metric.
            count: How many ticks the mean is of, at least 1.
            newest: How many ticks a load has to last; 0: the mean alone.
        """
        columns, _ = self._last(key, max(1, count))
        ticks = len(columns)
        means = [
            _lasting_of_known(values, newest)
            if (mean := sum(values) / ticks) != mean
            else low
            if newest and (low := min(values[-newest:])) > mean
            else mean
            for values in zip_longest(*columns, fillvalue=nan)
        ]
        sampled = len(means)
        places = self._places.of_all(identities)
        return [means[place] if place is not None and place < sampled else None for place in places]

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


def _lasting_of_known(values: Sequence[float], newest: int) -> float | None:
    """Return what `lasting` is of a workload that was not sampled at each tick."""
    known = [value for value in values if value == value]
    if not known:
        return None
    mean = sum(known) / len(known)
    return max(mean, min(known[-newest:])) if newest else mean
