"""Whether a recording exceeds a budget: compared window by window, so that chance does not fail a build. Pure.

Both recordings are cut into windows of equal length, and the statistic of each window is one value. How far these
values scatter tells how much two recordings of the same thing differ. A budget is exceeded only where the whole
interval of the change lies above what is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, sqrt
from statistics import fmean, linear_regression, median
from typing import NamedTuple

from collectors.analysis.empty_cells import lasting_reason
from collectors.comparison.bootstrap import Interval, interval
from collectors.comparison.budget_conditions import Allowance, Condition
from collectors.comparison.window_statistics import Past, statistics

LEAST_WINDOWS = 5
"""Fewer windows say nothing about chance."""
_WINDOWS = (20, 10, LEAST_WINDOWS)
"""In how many windows the shorter recording is cut: in fewer where neighbours resemble each other."""
_READINGS = 5
"""Readings that a window has at least."""
_FILLED = 0.5
"""Share of the readings of the fullest window that another one needs to count."""
_LARGEST = 1e30
"""What a file has that is larger is no measurement; sums of it might overflow."""
_UNLIKE = 1.5
"""Recordings whose readings are this many times further apart have other highest values by that alone."""


class Judgement(NamedTuple):
    """What became of a condition. Values are in the metric's unit; those that are not known are `None`."""

    condition: Condition
    is_over: bool | None
    """`None` where it cannot be known; `reason` says why."""
    reason: str = ""
    first: float | None = None
    """The mean of the windows' statistics before; of a bound there is none."""
    second: float | None = None
    """The same after; of a bound on `max`, the highest value of all."""
    change: Interval | None = None
    """The change in percent of `first` where a share is allowed, otherwise in the metric's unit; for a bound, the
    interval of `second` itself. `None` also for a bound on `max`: what was reached was reached."""
    windows: tuple[int, ...] = ()
    """Numbers of windows: of both, or of the second alone."""
    window_s: float = 0.0
    """Seconds of a window."""


class _Series(NamedTuple):
    """The known values of a metric in one recording."""

    walls: list[float]
    values: list[float]
    spacing_s: float
    """Seconds from reading to reading."""

    @property
    def span_s(self) -> float:
        return self.walls[-1] - self.walls[0] + self.spacing_s


class _Unknown(Exception):
    """Why a condition cannot be judged."""


def judge(condition: Condition, first: Past | None, second: Past | None) -> Judgement:
    """Return whether the second recording of a workload exceeds a budget.

    Args:
        condition: The budget.
        first: The workload in the recording that is compared with; `None` if it is not in it. Not needed for a bound.
        second: The workload in the recording that is judged; `None` if it is not in it.
    """
    is_bound = condition.allowance is Allowance.BOUND
    try:
        after = _series(condition, second, "second" if not is_bound else "")
        before = None if is_bound else _series(condition, first, "first")
        if is_bound and condition.stat == "max":
            highest = max(after.values)
            return Judgement(condition, highest > condition.amount, second=highest)
        if before is not None and condition.stat != "mean":
            _check_alike(before, after)
        return _judged(condition, before, after)
    except _Unknown as error:
        return Judgement(condition, None, str(error))


def _series(condition: Condition, past: Past | None, which: str) -> _Series:
    place = f"the {which} recording" if which else "the recording"
    if past is None:
        raise _Unknown(f"it is not in {place}")
    known = [
        (wall, value)
        for wall, value in zip(past.walls, past.values.get(condition.metric.key, ()), strict=False)
        if value is not None and abs(value) < _LARGEST
    ]
    if not known:
        reason = lasting_reason(condition.metric.key, past.workload)
        raise _Unknown(f"{condition.metric.label} is not measured in {place}" + (f": {reason}" if reason else ""))
    steps = [later - earlier for earlier, later in pairwise(wall for wall, _ in known) if later > earlier]
    if not steps:
        raise _Unknown(f"{place} has one reading of it; record for longer")
    return _Series([wall for wall, _ in known], [value for _, value in known], median(steps))


