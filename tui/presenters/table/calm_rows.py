"""Rows that stand as they were formatted, for as long as nothing in them can have changed. Plain, no Textual.

On a host at rest most rows are the same from tick to tick. A row whose workload and values have been the same for
longer than the past that it shows follows from nothing but these, and from a few things around it. Before that it also
follows from what it shows of that past, which costs less to compare than all of it to format.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from collectors.analysis.last_minute import SPAN_S, LastMinute
from collectors.analysis.rates import Reading
from collectors.model.workloads import WorkloadId
from tui.presenters.table.cell import Cell
from tui.presenters.table.columns import Column

_KEPT = 512
"""Rows that are kept at most: several screens full."""


class _Row(NamedTuple):
    reading: Reading
    since_ns: int
    """The instant from which on it was the same."""
    around: object = None
    shown: list[Cell] | None = None
    """The row as it was formatted; `None` until it has been at rest for long enough."""


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

    def get(self, identity: WorkloadId, around: object) -> list[Cell] | None:
        """Return a row as it was formatted; `None` if it has to be formatted anew.

        Args:
            identity: Of its workload.
            around: All that the row follows from besides its reading.
        """
        row = self._rows[identity]
        return row.shown if row.around == around else None

    def keep(self, identity: WorkloadId, around: object, shown: list[Cell]) -> None:
        """Keep a row as it was formatted."""
        self._rows[identity] = self._rows[identity]._replace(around=around, shown=shown)


def is_past_over(rest_ns: int, interval_s: float) -> bool:
    """Whether a row has been the same for longer than the past that it shows.

    Args:
        rest_ns: For how long it has been the same.
        interval_s: Seconds between moments.
    """
    return rest_ns > (SPAN_S + 2 * interval_s) * 1e9


def past_of(identity: WorkloadId, minute: LastMinute, columns: Sequence[Column]) -> list[object]:
    """Return what a row shows of its past, to be compared: NaN, where nothing was sampled, is the same as NaN."""
    return [
        array("d", minute.means(identity, column.metric or "", column.width)).tobytes()
        if column.is_spark
        else minute.change(identity, column.metric or "")
        for column in columns
        if column.is_spark or column.is_change
    ]
