"""Two to eight workloads side by side: a row a metric, a column a workload, the difference to the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collectors.comparison.window import Past, Statistics, statistics
from collectors.model.metrics import METRICS, Metric

MOST = 8
"""Sides of one comparison."""
_EQUAL = 0.01
"""Sides that differ by less than this share are neither best nor worst."""


class Column(NamedTuple):
    """One column."""

    label: str
    """The workload's name; of a session, with the session's."""
    past: Past


class Cell(NamedTuple):
    """One value of a row."""

    stats: Statistics | None
    """`None`: not known in this window."""
    difference: float | None
    """Its statistic less the first side's, in the metric's unit."""
    percent: float | None
    """The same as a share of the first side's; `None` where that is 0."""


class MetricRow(NamedTuple):
    """One metric of all sides, compared by one statistic."""

    metric: Metric
    cells: tuple[Cell, ...]
    best: int | None
    """Which side has the least of a metric of which less is better; `None` where they are about equal."""
    worst: int | None

    @property
    def is_known(self) -> bool:
        """Whether at least one side has it."""
        return any(cell.stats is not None for cell in self.cells)


def side_by_side(sides: Sequence[Column], stat: str = "mean") -> list[MetricRow]:
    """Return a row for every metric, also those that no side has; differences are of one of `STATS`."""
    rows = []
    for key, metric in METRICS.items():
        rows.append(_row(metric, [statistics(side.past.values.get(key, ())) for side in sides], stat))
    return rows


def _row(metric: Metric, found: Sequence[Statistics | None], stat: str) -> MetricRow:
    first = found[0]
    cells = tuple(_cell(one, first, stat) for one in found)
    best = worst = None
    known = [(one.of(stat), place) for place, one in enumerate(found) if one is not None]
    if metric.less_is_better and len(known) > 1:
        least, most = min(known), max(known)
        if most[0] - least[0] > max(abs(most[0]) * _EQUAL, metric.least_visible):
            best, worst = least[1], most[1]
    return MetricRow(metric, cells, best, worst)


def _cell(one: Statistics | None, first: Statistics | None, stat: str) -> Cell:
    if one is None or first is None:
        return Cell(one, None, None)
    base = first.of(stat)
    difference = one.of(stat) - base
    return Cell(one, difference, difference / base * 100 if base else None)
