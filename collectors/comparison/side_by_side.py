"""Two to eight workloads side by side: a row per metric, a column per workload, differences to the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collectors.comparison.window_statistics import Past, Statistics, statistics
from collectors.model.metrics import METRICS, Metric

MOST = 8
"""Most sides of one comparison."""
_EQUAL = 0.01
"""Sides that differ by less than this share are neither best nor worst."""


class Column(NamedTuple):
    """One workload of the comparison."""

    label: str
    """The workload's name; for a session, with the session's name."""
    past: Past


class Cell(NamedTuple):
    """One value of a row."""

    stats: Statistics | None
    """`None` if unknown in this window."""
    difference: float | None
    """Its statistic minus the first side's, in the metric's unit; `None` if one is unknown."""
    percent: float | None
    """The difference in percent of the first side's value; `None` if that is 0 or unknown."""


class MetricRow(NamedTuple):
    """One metric of all sides, compared by one statistic."""

    metric: Metric
    cells: tuple[Cell, ...]
    best: int | None
    """Index of the side with the lowest value, if less is better for the metric; `None` if they are about equal."""
    worst: int | None
    """Index of the side with the highest value, under the same conditions."""

    @property
    def is_known(self) -> bool:
        """Whether at least one side has a value."""
        return any(cell.stats is not None for cell in self.cells)


def side_by_side(sides: Sequence[Column], stat: str = "mean") -> list[MetricRow]:
    """Return a row for every metric, also for those that no side has; `stat` is one of `STATS`."""
    rows = []
    for key, metric in METRICS.items():
        rows.append(_row(metric, [statistics(side.past.values.get(key, ())) for side in sides], stat))
    return rows


def _row(metric: Metric, sides: Sequence[Statistics | None], stat: str) -> MetricRow:
    first = sides[0]
    cells = tuple(_cell(stats, first, stat) for stats in sides)
    best = worst = None
    values = [(stats.of(stat), index) for index, stats in enumerate(sides) if stats is not None]
    if metric.less_is_better and len(values) > 1:
        least, most = min(values), max(values)
        if most[0] - least[0] > max(abs(most[0]) * _EQUAL, metric.least_visible):
            best, worst = least[1], most[1]
    return MetricRow(metric, cells, best, worst)


def _cell(stats: Statistics | None, first: Statistics | None, stat: str) -> Cell:
    if stats is None or first is None:
        return Cell(stats, None, None)
    base = first.of(stat)
    difference = stats.of(stat) - base
    return Cell(stats, difference, difference / base * 100 if base else None)
