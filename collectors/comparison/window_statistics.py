"""The values of workloads over a window of time, and their statistics. Pure and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from collectors.analysis.rates import Deriver, Moment
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Workload, WorkloadId

LONGEST = 3600
"""Most ticks kept per workload."""
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
    """Keeps every metric of some workloads.

    Args:
        identities: The workloads to keep; empty for all.
        longest: Most ticks to keep per workload.
    """

    def __init__(self, identities: Iterable[WorkloadId] = (), longest: int = LONGEST) -> None:
        self._identities = frozenset(identities)
        self._longest = longest
        self._ticks: dict[WorkloadId, deque[tuple[float, tuple[float | None, ...]]]] = {}
        self.workloads: dict[WorkloadId, Workload] = {}
        """The workloads as last seen."""
        self.first_wall: float | None = None
        self.last_wall = 0.0

    def feed(self, moment: Moment) -> None:
        """Add the next moment."""
        wall = moment.frame.wall
        self.first_wall = wall if self.first_wall is None else self.first_wall
        self.last_wall = wall
        for identity, reading in moment.readings.items():
            if self._identities and identity not in self._identities:
                continue
            ticks = self._ticks.get(identity)
            if ticks is None:
                ticks = self._ticks[identity] = deque(maxlen=self._longest)
            ticks.append((wall, tuple(reading.value(key) for key in METRICS)))
            self.workloads[identity] = reading.workload

    def past(self, identity: WorkloadId, seconds: float | None = None) -> Past | None:
        """Return a workload's values of the last `seconds` up to the newest tick, or all; `None` if never seen."""
        workload = self.workloads.get(identity)
        if workload is None:
            return None
        since = None if seconds is None else self.last_wall - seconds
        ticks = [tick for tick in self._ticks[identity] if since is None or tick[0] > since]
        columns = {key: [values[index] for _, values in ticks] for index, key in enumerate(METRICS)}
        return Past(workload, [wall for wall, _ in ticks], columns)

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
