"""A session as rows: a workload at an instant, with its metrics. What exports write, and what a step of time is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from collectors.analysis.rates import Deriver, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload
from collectors.query.filter import Query
from collectors.session.reader import Session

_WARM_UP_S = 60.0
"""What is read before the first row, so that also slow sources have two samples."""


class Row(NamedTuple):
    """One workload at one instant."""

    wall: float
    reading: Reading


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a session is wanted."""

    start: float | None = None
    """Wall time."""
    stop: float | None = None
    step_s: float = 0.0
    """Seconds between rows; rates are over the whole step. 0 takes every frame."""
    names: tuple[str, ...] = ()
    """Names, patterns with `*`, ids, their beginnings, or `kind:name`. None at all takes all, and the host."""
    query: Query | None = None
    only: str | None = None
    metrics: tuple[str, ...] = tuple(METRICS)

    def takes(self, reading: Reading) -> bool:
        """Return whether a workload is wanted."""
        workload = reading.workload
        if self.only is not None and workload.kind != self.only:
            return False
        if self.names and not any(_is_named(workload, name) for name in self.names):
            return False
        return self.query is None or self.query.matches(reading)


def _is_named(workload: Workload, wanted: str) -> bool:
    kind, colon, name = wanted.partition(":")
    if colon and kind == workload.kind and fnmatchcase(workload.name, name):
        return True
    return fnmatchcase(workload.name, wanted) or (len(wanted) >= 3 and workload.id.id.startswith(wanted))


def rows(session: Session, selection: Selection, tell: Callable[[float], None] = lambda wall: None) -> Iterator[Row]:
    """Yield the rows in order of time. A session's first frame has no rates, as on the screen.

    Args:
        session: The session to read.
        selection: What.
        tell: Called with the wall time of each frame, for whoever shows progress.
    """
    deriver = Deriver()
    due = None
    start, step_s = selection.start, selection.step_s
    for _, frame in session.frames(None if start is None else start - max(_WARM_UP_S, step_s * 2), selection.stop):
        tell(frame.wall)
        if start is not None and frame.wall < start:
            if not step_s or frame.wall <= start - step_s:
                deriver.feed(frame)  # so that the first row has rates
            continue
        if due is not None and frame.wall < due:
            continue
        if selection.step_s:
            due = (frame.wall if due is None or frame.wall - due > selection.step_s else due) + selection.step_s
        moment = deriver.feed(frame)
        for reading in (moment.host, *moment.readings.values()):
            if selection.takes(reading):
                yield Row(frame.wall, reading)
