"""An order of rows that changes only where it has to. Pure: no Textual.

Rows are ordered by a mean, a row passes another only by a clear difference, and the order changes at most once in
`PACE_S`. So the eye and the mouse find a row where it was, and a row that is really busier still rises in time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from heapq import heappop, heappush
from operator import itemgetter
from typing import NamedTuple

from collectors.analysis.rates import Reading
from collectors.model.metrics import Unit
from collectors.model.workloads import WorkloadId

HOLD_S = 2.0
"""Seconds for which nothing moves after a key and while the mouse moves over the table."""
PACE_S = 3.0
"""Seconds between two changes of the order, at least."""
_JITTER_S = 0.3
"""A tick may come this much early and still be in time."""
_CLEAR_SHARE = 0.1
"""A difference is clear above this share of the lower value, and above the unit's step."""
_ZERO_SHARE = 1 / 20
"""A value below this share of the unit's step counts as zero."""

STEPS: dict[Unit, float] = {
    Unit.PERCENT: 1.0,
    Unit.BYTES: float(1 << 20),
    Unit.BYTES_PER_SECOND: float(1 << 10),
    Unit.PER_SECOND: 1.0,
    Unit.COUNT: 0.5,
    Unit.CORES: 0.1,
    Unit.SECONDS: 1.0,
    Unit.MILLISECONDS: 0.1,
}
"""The least difference, in each unit, for which a row passes another."""


class Smoothing(StrEnum):
    """Over what time the values are averaged by which rows are ordered. `NOW` is the exact order at every moment."""

    NOW = "now"
    TEN_SECONDS = "10s"
    MINUTE = "1m"

    @property
    def seconds(self) -> float:
        """The length of the mean; 0 for none."""
        return {Smoothing.NOW: 0.0, Smoothing.TEN_SECONDS: 10.0, Smoothing.MINUTE: 60.0}[self]

    @property
    def words(self) -> str:
        """What the order follows, in words."""
        return {
            Smoothing.NOW: "the values of now",
            Smoothing.TEN_SECONDS: "the mean of 10 s",
            Smoothing.MINUTE: "the mean of 1 min",
        }[self]

    @property
    def next(self) -> Smoothing:
        """The one that the key cycles to."""
        choices = list(Smoothing)
        return choices[(choices.index(self) + 1) % len(choices)]


def is_clear(higher: float, lower: float, step: float) -> bool:
    """Return whether a value is clearly above another: by more than a tenth of it and by more than `step`."""
    return higher - lower > step and higher - lower > _CLEAR_SHARE * lower


def settle(values: Sequence[float], step: float) -> list[int]:
    """Return the order, highest first, that is nearest to the present one and has no clear difference against it.

    `values` are not negative and stand in the present order; the answer has their indices. Whatever is clearly above
    another comes before it; all others stay in their present order. Takes n log n.
    """
    if _is_settled(values, step):
        return list(range(len(values)))
    ranked = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    order: list[int] = []
    is_placed = [False] * len(values)
    candidates: list[int] = []
    """Indices of those that none of the rows left is clearly above."""
    admitted, count = 0, len(values)
    for highest in ranked:
        top = values[highest]
        while admitted < count:
            index = ranked[admitted]
            difference = top - (value := values[index])
            if difference > step and difference > _CLEAR_SHARE * value:  # `is_clear`, of thousands of rows
                break
            heappush(candidates, index)
            admitted += 1
        while not is_placed[highest]:
            index = heappop(candidates)
            is_placed[index] = True
            order.append(index)
    return order


def _is_settled(values: Sequence[float], step: float) -> bool:
    """Return whether no value is clearly above one that stands before it."""
    highest_below = -math.inf
    for value in reversed(values):
        difference = highest_below - value
        if difference <= 0:
            highest_below = value
        elif difference > step and difference > _CLEAR_SHARE * value:  # `is_clear`
            return False
    return True


class ByName(NamedTuple):
    """Rows in the order of their names."""

    rows: Sequence[Reading]
    identities: list[WorkloadId]
    """Theirs; the same list as at the last moment where no row came, went or got another name."""


def by_identity(rows: Sequence[Reading]) -> ByName:
    """Return rows with their identities."""
    return ByName(rows, [row.workload.id for row in rows])


