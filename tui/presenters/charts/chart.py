"""A chart of one metric: the area with its scale, limit and times, as lines of coloured text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from collectors.model.metrics import Unit
from tui.presenters.area import Area, area_rows, axis_line, columns, paint_area, row_of
from tui.presenters.charts.limits import Limit
from tui.presenters.charts.time_axis import TimeAxis
from tui.presenters.formatting import stamp
from tui.presenters.scale import tick_text, ticks
from tui.presenters.styled_lines import Line, Run

LABEL_WIDTH = 8
"""Cells left of the area: a tick and a space."""
_LEAST = (LABEL_WIDTH + 12, 5)
_BELOW = 2
"""Rows below the area: the axis and its times."""


class Chart(NamedTuple):
    """What to draw."""

    name: str
    unit: Unit
    graph: str
    """One of `area.GRAPHS`."""
    means: Sequence[float]
    """One per column of dots, oldest first; NaN is a gap."""
    highest: Sequence[float]
    """As long as the means; empty where a column covers one sample."""
    column_s: float
    """Seconds that a column of dots covers."""
    end_wall: float
    """Wall time of the right edge."""
    top: float
    limit: Limit | None = None
    restarts: Sequence[float] = ()
    """Wall times."""
    end_label: str = "now"


def plot_width(width: int) -> int:
    """Return how many cells of a chart are its area's."""
    return max(0, width - LABEL_WIDTH)


def chart_lines(chart: Chart, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """Draw a chart as exactly `height` lines of `width` cells; one that is too small stays empty."""
    if width < _LEAST[0] or height < _LEAST[1]:
        return [[(" " * max(0, width), "text")] for _ in range(max(0, height))]
    cells, rows = plot_width(width), height - _BELOW
    limit = chart.limit if chart.limit is not None and chart.limit.value <= chart.top else None
    area = Area(
        chart.means, chart.top, chart.graph, chart.highest,
        None if limit is None else limit.value, "" if limit is None else limit.words,
    )  # fmt: skip
    labels = _tick_labels(chart, area, rows)
    body: list[Line] = [
        [(f"{labels.get(row, ''):>{LABEL_WIDTH - 1}} ", "muted"), *line]
        for row, line in enumerate(paint_area(area, cells, rows, ascii_only))
    ]
    cell_s = chart.column_s * columns(1, ascii_only)
    axis = TimeAxis(chart.end_wall - cells * cell_s, cell_s, cells, chart.end_label)
    times, marks = axis.labels()
    margin: Run = (" " * LABEL_WIDTH, "text")
    body.append([margin, *axis_line(cells, [axis.cell(wall) for wall in chart.restarts], marks, ascii_only)])
    body.append([margin, (times, "muted")])
    return body


def _tick_labels(chart: Chart, area: Area, height: int) -> dict[int, str]:
    """Return the labels by row; the limit's row has the limit's value."""
    rows = area_rows(area, height)
    first = height - rows
    labels = {
        first + row_of(tick, chart.top, rows): tick_text(tick, chart.unit)
        for tick in ticks(chart.top, chart.unit, rows)
    }
    if area.limit is not None:
        if first:
            labels.pop(first, None)
        labels[0 if first else row_of(area.limit, chart.top, rows)] = tick_text(area.limit, chart.unit)
    return labels


def column_words(column_s: float, interval_s: float) -> str:
    """Return what a column of dots shows where it covers several samples."""
    span = tick_text(column_s, Unit.SECONDS).replace("s", " s").replace("m", " min").replace("h", " h")
    sample = "second" if 0.9 <= interval_s <= 1.1 else "sample"
    return f"filled: mean of {span} · above it: the highest {sample}"


def gap_words(gaps: Sequence[tuple[float, float | None]]) -> str:
    """Return the newest gap in words, and how many there are before it; empty without one."""
    if not gaps:
        return ""
    start, end = gaps[-1]
    since = stamp(start, "%H:%M:%S")
    words = f"no data since {since}" if end is None else f"no data {since} to {stamp(end, '%H:%M:%S')}"
    return words + (
        f" and in {len(gaps) - 1} other gaps" if len(gaps) > 2 else " and in one other gap" if len(gaps) == 2 else ""
    )


def peak_of(means: Sequence[float], highest: Sequence[float]) -> float:
    """Return the highest value that is shown; 0 if there is none."""
    return max((value for value in highest or means if not isnan(value)), default=0.0)
