"""A comparison as plain text that fits 80 columns, and as a JSON document."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len

from collectors.analysis.empty_cells import lasting_reason
from collectors.comparison.side_by_side import Cell, Column, MetricRow
from collectors.comparison.window_statistics import STATS
from collectors.json_document import number, timestamp
from collectors.model.metrics import Metric
from tui.presenters.formatting import duration, fit, text

COMPARE_SCHEMA = "vmtop.compare/1"
BEST, WORST = "+", "!"
"""Marks after the lowest and the highest value of a metric where less is better."""
LABEL_WIDTH = 8
_WIDTH = 80
_PERCENT_WIDTH = 6
_PERCENT_LEAST = 16
"""The narrowest column, in cells, that shows the difference too."""
_COLUMN_LEAST, _COLUMN_MOST = 8, 24
_NAME_MOST = 22


def as_text(sides: Sequence[Column], rows: Sequence[MetricRow], stat: str = "mean", width: int = _WIDTH) -> str:
    """Return the table: one row per metric, one column per side, with the difference to the first."""
    lines = [_span(side, position) for position, side in enumerate(sides, 1)]
    lines += ["", heading(sides, width, stat)]
    lines += [line(row, len(sides), stat, width) for row in rows if row.is_known]
    missing = [row.metric.label for row in rows if not row.is_known]
    lines += ["", f"{BEST} least and {WORST} most, where less is better; % is the difference to the first"]
    if missing:
        lines += wrapped(f"unknown for all: {', '.join(missing)}", width)
    return "".join(f"{line_text.rstrip()}\n" for line_text in lines)


def wrapped(sentence: str, width: int) -> list[str]:
    """Break a sentence into lines at spaces. A longer word gets its own line; an empty sentence is one empty line."""
    return textwrap.wrap(
        " ".join(sentence.split()),
        max(1, width),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _span(side: Column, position: int) -> str:
    past = side.past
    seconds = past.walls[-1] - past.walls[0] if past.walls else 0.0
    description = f"{past.workload.kind} by {past.workload.id.engine}"
    return fit(
        f"{position} {side.label}: {description}, {len(past.walls)} readings over {duration(seconds, 6).strip()}",
        _WIDTH,
    )


def column_width(count: int, width: int) -> int:
    """Return the width of one side's column, in cells."""
    return max(_COLUMN_LEAST, min((width - LABEL_WIDTH) // count, _COLUMN_MOST))


def heading(sides: Sequence[Column], width: int, stat: str) -> str:
    """Return the line of names over the columns."""
    room = column_width(len(sides), width)
    mark_width = 1 + (_PERCENT_WIDTH if room >= _PERCENT_LEAST else 0)
    names = ""
    for position, side in enumerate(sides, 1):
        name = fit(f"{position} {side.label}", room - 1).strip()
        names += (name + " " * max(0, min(mark_width, room - 1 - cell_len(name)))).rjust(room)
    return f"{stat.upper():<{LABEL_WIDTH}}{names}"


def line(row: MetricRow, count: int, stat: str, width: int) -> str:
    """Return the line of one metric."""
    room = column_width(count, width)
    cells = "".join(_cell(row, index, stat, room) for index in range(count))
    return f"{fit(row.metric.label, LABEL_WIDTH)}{cells}"


def _cell(row: MetricRow, index: int, stat: str, room: int) -> str:
    has_percent = room >= _PERCENT_LEAST
    cell = row.cells[index]
    mark = BEST if index == row.best else WORST if index == row.worst else " "
    value_text = text(None if cell.stats is None else cell.stats.of(stat), row.metric.unit, min(7, room - 2)).strip()
    percent_text = _percent(cell) if has_percent and index else ""
    return f"{value_text}{mark}{percent_text:>{_PERCENT_WIDTH if has_percent else 0}}".rjust(room)


def _percent(cell: Cell) -> str:
    if cell.percent is None:
        return ""
    return f"{cell.percent:+.0f}%" if abs(cell.percent) < 1000 else f"x{cell.percent / 100 + 1:.0f}"


def document(
    sides: Sequence[Column], rows: Sequence[MetricRow], window_s: float | None, sessions: Sequence[str | None]
) -> dict[str, object]:
    """Return the comparison as plain values: every metric, also those that no side has."""
    return {
        "schema": COMPARE_SCHEMA,
        "window_seconds": window_s,
        "sides": [_side(side, session) for side, session in zip(sides, sessions, strict=True)],
        "metrics": [
            {
                "key": row.metric.key,
                "unit": str(row.metric.unit),
                "best": row.best,
                "worst": row.worst,
                "values": [_values(row.metric, cell, side) for cell, side in zip(row.cells, sides, strict=True)],
            }
            for row in rows
        ],
    }


def _side(side: Column, session: str | None) -> dict[str, object]:
    past = side.past
    return {
        "label": side.label,
        "kind": str(past.workload.kind),
        "engine": past.workload.id.engine,
        "id": past.workload.id.id,
        "name": past.workload.name,
        "session": session,
        "readings": len(past.walls),
        "from": timestamp(past.walls[0]) if past.walls else None,
        "to": timestamp(past.walls[-1]) if past.walls else None,
    }


def _values(metric: Metric, cell: Cell, side: Column) -> dict[str, object]:
    values: dict[str, object] = {
        stat: number(metric, None if cell.stats is None else cell.stats.of(stat)) for stat in STATS
    }
    values["samples"] = 0 if cell.stats is None else cell.stats.ticks
    values["difference"] = number(metric, cell.difference)
    values["percent"] = None if cell.percent is None else round(cell.percent, 2)
    if cell.stats is None:
        values["reason"] = lasting_reason(metric.key, side.past.workload)
    return values
