"""The last minute of a history, whatever the interval: means for a sparkline's cells, and the change of a value."""

from __future__ import annotations

from itertools import starmap
from math import nan

from collectors.analysis.history import History
from collectors.model.workloads import WorkloadId

SPAN_S = 60.0
SLOT_S = 4.0
LEAST_S = 20.0
"""Seconds of history from which on a change is told: over a shorter time it would be noise."""


class LastMinute:
    """Reads a history. What depends on the clock alone is computed once a tick, for all workloads.

    A cell stands for `60 s / cells`, and its edges lie on whole multiples of that: a sparkline moves by whole cells.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._as_of: tuple[int, ...] = ()
        self._instants: list[float] = []
        """Seconds of the last ticks, oldest first: the minute, and one before it; NaN in a gap."""
        self._slices: dict[int, list[tuple[int, int]]] = {}
        self._parts: dict[int, list[tuple[slice, int]]] = {}
        """Where each cell has a tick, the same with their numbers: what needs no look at gaps."""
        self._filled: dict[int, tuple[bool, ...]] = {}

    def means(self, identity: WorkloadId, key: str, cells: int) -> list[float]:
        """Return the mean of each part of the minute, oldest first, exactly `cells` of them; NaN: nothing sampled."""
        slices = self._slices_of(cells)
        values = self._history.recent(identity, key, len(self._instants))
        parts = self._parts.get(cells)
        if parts is not None and (total := sum(values)) == total:
            return [sum(values[part]) / count for part, count in parts]
        return [
            values[start] if end - start == 1 else _mean(values[start:end]) if end > start else nan
            for start, end in slices
        ]

    def filled(self, cells: int) -> tuple[bool, ...]:
        """Return for each part of the minute, oldest first, whether there was a tick in it."""
        self._update()
        filled = self._filled.get(cells)
        if filled is None:
            filled = self._filled[cells] = tuple([end > start for start, end in self._slices_of(cells)])
        return filled

    def change(self, identity: WorkloadId, key: str) -> float | None:
        """Return by how much a metric changed, per minute and in its unit; `None` where that is not known.

        It is the newest value less the oldest of the minute, and `None` before there are `LEAST_S` of history.
        """
        self._update()
        values = self._history.recent(identity, key, len(self._instants))
        if len(values) < 2 or values[-1] != values[-1]:
            return None
        oldest = next(index for index, value in enumerate(values) if value == value)
        seconds = self._instants[-1] - self._instants[oldest]
        return (values[-1] - values[oldest]) * SPAN_S / seconds if seconds >= LEAST_S else None

    @property
    def slot(self) -> tuple[int, ...]:
        """A value that changes every `SLOT_S` seconds, and when the history is another one or is held."""
        self._update()
        replacements, ticks, held = self._as_of
        newest = self._instants[-1] if self._instants else 0.0
        return replacements, held, int(newest // SLOT_S) if newest == newest else ticks

    def _update(self) -> None:
        history = self._history
        as_of = history.replacements, history.ticks, -1 if history.held_at is None else history.held_at
        if as_of != self._as_of:
            self._as_of = as_of
            self._slices.clear()
            self._parts.clear()
            self._filled.clear()
            self._instants = history.instants(SPAN_S)

    def _slices_of(self, cells: int) -> list[tuple[int, int]]:
        """Return the ticks of each cell, as start and end in `_instants`."""
        self._update()
        slices = self._slices.get(cells)
        if slices is None:
            slices = self._slices[cells] = _slices(self._instants, cells)
            counts = [end - start for start, end in slices]
            if all(counts):
                self._parts[cells] = [*zip(starmap(slice, slices), counts, strict=True)]
        return slices


def _slices(instants: list[float], cells: int) -> list[tuple[int, int]]:
    slices = [(0, 0)] * cells
    if not instants or instants[-1] != instants[-1]:
        return slices
    cell_s = SPAN_S / cells
    first = int(instants[-1] // cell_s) - cells + 1
    for index, second in enumerate(instants):
        cell = int(second // cell_s) - first if second == second else -1
        if cell >= 0:
            start, end = slices[cell]
            slices[cell] = (start, index + 1) if end else (index, index + 1)
    for cell in range(cells - 2, -1, -1):  # a sample stands for the time since the one before it
        following, end = slices[cell + 1]
        if not slices[cell][1] and end and following and instants[following - 1] == instants[following - 1]:
            slices[cell] = following, following + 1
    return slices


def _mean(values: list[float]) -> float:
    mean = sum(values) / len(values)
    if mean == mean:
        return mean
    known = [value for value in values if value == value]
    return sum(known) / len(known) if known else nan
