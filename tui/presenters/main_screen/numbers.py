"""The text and the tone of one number in a row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan

from collectors.analysis.rates import Reading
from collectors.model.metrics import METRICS, Metric, Unit
from tui.presenters.formatting import text
from tui.presenters.sparkline import nice_top
from tui.presenters.styled_lines import Run

_CPU = "cpu_percent"
_CPU_THRESHOLDS = 80.0, 95.0
"""Of its limit, in percent."""
_SOON_MIN, _VERY_SOON_MIN = 30.0, 5.0
"""Minutes until a growing workload is at its limit, below which its growth is a warning, or bad."""
_INVISIBLE = 1 / 1000
"""Share of a value below which its change is shown as none: the value's own digits do not show it either."""


def metric_text(metric: Metric, value: float | None, width: int) -> str:
    """Return a value as exactly `width` characters; a share of a limit as a whole percentage, `85%`."""
    if not metric.is_whole or value is None or isnan(value):
        return text(value, metric.unit, width)
    return (f"{value:.0f}%" if value < 9999.5 else "***").rjust(width)


def tone_of(reading: Reading, metric: Metric, value: float) -> str:
    """Return the tone of a workload's value: by its thresholds; what is as good as zero is muted."""
    if metric.key != _CPU:
        return value_run(metric.key, value, 0)[1]
    level = reading.value("cpu_of_limit_percent") or 0.0
    return _tone(metric, value, level, _CPU_THRESHOLDS)


@lru_cache(1024)
def value_run(key: str, value: float | None, width: int) -> Run:
    """Return a metric's value as exactly `width` characters, and its tone. Many rows have the same, tick for tick."""
    metric = METRICS[key]
    words = metric_text(metric, value, width)
    return words, "muted" if value is None else _tone(metric, value, value, metric.thresholds)


def _tone(metric: Metric, value: float, level: float, thresholds: tuple[float, float] | None) -> str:
    if thresholds is not None and level >= thresholds[0]:
        return "bad" if level >= thresholds[1] else "warn"
    return "muted" if is_zero(metric, value) else "text"


def is_zero(metric: Metric, value: float) -> bool:
    """Return whether a value is shown as zero."""
    return value < (0.05 if metric.unit is Unit.PERCENT and not metric.is_whole else 0.5 if metric.is_whole else 1e-9)


def change_run(change: float | None, value: float | None, limit: float | None, width: int) -> Run:
    """Return the change of a number of bytes in a minute: `+12M`, muted unless it leads to the limit soon.

    Args:
        change: Bytes a minute; `None` where not known.
        value: What it is now.
        limit: Where it must end; `None` without a limit.
        width: Characters.
    """
    if change is None or value is None:
        return text(None, Unit.BYTES, width), "muted"
    if abs(change) < max(1024.0, value * _INVISIBLE):
        return "0".rjust(width), "muted"
    size = text(abs(change), Unit.BYTES, width - 1).strip()
    minutes = (limit - value) / change if limit and change > 0 else float("inf")
    tone = "bad" if minutes < _VERY_SOON_MIN else "warn" if minutes < _SOON_MIN else "muted"
    return f"{'-' if change < 0 else '+'}{size}".rjust(width), tone


def cpu_top(values: Sequence[float], ceiling: float | None) -> float:
    """Return the CPU percentage at the full height of a row: its ceiling, else one core or a round number above it."""
    return ceiling or nice_top(values, 100.0)
