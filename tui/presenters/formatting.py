"""Unit + value -> text of a fixed width. Pure.

`-` is a missing value, `***` one that fits in no form. Sizes are binary (1K = 1024), other large numbers
decimal (1k = 1000). Text gets less precise before it gets longer than its column.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from collectors.model.metrics import Unit
from collectors.model.workloads import Workload

ABSENT = "-"
_OVERFLOW = "***"
_BINARY = ("", "K", "M", "G", "T", "P", "E", "Z")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E", "Z")
_SIGNIFICANT = re.compile("[1-9]")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 31_557_600


def text(value: float | None, unit: Unit, width: int) -> str:
    """Return a value as exactly `width` characters, right aligned."""
    if value is None or math.isnan(value):
        return _aligned(ABSENT, width)
    if value > 0 and (most_precise := _quick(value, unit)) and len(most_precise) <= width:
        return most_precise.rjust(width)
    if math.isinf(value):
        return _aligned(_OVERFLOW, width)
    return _aligned(_first_fit(value, _FORMS[unit], width), width)


def duration(seconds: float | None, width: int) -> str:
    """Return a span of time, as `41d`, `3h12m`, `12m05s` or `0.5s`, in exactly `width` characters."""
    return text(seconds, Unit.SECONDS, width)


def stamp(wall: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a wall time in local time."""
    return time.strftime(form, time.localtime(wall))


def state_text(workload: Workload) -> str:
    """Return a workload's state, with the reason for it where one is known: `paused (I/O error)`."""
    reason = workload.state_reason or ""
    if not reason and workload.exit_code is not None and not workload.state.is_active:
        reason = f"exit code {workload.exit_code}"
    return f"{workload.state} ({reason})" if reason else workload.state.value


@lru_cache(2048)
def fit(string: str, width: int, ellipsis: str = "…") -> str:
    """Cut or pad a string to `width` terminal cells; wide characters count two, an ellipsis shows the cut."""
    if width <= 0:
        return ""
    if cell_len(string) <= width:
        return set_cell_size(string, width)
    shortened = set_cell_size(string, max(0, width - cell_len(ellipsis))).rstrip(" ") + ellipsis
    return set_cell_size(shortened, width)


def _aligned(string: str, width: int) -> str:
    return (string if len(string) <= width else "*" * max(0, width)).rjust(max(0, width))


def _first_fit(value: float, forms: Callable[[float], Iterator[str]], width: int) -> str:
    """Return the first form that fits; forms come from precise to short, for a value that is not negative."""
    for form in forms(abs(value)):
        candidate = f"-{form}" if value < 0 and _SIGNIFICANT.search(form) else form
        if len(candidate) <= width:
            return candidate
        if candidate.lstrip("-").startswith("0.") and len(candidate) - 1 <= width:
            return candidate.replace("0.", ".", 1)
    return _OVERFLOW


def _quick(value: float, unit: Unit) -> str:
    """Return the first form of a value above 0, where it is an everyday one; empty otherwise.

    It is what the forms of the unit yield first: nearly every number on the screen is that.
    """
    if unit is Unit.PERCENT:
        return f"{value:.1f}" if value < 999 else ""
    if unit is Unit.PER_SECOND or unit is Unit.COUNT:
        if unit is Unit.PER_SECOND and value < 10 and round(value, 1) < 10:
            return f"{value:.1f}"
        return f"{value:.0f}" if value < 99_999 else ""
    if unit is Unit.BYTES or unit is Unit.BYTES_PER_SECOND:
        for suffix in ("", "K", "M", "G"):
            if value < 999:
                has_tenths = suffix and value < 10 and round(value, 1) < 10
                return f"{value:.1f}{suffix}" if has_tenths else f"{value:.0f}{suffix}"
            if value < 1000:
                return ""
            value /= 1024
    return ""


def _scaled(value: float, base: int, suffixes: tuple[str, ...], first: int = 0) -> Iterator[str]:
    """Yield a number with each suffix from the one that gives at most three digits: 1.2M, 1M, .1G, ..."""
    for power, suffix in enumerate(suffixes):
        number = value / float(base) ** power
        if power < first or round(number) >= 1000:
            continue
        if power and round(number, 1) < 10:
            yield f"{number:.1f}{suffix}"
        if round(number) or not power:
            yield f"{number:.0f}{suffix}"


def _size(value: float) -> Iterator[str]:
    return _scaled(value, 1024, _BINARY)


def _percent(value: float) -> Iterator[str]:
    if round(value, 1) < 1000:
        yield f"{value:.1f}"
    if round(value) < 10_000:
        yield f"{value:.0f}"
    yield from _scaled(value, 1000, _DECIMAL, 1)


def _count(value: float) -> Iterator[str]:
    if round(value) < 100_000:
        yield f"{value:.0f}"
    yield from _scaled(value, 1000, _DECIMAL, 1)


def _per_second(value: float) -> Iterator[str]:
    if value > 0 and round(value, 1) < 10:
        yield f"{value:.1f}"
    yield from _count(value)


def _cores(value: float) -> Iterator[str]:
    if round(value, 2) < 100:
        yield f"{value:.2f}".rstrip("0").rstrip(".")
        yield f"{value:.1f}".removesuffix(".0")
    yield from _count(value)


def _seconds(value: float) -> Iterator[str]:
    whole_seconds = int(value)
    days, hours, minutes = whole_seconds // _DAY, whole_seconds % _DAY // _HOUR, whole_seconds % _HOUR // _MINUTE
    if value > 0 and round(value, 1) < 10:
        yield f"{value:.1f}s"
    if whole_seconds < _MINUTE:
        yield f"{whole_seconds}s"
    if _MINUTE <= whole_seconds < _HOUR:
        yield f"{minutes}m{whole_seconds % _MINUTE:02}s"
    if whole_seconds < _HOUR:
        yield f"{minutes}m"
    if _HOUR <= whole_seconds < _DAY:
        yield f"{hours}h{minutes:02}m"
    if whole_seconds < _DAY:
        yield f"{hours}h"
    if 1 <= days < 10:
        yield f"{days}d{hours}h"
    if days < 10_000:
        yield f"{days}d"
    if whole_seconds < 10_000 * _YEAR:
        yield f"{whole_seconds // _YEAR}y"


def _milliseconds(value: float) -> Iterator[str]:
    if value > 0 and round(value, 1) < 10:
        yield f"{value:.1f}ms"
    if round(value) < 1000:
        yield f"{value:.0f}ms"
    yield from _seconds(value / 1000)


_FORMS: dict[Unit, Callable[[float], Iterator[str]]] = {
    Unit.PERCENT: _percent,
    Unit.BYTES: _size,
    Unit.BYTES_PER_SECOND: _size,
    Unit.PER_SECOND: _per_second,
    Unit.COUNT: _count,
    Unit.CORES: _cores,
    Unit.SECONDS: _seconds,
    Unit.MILLISECONDS: _milliseconds,
}
