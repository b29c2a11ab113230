"""The values of some workloads over a window of time, and what they come to. Pure and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from collectors.analysis.rates import Deriver, Moment
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Workload, WorkloadId

LONGEST = 3600
"""Ticks kept of each workload."""
WARM_UP_S = 60.0
"""What is read before a window, so that also slow sources have rates at its beginning."""


class Statistics(NamedTuple):
    """What a metric of a workload came to over a window. All in the metric's unit."""

    ticks: int
    """Values that there were; ticks without one do not count."""
    last: float
    mean: float
    p50: float
    p95: float
    max: float

    def of(self, stat: str) -> float:
        """Return one of `STATS` by its name."""
        return float(getattr(self, stat))


STATS = ("mean", "p50", "p95", "max", "last")
"""What two workloads can be compared by."""


def statistics(values: Iterable[float | None]) -> Statistics | None:
    """Return the statistics of values; `None` if none of them is known.

    Percentiles are by the nearest rank: the smallest value that at least so many percent of all do not exceed.
    """
    known = [value for value in values if value is not None and isfinite(value)]
    if not known:
        return None
    ordered = sorted(known)
    return Statistics(
        len(known), known[-1], sum(known) / len(known), _ranked(ordered, 50), _ranked(ordered, 95), ordered[-1]
    )


def _ranked(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Past(NamedTuple):
    """One workload's values in a window."""

    workload: Workload
    walls: list[float]
    values: dict[str, list[float | None]]
    """By metric, a value for each wall time."""


class Window:
    """Keeps every metric of some workloads.

    Args:
        identities: Whom; all of a moment when there are none.
        longest: Ticks to keep.
    """

    def __init__(self, identities: Iterable[WorkloadId] = (), longest: int = LONGEST) -> None:
        self._wanted = frozenset(identities)
        self._longest = longest
        self._ticks: dict[WorkloadId, deque[tuple[float, tuple[float | None, ...]]]] = {}
        self.workloads: dict[WorkloadId, Workload] = {}
        """As they were when last seen."""
        self.first_wall: float | None = None
        self.last_wall = 0.0

    def feed(self, moment: Moment) -> None:
        """Take in the next moment."""
        wall = moment.frame.wall
        self.first_wall = wall if self.first_wall is None else self.first_wall
        self.last_wall = wall
        for identity, reading in moment.readings.items():
            if self._wanted and identity not in self._wanted:
                continue
            ticks = self._ticks.get(identity)
            if ticks is None:
                ticks = self._ticks[identity] = deque(maxlen=self._longest)
            ticks.append((wall, tuple(reading.value(key) for key in METRICS)))
            self.workloads[identity] = reading.workload

    def past(self, identity: WorkloadId, seconds: float | None = None) -> Past | None:
        """Return a workload's values of the last so many seconds before the newest tick; `None` if it was not seen."""
        workload = self.workloads.get(identity)
        if workload is None:
            return None
        since = None if seconds is None else self.last_wall - seconds
        ticks = [tick for tick in self._ticks[identity] if since is None or tick[0] > since]
        columns = {key: [values[place] for _, values in ticks] for place, key in enumerate(METRICS)}
        return Past(workload, [wall for wall, _ in ticks], columns)

    def pasts(self, frame: Frame) -> list[Past]:
        """Return the values of every active workload of a frame that was seen."""
        active = (identity for identity, workload in frame.workloads.items() if workload.state.is_active)
        return [past for identity in active if (past := self.past(identity)) is not None]


def fill(frames: Iterable[Frame], identities: Iterable[WorkloadId], since: float, longest: int = LONGEST) -> Window:
    """Return the window of frames after a wall time; those before it only give the first of them their rates."""
    window, deriver = Window(identities, longest=longest), Deriver()
    for frame in frames:
        moment = deriver.feed(frame)
        if frame.wall > since:
            window.feed(moment)
    return window
