"""A comparison as plain text that fits 80 columns, and as a JSON document."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from collectors.analysis.empty_cells import lasting_reason
from collectors.comparison.side_by_side import Cell, Column, MetricRow
from collectors.comparison.window_statistics import STATS
from collectors.json_document import number, timestamp
from collectors.model.metrics import Metric
from tui.presenters.comparison.table import heading, layout_of, rows_of, table_lines
from tui.presenters.formatting import duration, fit
from tui.presenters.styled_lines import plain_text

COMPARE_SCHEMA = "vmtop.compare/1"
_WIDTH = 80


def as_text(sides: Sequence[Column], rows: Sequence[MetricRow], stat: str = "mean", width: int = _WIDTH) -> str:
    """Return the table: one row per metric in groups, one column per side, with the difference to the first."""
    layout = layout_of(len(sides), width)
    table, _ = table_lines(rows_of(sides, rows, stat), layout)
    lines = [_span(side, position) for position, side in enumerate(sides, 1)]
    lines += ["", f"{stat} of each metric" + ("; differences are to 1" if len(sides) > 1 else "")]
    lines += [plain_text(line) for line in (heading(sides, layout), *table)]
    reasons = _reasons(sides, rows)
    lines += ["", "Not measured:"] if reasons else []
    for reason, labels in reasons.items():
        lines += [f"  {line}" for line in wrapped(f"{', '.join(labels)}: {reason}", width - 4)]
    return "".join(f"{line_text.rstrip()}\n" for line_text in lines)


def _reasons(sides: Sequence[Column], rows: Sequence[MetricRow]) -> dict[str, list[str]]:
    """Return which metrics have no value, and for which sides if others have one, by the reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        places: dict[str, list[int]] = {}
        for place, (cell, side) in enumerate(zip(row.cells, sides, strict=True), 1):
            if cell.stats is None:
                places.setdefault(lasting_reason(row.metric.key, side.past.workload), []).append(place)
        for reason, numbers in places.items():
            of = "" if len(numbers) == len(sides) else f" of {', '.join(map(str, numbers))}"
            reasons.setdefault(reason or "no source reports it", []).append(f"{row.metric.label}{of}")
    return reasons


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
    host = f" on {past.workload.id.host}" if past.workload.id.host else ""
    description = f"{past.workload.kind} by {past.workload.id.engine}{host}"
    return fit(
        f"{position} {side.label}: {description}, {len(past.walls)} readings over {duration(seconds, 6).strip()}",
        _WIDTH,
    )


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
        "host": past.workload.id.host or None,
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