def _check_alike(before: _Series, after: _Series) -> None:
    spacings = sorted((before.spacing_s, after.spacing_s))
    if spacings[1] > _UNLIKE * spacings[0]:
        raise _Unknown(
            f"the readings of the recordings are {before.spacing_s:.3g} s and {after.spacing_s:.3g} s apart, so that "
            "only their means can be compared: record both with the same --interval"
        )


def _judged(condition: Condition, before: _Series | None, after: _Series) -> Judgement:
    for count in _WINDOWS:
        window_s, values = _windows(condition, before, after, count)
        if not any(map(_resemble, values)):
            break
    counts = tuple(map(len, values))
    if min(counts) < LEAST_WINDOWS:
        raise _Unknown(_too_short(before, after, window_s, counts))
    firsts, seconds = values if before is not None else ([], values[0])
    first, second = fmean(firsts) if firsts else None, fmean(seconds)
    is_share = condition.allowance is Allowance.SHARE
    if is_share and first is not None and first <= 0 < second - condition.metric.least_visible:
        raise _Unknown("it was 0 in the first recording, and nothing is a share of that: allow a size, such as +5")
    change = interval(firsts, seconds, _percent if is_share else _difference)
    is_over = change.low > condition.amount
    if is_share and first is not None:
        is_over = is_over and second - first > condition.metric.least_visible
    return Judgement(condition, is_over, "", first, second, change, counts, window_s)


def _windows(
    condition: Condition, before: _Series | None, after: _Series, count: int
) -> tuple[float, list[list[float]]]:
    """Return the length of a window in seconds, and the statistic of each window of each recording."""
    both = [series for series in (before, after) if series is not None]
    least_s = _READINGS * max(series.spacing_s for series in both)
    window_s = max(min(series.span_s for series in both) / count, least_s)
    return window_s, [_of_windows(series, window_s, condition.stat) for series in both]


def _of_windows(series: _Series, window_s: float, stat: str) -> list[float]:
    """Return a statistic of each whole window; those with too few readings are left out."""
    whole = floor_of(series.span_s / window_s)
    windows: list[list[float]] = [[] for _ in range(whole)]
    for wall, value in zip(series.walls, series.values, strict=True):
        index = int((wall - series.walls[0]) / window_s)
        if 0 <= index < whole:
            windows[index].append(value)
    enough = _FILLED * max(map(len, windows), default=0)
    found = [statistics(values) for values in windows if len(values) >= enough]
    return [stats.of(stat) for stats in found if stats is not None]


def floor_of(number: float) -> int:
    """Return the whole part of a number that may be a hair below a whole one."""
    return int(number + 1e-6)


def _resemble(values: Sequence[float]) -> bool:
    """Return whether windows resemble those next to them more than chance has it, a steady trend left aside.

    Then they are not independent, and more of them say no more than fewer longer ones.
    """
    count = len(values)
    if count <= LEAST_WINDOWS:
        return False
    places = range(count)
    slope, start = linear_regression(places, values)
    rests = [value - start - slope * place for place, value in zip(places, values, strict=True)]
    spread = sum(rest * rest for rest in rests)
    likeness = sum(one * other for one, other in pairwise(rests))
    return likeness > 2 / sqrt(count) * spread > 0


def _too_short(before: _Series | None, after: _Series, window_s: float, counts: tuple[int, ...]) -> str:
    shorter = min((series for series in (before, after) if series is not None), key=lambda series: series.span_s)
    return (
        f"there are {min(counts)} windows of {window_s:.3g} s and {LEAST_WINDOWS} are needed to tell a change from "
        f"chance: the shorter recording has {shorter.span_s:.0f} s of it; record for longer, or with a shorter "
        "--interval"
    )


def _difference(first: float, second: float) -> float:
    return second - first


def _percent(first: float, second: float) -> float:
    """Return a change in percent; from 0 to more it is infinite, and from 0 to 0 there is none."""
    if first > 0:
        return (second / first - 1) * 100
    return inf if second > first else 0.0
