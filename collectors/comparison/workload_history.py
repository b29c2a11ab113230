"""The past of one workload: every metric, second by second, as mean and highest value. Bounded.

Where there are more seconds than `CAPACITY`, two and two are merged, so that a slot covers 2 s, then 4 s, and so on.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from math import ceil, floor, inf, nan
from operator import add
from typing import NamedTuple

from msgspec.structs import replace

from collectors.analysis.rates import Deriver, Reading
from collectors.comparison.window_statistics import Statistics, statistics
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, WorkloadId

CAPACITY = 7200
"""Slots kept at most: two hours in seconds."""
_PAUSE = 2.5
"""A value covers the time since the one before it, but not more than this many intervals."""


class Columns(NamedTuple):
    """The columns of a graph, oldest first; NaN where there is no value."""

    means: list[float]
    highest: list[float]


class _Series:
    """One metric: sums, numbers of values and highest values by slot."""

    __slots__ = ("counts", "highest", "sums")

    def __init__(self, length: int) -> None:
        self.sums, self.highest = array("d", bytes(8 * length)), array("d", [-inf]) * length
        self.counts = array("L", bytes(array("L").itemsize * length))

    def extend(self, slots: int) -> None:
        self.sums.extend([0.0] * slots)
        self.counts.extend([0] * slots)
        self.highest.extend([-inf] * slots)

    def put(self, value: float, slots: int) -> None:
        """Add a value to the last so many slots."""
        for index in range(len(self.sums) - slots, len(self.sums)):
            self.sums[index] += value
            self.counts[index] += 1
            if value > self.highest[index]:
                self.highest[index] = value

    def cut(self, length: int) -> None:
        del self.sums[length:], self.counts[length:], self.highest[length:]

    def merge(self) -> None:
        """Merge two and two slots; the number of slots is even."""
        self.sums = array("d", map(add, self.sums[::2], self.sums[1::2]))
        self.counts = array("L", map(add, self.counts[::2], self.counts[1::2]))
        self.highest = array("d", map(max, self.highest[::2], self.highest[1::2]))

    def column(self, start: int, stop: int) -> tuple[float, float]:
        """Return the mean and the highest value of some slots; NaN where there is none."""
        start = max(0, start)
        if stop <= start:
            return nan, nan
        count = sum(self.counts[start:stop])
        return (sum(self.sums[start:stop]) / count, max(self.highest[start:stop])) if count else (nan, nan)


class WorkloadHistory:
    """Keeps what is added, in order of time.

    Args:
        capacity: Slots to keep at most.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self.step_s = 1
        """Seconds that a slot covers."""
        self._first = self._length = 0
        """The first slot, in steps since 1970, and the number of slots."""
        self._series = {key: _Series(0) for key in METRICS}
        self.first_wall: float | None = None
        """Wall time of the first moment; `None` while there is none."""
        self.last_wall = -inf
        self.longest_interval_s = 0.0
        """The longest interval between frames so far."""

    def add(self, wall: float, reading: Reading | None, interval_s: float) -> None:
        """Add a moment; without a reading the workload was not there. After a clock was set back, the newer one counts.

        Args:
            wall: Wall time of the frame.
            reading: The workload's reading.
            interval_s: Seconds from frame to frame; a value covers the time since the frame before.
        """
        values = {} if reading is None else {key: reading.value(key) for key in METRICS}
        self.add_values(wall, values, interval_s)

    def add_values(self, wall: float, values: Mapping[str, float | None], interval_s: float) -> None:
        """Add a moment as `add` does, with values by metric; those that are not known are `None`, NaN or left out."""
        if wall < self.last_wall:
            self._cut(floor(wall / self.step_s) - self._first)
        if not self._length:
            self._first, self.first_wall = floor(wall / self.step_s), wall
        self._reach(floor(wall / self.step_s))
        covered = 1
        if 0 <= wall - self.last_wall <= _PAUSE * max(interval_s, 1e-3):
            slots = floor(wall / self.step_s) - floor(self.last_wall / self.step_s)
            covered = max(1, min(slots, self._length))
        self.last_wall = wall
        self.longest_interval_s = max(self.longest_interval_s, interval_s)
        for key, value in values.items():
            if value is not None and value == value:
                self._series[key].put(value, covered)

    def _reach(self, slot: int) -> None:
        """Make the slot the last one, in coarser steps if there is no room for it."""
        while slot - self._first >= self._capacity:
            self._coarsen()
            slot //= 2
        missing = slot - self._first + 1 - self._length
        if missing > 0:
            for series in self._series.values():
                series.extend(missing)
            self._length += missing

    def _coarsen(self) -> None:
        for series in self._series.values():
            if self._first % 2:
                series.sums.insert(0, 0.0)
                series.counts.insert(0, 0)
                series.highest.insert(0, -inf)
            if len(series.sums) % 2:
                series.extend(1)
            series.merge()
        self._length = (self._length + self._first % 2 + 1) // 2
        self._first //= 2
        self.step_s *= 2

    def _cut(self, length: int) -> None:
        self._length = max(0, min(self._length, length))
        for series in self._series.values():
            series.cut(self._length)

    def column_s(self, span_s: float, count: int) -> int:
        """Return how many whole seconds a column covers where `count` columns show at least a span of time.

        It is a multiple of `step_s`, and not less than the interval between frames: there would be columns without one.
        """
        seconds = max(span_s / max(1, count), self.longest_interval_s, 1.0)
        return ceil(seconds / self.step_s - 1e-9) * self.step_s

    def columns(self, key: str, end_wall: float, column_s: int, count: int) -> Columns:
        """Return the last columns of a metric up to a wall time, at multiples of `column_s` since 1970."""
        series, width = self._series[key], column_s // self.step_s
        newest = floor(end_wall / column_s)
        starts = (column * width - self._first for column in range(newest - count + 1, newest + 1))
        pairs = [series.column(start, start + width) for start in starts]
        return Columns([mean for mean, _ in pairs], [highest for _, highest in pairs])

    def _range(self, start_wall: float, end_wall: float) -> tuple[int, int]:
        start = max(0, floor(start_wall / self.step_s) - self._first)
        return start, max(start, min(self._length, floor(end_wall / self.step_s) - self._first + 1))

    def statistics(self, key: str, start_wall: float, end_wall: float) -> Statistics | None:
        """Return the statistics of a metric between two wall times, of one mean a slot; the highest is of all values.

        `None` if there is no value.
        """
        start, stop = self._range(start_wall, end_wall)
        series = self._series[key]
        pairs = zip(series.sums[start:stop], series.counts[start:stop], strict=True)
        of_slots = statistics(total / count for total, count in pairs if count)
        return None if of_slots is None else of_slots._replace(max=max(series.highest[start:stop]))

    def gaps(self, key: str, start_wall: float, end_wall: float) -> list[tuple[float, float | None]]:
        """Return the spans of wall time without a value, oldest first; the end of one that goes on is `None`.

        What was before the first value does not count.
        """
        start, stop = self._range(start_wall, end_wall)
        counts = self._series[key].counts
        if not any(counts[:stop]):
            return []
        gaps, at = list[tuple[float, float | None]](), self._first + start
        has_begun = any(counts[:start])
        for is_present, group in groupby(counts[start:stop], bool):
            length = sum(1 for _ in group)
            if not is_present and has_begun:
                end = (at + length) * self.step_s if at + length < self._first + stop else None
                gaps.append((at * self.step_s, end))
            has_begun, at = True, at + length
        return gaps if has_begun else []

    def has(self, key: str) -> bool:
        """Return whether a metric ever had a value."""
        return any(self._series[key].counts)


class Tick(NamedTuple):
    """What `WorkloadHistory.add` takes."""

    wall: float
    reading: Reading | None
    interval_s: float


class HistoryReader:
    """Derives a workload's ticks from frames, which may come in several pieces.

    Args:
        identity: The workload.
    """

    def __init__(self, identity: WorkloadId) -> None:
        self._identity = identity
        self._deriver = Deriver()
        self._last_wall = -inf

    def ticks(self, frames: Iterable[Frame]) -> Iterator[Tick]:
        """Yield a tick for each frame that is newer than the last one; the caller may stop. Blocks on the disk."""
        for frame in frames:
            if frame.wall > self._last_wall:
                self._last_wall = frame.wall
                moment = self._deriver.feed(_of_one(frame, self._identity))
                yield Tick(frame.wall, moment.readings.get(self._identity), frame.interval_s)


def _of_one(frame: Frame, identity: WorkloadId) -> Frame:
    """Return a frame with one workload only: deriving the others would take most of the time."""
    workload, samples = frame.workloads.get(identity), frame.samples.get(identity)
    return replace(
        frame,
        workloads={} if workload is None else {identity: workload},
        samples={} if samples is None else {identity: samples},
    )
