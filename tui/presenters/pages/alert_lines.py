"""The list of alerts: those that are active, then those that are over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collectors.alerts.alert import Alert
from collectors.alerts.rule import Level
from collectors.alerts.told import OVER, Told
from tui.presenters.formatting import duration, fit, stamp
from tui.presenters.styled_lines import Line, Run, cut
from tui.presenters.table.gutter import LEVEL_TONES as TONES

_SIGNS = {Level.INFO: ("·", "."), Level.WARNING: ("!", "!"), Level.CRITICAL: ("▲", "^")}
_NAME, _RULE, _SPAN = 20, 16, 6
_MOST_OVER = 200
"""Alerts that are over and that are listed, the newest first."""


class AlertRow(NamedTuple):
    """An alert as the list shows it, from a watch or from the events of a session."""

    rule: str
    level: Level
    name: str
    """What it is about."""
    sentence: str
    began_wall: float
    ended_wall: float | None = None
    end: str = ""
    is_acknowledged: bool = False


def row_of(alert: Alert | Told) -> AlertRow:
    """Return the row of an alert."""
    if isinstance(alert, Told):
        return AlertRow(
            alert.rule, alert.level, alert.title, alert.sentence, alert.began_wall, alert.ended_wall, alert.end
        )
    rule = alert.rule
    return AlertRow(
        rule.name,
        rule.level,
        alert.title,
        alert.sentence,
        alert.began_wall,
        alert.ended_wall,
        alert.end,
        alert.is_acknowledged,
    )


def alert_lines(
    rows: Sequence[AlertRow], wall: float, width: int, ascii_only: bool
) -> tuple[list[Line], list[int | None]]:
    """Return the lines of the list, and for each the index of its row; `None` for a heading.

    Args:
        rows: All alerts.
        wall: The wall time of the moment.
        width: Cells of a line.
        ascii_only: Draw with ASCII only.
    """
    active = [index for index, row in enumerate(rows) if row.ended_wall is None]
    over = sorted(
        (index for index, row in enumerate(rows) if row.ended_wall is not None),
        key=lambda index: -(rows[index].ended_wall or 0.0),
    )
    active.sort(key=lambda index: (-rows[index].level.rank, -rows[index].began_wall))
    lines: list[Line] = []
    keys: list[int | None] = []
    for title, indices in ((f"Active: {len(active)}", active), (f"Over: {len(over)}", over[:_MOST_OVER])):
        lines.append([(f" {title}", "title")])
        keys.append(None)
        for index in indices:
            lines.append(_line(rows[index], wall, width, ascii_only))
            keys.append(index)
        lines.append([])
        keys.append(None)
    return lines[:-1], keys[:-1]


def _line(row: AlertRow, wall: float, width: int, ascii_only: bool) -> Line:
    tone = TONES[row.level] if row.ended_wall is None and not row.is_acknowledged else "muted"
    until = wall if row.ended_wall is None else row.ended_wall
    span = duration(max(0.0, until - row.began_wall), _SPAN)
    when = stamp(row.began_wall, "%H:%M:%S")
    sign = _SIGNS[row.level][ascii_only]
    words = row.sentence + (f"; {row.end}" if row.end and row.end != OVER else "")
    words += "; seen" if row.is_acknowledged and row.ended_wall is None else ""
    ellipsis = "..." if ascii_only else "…"
    fixed = 3 + 8 + 1 + _SPAN + 2 + _NAME + 1 + _RULE + 1
    return [
        (f" {sign} ", tone),
        (f"{when} {span}  ", "muted"),
        (fit(row.name, _NAME, ellipsis) + " ", "text" if row.ended_wall is None else "muted"),
        (fit(row.rule, _RULE, ellipsis) + " ", tone),
        (fit(words, max(0, width - fixed), ellipsis), "muted"),
    ]


def detail_lines(row: AlertRow) -> list[Line]:
    """Return all about the alert under the cursor, where the list has cut it."""
    over = "" if row.ended_wall is None else f" to {stamp(row.ended_wall)}: {row.end}"
    return [
        [(f" {row.name}: ", "title"), (row.sentence, TONES[row.level])],
        [(f" {row.level} by the rule '{row.rule}', {stamp(row.began_wall)}{over}", "muted")],
    ]


def active_line(alerts: Sequence[Told], wall: float, width: int, ascii_only: bool) -> Line | None:
    """Return the active alerts about one workload in a line, the gravest first; `None` if there are none.

    Args:
        alerts: All alerts about it.
        wall: The wall time of the moment.
        width: Cells of the line.
        ascii_only: Draw with ASCII only.
    """
    active = sorted(
        (alert for alert in alerts if alert.ended_wall is None),
        key=lambda alert: (-alert.level.rank, -alert.began_wall),
    )
    if not active:
        return None
    runs: list[Run] = []
    for alert in active:
        since = duration(max(0.0, wall - alert.began_wall), _SPAN).strip()
        runs += [
            (f" {_SIGNS[alert.level][ascii_only]} {alert.rule}: ", TONES[alert.level]),
            (alert.sentence, "text"),
            (f" for {since} ", "muted"),
        ]
    return cut(runs, width)


def count_run(rows: Sequence[AlertRow], ascii_only: bool) -> tuple[str, str] | None:
    """Return the count of active alerts that nobody has acknowledged, for the header; `None` without any."""
    fresh = [row.level for row in rows if row.ended_wall is None and not row.is_acknowledged]
    if not fresh:
        return None
    worst = max(fresh, key=lambda level: level.rank)
    noun = "alert" if len(fresh) == 1 else "alerts"
    return f"{_SIGNS[worst][ascii_only]} {len(fresh)} {noun}", TONES[worst]
