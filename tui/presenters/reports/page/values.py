"""Values as the page writes them: short, with their unit."""

from __future__ import annotations

from collectors.model.metrics import METRICS, Unit
from tui.presenters.formatting import duration, stamp, text

_ENDINGS = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s"}


def value_words(key: str, value: float) -> str:
    """Return a metric's value, such as `12.5%` or `3.1G`."""
    unit = METRICS[key].unit
    return text(value, unit, 6).strip() + _ENDINGS.get(unit, "")


def span_words(seconds: float) -> str:
    """Return a span of time, such as `3h12m`."""
    return duration(seconds, 8).strip()


def clock(wall: float, beside: float) -> str:
    """Return a wall time in local time: without its date if another time, which stands beside it, has the same one."""
    return stamp(wall, "%H:%M:%S") if stamp(wall, "%Y-%m-%d") == stamp(beside, "%Y-%m-%d") else stamp(wall)
