"""A comparison as plain text that fits 80 columns, and as a JSON document."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len

from collectors.comparison.side_by_side import Cell, Column, MetricRow
from collectors.comparison.window_statistics import STATS
from collectors.json_document import number, timestamp
from collectors.model.metrics import Metric
from tui.presenters.formatting import duration, fit, text

COMPARE_SCHEMA = "vmtop.compare/1"
BEST, WORST = "+", "!"
"""Stand behind the least and the most of a metric of which less is better."""
LABEL_WIDTH = 8
_WIDTH = 80
_PERCENT_WIDTH = 6
_PERCENT_LEAST = 16
"""Cells of a column that has room for the difference too."""
_COLUMN_LEAST, _COLUMN_MOST = 8, 24
_NAME_MOST = 22


def as_text(sides: Sequence[Column], rows: Sequence[MetricRow], stat: str = "mean", width: int = _WIDTH) -> str:
    """Return the table: a row a metric, a column a side, the difference to the first."""
    lines = [_span(side, place) for place, side in enumerate(sides, 1)]
    lines += ["", heading(sides, width, stat)]
    lines += [line(row, len(sides), stat, width) for row in rows if row.is_known]
    missing = [row.metric.label for row in rows if not row.is_known]
    lines += ["", f"{BEST} least and {WORST} most, where less is better; % is the difference to the first"]
    if missing:
        lines += wrapped(f"not known of any: {', '.join(missing)}", width)
    return "".join(f"{one.rstrip()}\n" for one in lines)


def wrapped(words: str, width: int) -> list[str]:
    """Break words into lines at spaces; a longer word has a line to itself, and no words are one empty line."""
    return textwrap.wrap(
        " ".join(words.split()),
        max(1, width),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _span(side: Column, place: int) -> str:
    past = side.past
    seconds = past.walls[-1] - past.walls[0] if past.walls else 0.0
    who = f"{past.workload.kind} by {past.workload.id.engine}"
    return fit(f"{place} {side.label}: {who}, {len(past.walls)} readings over {duration(seconds, 6).strip()}", _WIDTH)


def column_width(count: int, width: int) -> int:
    """Return the cells of one side's column."""
    return max(_COLUMN_LEAST, min((width - LABEL_WIDTH) // count, _COLUMN_MOST))


def heading(sides: Sequence[Column], width: int, stat: str) -> str:
    """Return the line of names over the columns."""
    room = column_width(len(sides), width)
    tail = 1 + (_PERCENT_WIDTH if room >= _PERCENT_LEAST else 0)
    names = ""
    for place, side in enumerate(sides, 1):
        name = fit(f"{place} {side.label}", room - 1).strip()
        names += (name + " " * max(0, min(tail, room - 1 - cell_len(name)))).rjust(room)
    return f"{stat.upper():<{LABEL_WIDTH}}{names}"


def line(row: MetricRow, count: int, stat: str, width: int) -> str:
    """Return the line of one metric."""
    room = column_width(count, width)
    cells = "".join(_cell(row, place, stat, room) for place in range(count))
    return f"{fit(row.metric.label, LABEL_WIDTH)}{cells}"


def _cell(row: MetricRow, place: int, stat: str, room: int) -> str:
    has_percent = room >= _PERCENT_LEAST
    cell = row.cells[place]
    mark = BEST if place == row.best else WORST if place == row.worst else " "
    shown = text(None if cell.stats is None else cell.stats.of(stat), row.metric.unit, min(7, room - 2)).strip()
    percent = _percent(cell) if has_percent and place else ""
    return f"{shown}{mark}{percent:>{_PERCENT_WIDTH if has_percent else 0}}".rjust(room)


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
                "values": [_values(row.metric, cell) for cell in row.cells],
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


def _values(metric: Metric, cell: Cell) -> dict[str, object]:
    told: dict[str, object] = {
        stat: number(metric, None if cell.stats is None else cell.stats.of(stat)) for stat in STATS
    }
    told["samples"] = 0 if cell.stats is None else cell.stats.ticks
    told["difference"] = number(metric, cell.difference)
    told["percent"] = None if cell.percent is None else round(cell.percent, 2)
    return told
