"""Rows that stand as they were formatted, for as long as nothing in them can have changed. Plain, no Textual.

On a host at rest most rows are the same from tick to tick. A row whose workload and values have been the same for
longer than the past that it shows follows from nothing but these, and from a few things around it. Before that it also
follows from what it shows of that past, which costs less to compare than all of it to format.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collectors.analysis.last_minute import SPAN_S, LastMinute
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Workload, WorkloadId
from tui.presenters.main_screen.fact_cells import uptime_of
from tui.presenters.main_screen.resting_rows import has_changed, is_new
from tui.presenters.table.cell import Cell
from tui.presenters.table.columns import Column

_KEPT = 512
"""Rows that are kept at most: several screens full."""


Uptime = tuple[str, bool]
"""What a row has in this column, and whether it ends with it: then a second more has only the end made anew."""


class _Row(NamedTuple):
    reading: Reading
    since_ns: int
    """The instant from which on it was the same."""
    around: object = None
    shown: list[Cell] | None = None
    """The row as it was formatted; `None` until it has been at rest for long enough."""
    uptime: Uptime = ("", False)


class CalmRows:
    """Keeps rows that are at rest, by their workloads."""

    def __init__(self) -> None:
        self._rows: dict[WorkloadId, _Row] = {}

    def rest_ns(self, reading: Reading, at_ns: int) -> int | None:
        """Return for how long a row's workload and values have been the same; `None` if they are not. Notes those.

        Args:
            reading: What the row shows now.
            at_ns: The instant of its moment.
        """
        identity = reading.workload.id
        row = self._rows.get(identity)
        if row is None or at_ns < row.since_ns or not reading.is_unchanged_since(row.reading):
            if len(self._rows) >= _KEPT:
                self._rows.clear()
            self._rows[identity] = _Row(reading, at_ns)
            return None
        return at_ns - row.since_ns

    def get(self, identity: WorkloadId, around: object, uptime: Uptime) -> list[Cell] | None:
        """Return a row as it was formatted, with its uptime; `None` if it has to be formatted anew.

        Args:
            identity: Of its workload.
            around: All that the row follows from besides its reading and its uptime.
            uptime: As of now.
        """
        row = self._rows[identity]
        if row.shown is None or row.around != around or row.uptime[1] != uptime[1]:
            return None
        if row.uptime != uptime:
            if not uptime[1]:
                return None
            *others, last = row.shown
            shown = [*others, last._replace(text=last.text.removesuffix(row.uptime[0]) + uptime[0])]
            row = self._rows[identity] = row._replace(shown=shown, uptime=uptime)
        return row.shown

    def keep(self, identity: WorkloadId, around: object, shown: list[Cell], uptime: Uptime) -> None:
        """Keep a row as it was formatted."""
        self._rows[identity] = self._rows[identity]._replace(around=around, shown=shown, uptime=uptime)


def is_past_over(rest_ns: int, interval_s: float) -> bool:
    """Whether a row has been the same for longer than the past that it shows.

    Args:
        rest_ns: For how long it has been the same.
        interval_s: Seconds between moments.
    """
    return rest_ns > (SPAN_S + 2 * interval_s) * 1e9


def recent_of(
    identity: WorkloadId, states: StateLog, wall: float, minute: LastMinute, columns: Sequence[Column]
) -> Iterator[object]:
    """Yield what a row shows of its past, to be compared: NaN, where nothing was sampled, is the same as NaN."""
    yield is_new(states, identity, wall)
    yield has_changed(states, identity, wall)
    for column in columns:
        if column.is_spark:
            yield array("d", minute.means(identity, column.metric or "", column.width)).tobytes()
        elif column.is_change:
            yield minute.change(identity, column.metric or "")


def uptime_text(workload: Workload, moment: Moment, columns: Sequence[Column]) -> Uptime:
    """Return what a row of a workload that runs has in the column of that name, and whether the row ends with it."""
    for column in columns:
        if column.key == "uptime":
            return uptime_of(workload, moment, column.width), column is columns[-1]
    return "", False
