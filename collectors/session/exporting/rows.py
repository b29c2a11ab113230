"""A session as rows for export: one workload at one instant, with its metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from collectors.analysis.rates import Deriver, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Workload
from collectors.query.filter import Query
from collectors.session.frame_sequence import FrameSequence

_WARM_UP_S = 60.0
"""Seconds read before the first row, so that slow sources have two samples too."""


class Row(NamedTuple):
    """One workload at one instant."""

    wall: float
    reading: Reading
    host: str = ""
    """The name of the host that it is on, also where that is the one on which the session was made."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a session to export."""

    start: float | None = None
    """Wall time of the first row; `None` for the session's start."""
    stop: float | None = None
    """Wall time of the last row; `None` for the session's end."""
    step_s: float = 0.0
    """Seconds between rows; rates are over the whole step. 0 takes every frame."""
    names: tuple[str, ...] = ()
    """Names, patterns with `*`, ids, their beginnings, or `kind:name`. Empty selects all workloads and the host."""
    query: Query | None = None
    only: str | None = None
    """A kind of workload; `None` selects every kind."""
    metrics: tuple[str, ...] = tuple(METRICS)

    hosts: tuple[str, ...] = ()
    """Names of hosts, or patterns; empty selects all."""

    def takes(self, reading: Reading, own_name: str = "") -> bool:
        """Return whether a workload is selected.

        Args:
            reading: The workload.
            own_name: The name of the host on which the session was made.
        """
        workload = reading.workload
        if not self.takes_host(workload.id.host or own_name):
            return False
        if self.only is not None and workload.kind != self.only:
            return False
        if self.names and not any(_is_named(workload, name) for name in self.names):
            return False
        return self.query is None or self.query.matches(reading)

    def takes_host(self, name: str) -> bool:
        """Return whether a host is selected, by its name."""
        return not self.hosts or any(fnmatchcase(name, pattern) for pattern in self.hosts)


def _is_named(workload: Workload, pattern: str) -> bool:
    kind, colon, name = pattern.partition(":")
    if colon and kind == workload.kind and fnmatchcase(workload.name, name):
        return True
    return fnmatchcase(workload.name, pattern) or (len(pattern) >= 3 and workload.id.id.startswith(pattern))


def rows(
    session: FrameSequence, selection: Selection, report_progress: Callable[[float], None] = lambda wall: None
) -> Iterator[Row]:
    """Yield the rows in order of time. A session's first frame has no rates, as on the screen.

    Args:
        session: The session to read.
        selection: The rows to yield.
        report_progress: Called with the wall time of each frame.
    """
    deriver = Deriver()
    for frame in sampled(session, selection, deriver, report_progress):
        moment = deriver.feed(frame)
        own_name = frame.facts.get("hostname") or frame.host.name
        own = () if frame.hosts and frame.host.id not in frame.samples else (moment.host,)
        for reading in (*own, *moment.readings.values()):
            if selection.takes(reading, own_name):
                yield Row(frame.wall, reading, reading.workload.id.host or own_name)


def sampled(
    session: FrameSequence, selection: Selection, deriver: Deriver, report_progress: Callable[[float], None]
) -> Iterator[Frame]:
    """Yield the frames of a selection, a step apart, for a deriver to which some before the first were fed."""
    due = None
    start, step_s = selection.start, selection.step_s
    for _, frame in session.frames(None if start is None else start - max(_WARM_UP_S, step_s * 2), selection.stop):
        report_progress(frame.wall)
        if start is not None and frame.wall < start:
            if not step_s or frame.wall <= start - step_s:
                deriver.feed(frame)  # so that the first row has rates
            continue
        if due is not None and frame.wall < due:
            continue
        if step_s:
            due = (frame.wall if due is None or frame.wall - due > step_s else due) + step_s
        yield frame
