"""Rows that stand as they were formatted, for as long as nothing in them can have changed. Plain, no Textual.

On a host at rest most rows are the same from tick to tick. A row whose workload and values have been the same for
longer than the past that it shows follows from nothing but these, and from a few things around it.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.analysis.last_minute import SPAN_S
from collectors.analysis.rates import Reading
from collectors.model.workloads import WorkloadId
from tui.presenters.table.cell import Cell

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

    def is_at_rest(self, reading: Reading, at_ns: int, interval_s: float) -> bool:
        """Return whether a row has been the same for longer than the past that it shows. Notes those that have not.

        Args:
            reading: What the row shows now.
            at_ns: The instant of its moment.
            interval_s: Seconds between moments.
        """
        identity = reading.workload.id
        row = self._rows.get(identity)
        if row is None or at_ns < row.since_ns or not reading.is_unchanged_since(row.reading):
            if len(self._rows) >= _KEPT:
                self._rows.clear()
            self._rows[identity] = _Row(reading, at_ns)
            return False
        return at_ns - row.since_ns > (SPAN_S + 2 * interval_s) * 1e9

    def get(self, identity: WorkloadId, around: object) -> list[Cell] | None:
        """Return a row at rest as it was formatted; `None` if it has to be formatted anew.

        Args:
            identity: Of its workload.
            around: All that the row follows from besides its reading and its past.
        """
        row = self._rows[identity]
        return row.shown if row.around == around else None

    def keep(self, identity: WorkloadId, around: object, shown: list[Cell]) -> None:
        """Keep a row at rest as it was formatted."""
        self._rows[identity] = self._rows[identity]._replace(around=around, shown=shown)