class CalmOrder:
    """The order of the rows, kept from moment to moment.

    It is kept as places in the order of the names, in which most ticks find the same rows again.

    Args:
        clock: Seconds by a clock that is never set.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_name: list[WorkloadId] = []
        """The rows that the order is of, by name, those of folded groups included."""
        self._order: list[int] = []
        """Their places in `_by_name`, the first row's first."""
        self._is_idle: list[bool] = []
        """Whether each row of `_by_name` is at zero: such rows stand by name until they are clearly above zero."""
        self._is_sorted = False
        """Whether the rows were sorted by value at least once since `release`."""
        self._changed_at = -math.inf
        self._held_until = -math.inf

    @property
    def is_held(self) -> bool:
        """Whether nothing moves now, because of a key or the mouse."""
        return self._clock() < self._held_until

    def hold(self) -> None:
        """Move nothing for `HOLD_S`."""
        self._held_until = self._clock() + HOLD_S

    def release(self) -> None:
        """Sort from scratch at the next opportunity: the user asked for it."""
        self._held_until = -math.inf
        self._is_sorted = False

    def take(self, rows: Iterable[Reading]) -> list[Reading]:
        """Take an order as it is."""
        ordered = list(rows)
        self._follow(by_identity(ordered).identities)
        self._order = list(range(len(ordered)))
        return ordered

    def held(self, by_name: ByName) -> list[Reading]:
        """Return the rows in the last order, new ones last."""
        self._follow(by_name.identities)
        return [by_name.rows[place] for place in self._order]

    def by_value(
        self,
        by_name: ByName,
        values_of: Callable[[Sequence[Reading]], Sequence[float | None]],
        step: float,
        is_reversed: bool,
    ) -> list[Reading]:
        """Return the rows, highest first, or lowest first where reversed; those without a value come last.

        Args:
            by_name: The rows.
            values_of: Returns the value that each row is ordered by; it is not asked where the order stays as it is.
            step: The least difference for which a row passes another.
            is_reversed: Lowest first.
        """
        if self._is_sorted and self._clock() - self._changed_at < PACE_S - _JITTER_S:
            return self.held(by_name)
        rows = by_name.rows
        is_changed = self._follow(by_name.identities)
        known = [(place, value) for place, value in enumerate(values_of(rows)) if value is not None]
        values = dict(known)
        order = self._settled(values, step, is_reversed) if self._is_sorted else _sorted(known, is_reversed)
        if not self._is_sorted:
            self._is_idle = [False] * len(rows)
            for place, value in known:
                self._is_idle[place] = value < step * _ZERO_SHARE
            self._is_sorted = bool(known)
        if len(values) < len(rows):
            order += [place for place in range(len(rows)) if place not in values]
        if is_changed or order != self._order:
            self._changed_at = self._clock()
        self._order = order
        return [rows[place] for place in order]

    def _settled(self, values: Mapping[int, float], step: float, is_reversed: bool) -> list[int]:
        """Return the places of the rows that have a value, in an order that changes only where it has to."""
        zero, was_idle = step * _ZERO_SHARE, self._is_idle
        self._is_idle = [False] * len(was_idle)
        for place, value in values.items():
            self._is_idle[place] = value < zero or (was_idle[place] and not is_clear(value, 0.0, step))
        idle = [place for place in values if self._is_idle[place]]
        busy = [place for place in self._order if place in values and not self._is_idle[place]]
        if is_reversed:
            busy.reverse()
        busy = [busy[index] for index in settle([values[place] for place in busy], step)]
        return [*idle, *reversed(busy)] if is_reversed else [*busy, *idle]

    def _follow(self, identities: list[WorkloadId]) -> bool:
        """Keep the order when rows come, go or change their names, new ones last; return whether any did."""
        if identities is self._by_name or identities == self._by_name:
            self._by_name = identities
            return False
        places = {identity: place for place, identity in enumerate(identities)}
        moved = [(places.pop(self._by_name[old], None), self._is_idle[old]) for old in self._order]
        kept = [(place, is_idle) for place, is_idle in moved if place is not None]
        self._by_name, self._order = identities, [place for place, _ in kept] + list(places.values())
        self._is_idle = [False] * len(identities)
        for place, is_idle in kept:
            self._is_idle[place] = is_idle
        return True


def _sorted(known: list[tuple[int, float]], is_reversed: bool) -> list[int]:
    """Return places by their values, highest first; equal ones by name."""
    return [place for place, _ in sorted(known, key=itemgetter(1), reverse=not is_reversed)]
