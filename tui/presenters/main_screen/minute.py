"""The sparkline of a row: one line of blocks with seven levels, and the scale that it is drawn to. Pure.

The full block is never used: the missing eighth keeps two rows apart that stand at their ceiling one above the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.presenters.sparkline import nice_top
from tui.presenters.styled_lines import Run

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇", ".:-=+*#"
_IDLE, _HIGH = 1 / 12, 0.75
"""Shares of the ceiling below which a cell is that of an idle workload, and from which it is bright."""


def minute_runs(values: Sequence[float], top: float, ascii_only: bool = False) -> list[Run]:
    """Return one cell for each value, oldest first, as runs of a tone; NaN is blank, a measured zero the lowest level.

    Args:
        values: Not negative.
        top: The value at which a workload can do no more.
        ascii_only: Use no character beyond ASCII.
    """
    levels = _ASCII if ascii_only else _BLOCKS
    runs: list[Run] = []
    text, tone = "", "border"
    for value in values:
        if value != value:
            text += " "
            continue
        share = value / top if top > 0 else 0.0
        now = "border" if share < _IDLE else "graph-cpu" if share >= _HIGH else "spark"
        if now != tone and text.strip():
            runs.append((text, tone))
            text = ""
        tone = now
        text += levels[min(6, int(share * 7))]
    return [*runs, (text, tone)] if text else runs


def cpu_top(values: Sequence[float], ceiling: float | None) -> float:
    """Return the CPU percentage at the full height of a row: its ceiling, else one core or a round number above it."""
    return ceiling or nice_top(values, 100.0)
