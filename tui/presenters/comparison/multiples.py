"""Small multiples: one metric of several workloads, each area under its own column, on one scale or its own. Plain."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from typing import NamedTuple

from tui.presenters.area import Area, columns, paint_area, row_of
from tui.presenters.charts.chart import peak_of
from tui.presenters.comparison.table import LABEL_WIDTH, Layout
from tui.presenters.pages.metric_groups import Entry, value_text
from tui.presenters.scale import tick_text, ticks, top_of
from tui.presenters.styled_lines import Line, Run, cut

_GAP = 2
"""Blank cells left of each area."""


class Multiples(NamedTuple):
    """What to draw."""

    entry: Entry
    lines: Sequence[Sequence[float]]
    """A line for each side, on one axis of time; NaN where there is no value."""
    has_own_scales: bool = False


def peak(lines: Sequence[Sequence[float]]) -> float:
    """Return the highest value of all lines; 0 if there is none."""
    return max((peak_of(line, ()) for line in lines), default=0.0)


def multiples(picture: Multiples, layout: Layout, height: int, ascii_only: bool = False) -> list[Line]:
    """Draw the areas as exactly `height` lines, the last one with numbers."""
    rows = height - 1
    if rows < 2:
        return [[] for _ in range(max(0, height))]
    unit = picture.entry.metric.unit
    common = top_of(peak(picture.lines), unit)
    width = max(1, layout.column - _GAP)
    count = columns(width, ascii_only)
    painted = []
    for line in picture.lines:
        means, highest = resampled(line, count)
        top = top_of(peak_of(line, ()), unit) if picture.has_own_scales else common
        painted.append(paint_area(Area(means, top, picture.entry.graph, highest), width, rows, ascii_only))
    labels = (
        {}
        if picture.has_own_scales
        else {row_of(tick, common, rows): tick_text(tick, unit) for tick in ticks(common, unit, rows)}
    )
    body: list[Line] = []
    for row in range(rows):
        runs: list[Run] = [(f"{labels.get(row, ''):>{LABEL_WIDTH}}", "muted")]
        for area in painted:
            runs += [(" " * (layout.column - width), "text"), *area[row]]
        body.append(runs)
    return [*body, _numbers(picture, layout, width)]


def _numbers(picture: Multiples, layout: Layout, width: int) -> Line:
    metric = picture.entry.metric
    runs: list[Run] = [(" " * LABEL_WIDTH, "text")]
    for line in picture.lines:
        present = [value for value in line if not isnan(value)]
        numbers: list[Run] = [("no values", "muted")]
        if present:
            mean, highest = value_text(metric, sum(present) / len(present)), value_text(metric, max(present))
            numbers = [("mean ", "muted"), (mean, "title"), ("  highest ", "muted"), (highest, "title")]
            if len(mean) + len(highest) + 15 > width:
                numbers = [(f"max {highest}", "muted")] if width > len(highest) + 4 else [(highest, "muted")]
        runs += [(" " * (layout.column - width), "text"), *cut(numbers, width)]
    return runs


def resampled(values: Sequence[float], count: int) -> tuple[list[float], list[float]]:
    """Return the means and the highest of `count` columns; fewer values stand at the right, with no highest."""
    if len(values) <= count:
        repeat = max(1, count // max(1, len(values)))
        return [value for value in values for _ in range(repeat)], []
    shares = [values[len(values) * index // count : len(values) * (index + 1) // count] for index in range(count)]
    present = [[value for value in share if not isnan(value)] for share in shares]
    means = [sum(share) / len(share) if share else nan for share in present]
    return means, [max(share) if share else nan for share in present]
