"""The scale of a graph: its top, round ticks and their texts. Pure.

A scale starts at zero. Its top is the limit when the peak is above a quarter of it, else the next round number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from collectors.model.metrics import Unit
from tui.presenters.formatting import duration
from tui.presenters.sparkline import nice_top

_BINARY = (Unit.BYTES, Unit.BYTES_PER_SECOND)
_LEAST = {Unit.BYTES: float(1 << 20), Unit.BYTES_PER_SECOND: 1024.0, Unit.MILLISECONDS: 0.1}
"""The lowest top, 1 for other units."""
_QUARTER = 4.0
_ABSURD = 1e300
"""Tops from which on there are no ticks: round numbers above them may be too large for a float."""
_ROWS_A_TICK, _MOST_TICKS = 4, 6
_ENDINGS = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s", Unit.PER_SECOND: "/s", Unit.MILLISECONDS: "ms"}
_NO_REST = re.compile("(?<=[hm])00[ms]$")
_SUFFIXES = {1024: ("", "K", "M", "G", "T", "P", "E", "Z"), 1000: ("", "k", "M", "G", "T", "P", "E", "Z")}
_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def top_of(peak: float, unit: Unit, limit: float | None = None, least: float | None = None) -> float:
    """Return the top of a scale: a round number, or the limit.

    Args:
        peak: The highest value that is shown; not negative.
        unit: Of the values: bytes have powers of two, others 1, 2 and 5 times a power of ten.
        limit: The value that cannot be exceeded, if there is one.
        least: The lowest top that is not the limit; `None`: what suits the unit.
    """
    if limit is not None and limit / _QUARTER < peak <= limit:
        return limit
    return nice_top([peak], least or _LEAST.get(unit, 1.0), unit in _BINARY)


def steady_top(previous: float | None, wanted: float, peak: float) -> float:
    """Return the top to use after `previous`: it grows at once, and shrinks when all that is shown is below half."""
    if previous is None or wanted > previous or peak < previous / 2:
        return wanted
    return previous


def ticks(top: float, unit: Unit, rows: int) -> list[float]:
    """Return round values from 0 to the top for so many rows, or less than the top if that is not round."""
    if not 0 < top < _ABSURD:
        return [0.0]
    most = max(1, min(_MOST_TICKS, rows // _ROWS_A_TICK))
    step = next(step for step in _steps(top, unit) if top / step <= most)
    return [number * step for number in range(int(top / step + 1e-9) + 1)]


def _steps(top: float, unit: Unit) -> Iterator[float]:
    """Yield round steps, from small to large."""
    if unit in _BINARY:
        yield from (2.0**power for power in count())
    if unit is Unit.SECONDS:
        yield from (float(step) for step in _SECONDS)
        yield from (86400.0 * base * 10**power for power in count() for base in (1, 2, 5))
    least = 1.0 if unit is Unit.COUNT else 1e-3
    yield from (least * base * 10**power for power in count() for base in (1, 2, 5))


def tick_text(value: float, unit: Unit) -> str:
    """Return a value as short as it can be with its unit: `50%`, `512M`, `4M/s`, `1.5`."""
    if unit is Unit.SECONDS:
        return f"{value:.3g}s" if 0 < value < 60 else _NO_REST.sub("", duration(value, 6).strip()) if value else "0"
    if not value:
        return "0%" if unit is Unit.PERCENT else "0"
    if unit is Unit.CORES:
        return f"{value:.3g}"
    base = 1024 if unit in _BINARY else 1000
    number, power = value, 0
    while abs(number) >= (1000 if base == 1000 else 1023.5) and power < len(_SUFFIXES[base]) - 1:
        number, power = number / base, power + 1
    if unit is Unit.PERCENT and value < 10_000:
        number, power = value, 0
    digits = f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}" if abs(number) < 1 else f"{round(number, 1):g}"
    return f"{digits}{_SUFFIXES[base][power]}{_ENDINGS.get(unit, '')}"
