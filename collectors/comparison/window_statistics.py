"""The values of workloads over a window of time, and their statistics. Pure and bounded."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from math import isfinite, isnan, nan
from typing import NamedTuple

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.session.kept import KeptWorkloads

LONGEST = 3600
"""Most ticks kept per workload."""
MOST_TICKS = 60_000
"""Most ticks kept of all workloads together, of some 300 bytes each. Where there are more, every second one is kept, of
those every second, and so on: means and percentiles are then of a sample of the window."""
WARM_UP_S = 60.0
"""Seconds of a session that are read before a window, so that slow sources too have rates when it begins."""


class Statistics(NamedTuple):
    """Statistics of one metric over a window. All in the metric's unit."""

    ticks: int
    """Number of values; ticks without one do not count."""
    last: float
    mean: float
    p50: float
    p95: float
    max: float

    def of(self, stat: str) -> float:
        """Return one of `STATS` by its name."""
        return float(getattr(self, stat))


STATS = ("mean", "p50", "p95", "max", "last")
"""The statistics that workloads can be compared by."""


def statistics(values: Iterable[float | None]) -> Statistics | None:
    """Return the statistics of the known, finite values; `None` if there are none.

    Percentile N is the nearest rank: the smallest value that at least N percent of all values do not exceed.
    """
    present = [value for value in values if value is not None and isfinite(value)]
    if not present:
        return None
    ordered = sorted(present)
    mean = sum(present) / len(present)
    return Statistics(len(present), present[-1], mean, _ranked(ordered, 50), _ranked(ordered, 95), ordered[-1])


def _ranked(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Past(NamedTuple):
    """One workload's values in a window."""

    workload: Workload
    walls: list[float]
    """Wall times of the ticks, in seconds since 1970."""
    values: dict[str, list[float | None]]
    """By metric key: a value for each wall time, `None` where it is unknown."""


class Window:
    """Keeps metrics of some workloads.

    Args:
        identities: The workloads to keep; empty for all.
        longest: Most ticks to keep per workload.
        keys: The metrics to keep, by key.
    """

    def __init__(
        self, identities: Iterable[WorkloadId] = (), longest: int = LONGEST, keys: Collection[str] = METRICS.keys()
    ) -> None:
        self._identities = frozenset(identities)
        self._longest = longest
        self._keys = tuple(keys)
        self._width = 1 + len(self._keys)
        self._rows: dict[WorkloadId, array[float]] = {}
        """By workload, one tick after the other: the wall time and a value for each metric, NaN where it is unknown."""
        self._frames = self._ticks = 0
        self._stride = 1
        """Of so many frames one is kept."""
        self.workloads = KeptWorkloads()
        """The workloads as last seen; in a session of very many, the first ones."""
        self.first_wall: float | None = None
        self.last_wall = 0.0

    def feed(self, moment: Moment) -> None:
        """Add the next moment."""
        wall = moment.frame.wall
        self.first_wall = wall if self.first_wall is None else self.first_wall
        self.last_wall = wall
        self._frames += 1
        if self._frames % self._stride:
            return
        for identity, reading in moment.readings.items():
            if self._identities and identity not in self._identities:
                continue
            if self.workloads.keep(reading.workload) or identity in self.workloads:
                self._add(identity, reading, wall)
        if self._ticks > MOST_TICKS:
            self._thin()

    def _add(self, identity: WorkloadId, reading: Reading, wall: float) -> None:
        rows = self._rows.setdefault(identity, array("d"))
        rows.append(wall)
        for key in self._keys:
            value = reading.value(key)
            rows.append(nan if value is None else value)
        self._ticks += 1
        if len(rows) > self._longest * self._width:
            del rows[: self._width]
            self._ticks -= 1

    def _thin(self) -> None:
        """Drop every second tick."""
        self._stride *= 2
        self._ticks = 0
        for identity, rows in self._rows.items():
            kept = array("d")
            for start in range(0, len(rows), 2 * self._width):
                kept.extend(rows[start : start + self._width])
            self._rows[identity] = kept
            self._ticks += len(kept) // self._width

    def past(self, identity: WorkloadId, seconds: float | None = None) -> Past | None:
        """Return a workload's values of the last `seconds` up to the newest tick, or all; `None` if never seen."""
        workload = self.workloads.get(identity)
        if workload is None:
            return None
        since = None if seconds is None else self.last_wall - seconds
        rows = self._rows[identity]
        walls = rows[:: self._width].tolist()
        taken = [index for index, wall in enumerate(walls) if since is None or wall > since]
        columns: dict[str, list[float | None]] = {}
        for number, key in enumerate(self._keys, 1):
            values = rows[number :: self._width]
            columns[key] = [None if isnan(values[index]) else values[index] for index in taken]
        return Past(workload, [walls[index] for index in taken], columns)

    def pasts(self, frame: Frame) -> list[Past]:
        """Return the values of every active workload of a frame; those never seen are left out."""
        active = (identity for identity, workload in frame.workloads.items() if workload.state.is_active)
        return [past for identity in active if (past := self.past(identity)) is not None]


def fill(frames: Iterable[Frame], identities: Iterable[WorkloadId], since: float, longest: int = LONGEST) -> Window:
    """Return the window of the frames after wall time `since`; earlier frames only provide rates for the first one."""
    window, deriver = Window(identities, longest=longest), Deriver()
    for frame in frames:
        moment = deriver.feed(frame)
        if frame.wall > since:
            window.feed(moment)
    return window
