"""An order of rows that changes only where it has to. Pure: no Textual.

Rows are ordered by a mean, a row passes another only by a clear difference, and the order changes at most once in
`PACE_S`. So the eye and the mouse find a row where it was, and a row that is really busier still rises in time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from heapq import heappop, heappush

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
    highest = admitted = 0
    while len(order) < len(values):
        while is_placed[ranked[highest]]:
            highest += 1
        top = values[ranked[highest]]
        while admitted < len(ranked) and not is_clear(top, values[ranked[admitted]], step):
            heappush(candidates, ranked[admitted])
            admitted += 1
        index = heappop(candidates)
        is_placed[index] = True
        order.append(index)
    return order


def _is_settled(values: Sequence[float], step: float) -> bool:
    """Return whether no value is clearly above one that stands before it."""
    highest_below = -math.inf
    for value in reversed(values):
        if value > highest_below:
            highest_below = value
        elif is_clear(highest_below, value, step):
            return False
    return True


class CalmOrder:
    """The order of the rows, kept from moment to moment.

    Args:
        clock: Seconds by a clock that is never set.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: list[WorkloadId] = []
        """All rows of the last order, those of folded groups included."""
        self._by_name: list[WorkloadId] = []
        """The rows that `_indices` are for, in the order of their names."""
        self._indices: list[int] = []
        """The last order, as indices into `_by_name`: it need not be looked up while the rows are the same."""
        self._idle: set[WorkloadId] = set()
        """Rows at zero: they stand in the order of their names until they are clearly above zero."""
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
        self._by_name = self._rows = [reading.workload.id for reading in ordered]
        self._indices = [*range(len(ordered))]
        return ordered

    def held(self, by_name: Sequence[Reading]) -> list[Reading]:
        """Return the rows in the last order, new ones last."""
        return [by_name[index] for index in self._in_last_order(by_name)]

    def by_value(
        self,
        by_name: Sequence[Reading],
        value_of: Callable[[Reading], float | None],
        step: float,
        is_reversed: bool,
    ) -> list[Reading]:
        """Return the rows, highest first, or lowest first where reversed; those without a value come last.

        Args:
            by_name: The rows in the order of their names.
            value_of: Returns the value that a row is ordered by.
            step: The least difference for which a row passes another.
            is_reversed: Lowest first.
        """
        if self._is_sorted and self._clock() - self._changed_at < PACE_S - _JITTER_S:
            return self.held(by_name)
        previous_rows, last_order = self._rows, self._in_last_order(by_name)
        known = [value_of(reading) for reading in by_name]
        absent = [index for index, value in enumerate(known) if value is None]
        values = [-math.inf if value is None else value for value in known]
        is_idle = self._are_idle(values, step)
        if self._is_sorted:
            present = _settled(last_order, values, is_idle, step, is_reversed)
        else:
            present = [index for index, value in enumerate(known) if value is not None]
            present.sort(key=values.__getitem__, reverse=not is_reversed)
            self._is_sorted = bool(present)
        self._indices = [*present, *absent]
        self._rows = [self._by_name[index] for index in self._indices]
        if self._rows != previous_rows:
            self._changed_at = self._clock()
        return [by_name[index] for index in self._indices]

    def _in_last_order(self, by_name: Sequence[Reading]) -> list[int]:
        """Return the indices of the rows in the last order, new ones last."""
        identities = [reading.workload.id for reading in by_name]
        if identities != self._by_name:
            index_of = {identity: index for index, identity in enumerate(identities)}
            known = [index_of.pop(identity) for identity in self._rows if identity in index_of]
            self._by_name, self._indices = identities, [*known, *index_of.values()]
            self._rows = [identities[index] for index in self._indices]
        return self._indices

    def _are_idle(self, values: Sequence[float], step: float) -> list[bool]:
        """Return for each row whether it is at zero, or was and is not clearly above it; false for one without a value.

        Where the rows have yet to be sorted, it does not matter what they were.
        """
        zero, before = step * _ZERO_SHARE, self._idle if self._is_sorted else set()
        is_idle = [
            -math.inf < value and (value < zero or (not is_clear(value, 0.0, step) and identity in before))
            for identity, value in zip(self._by_name, values, strict=True)
        ]
        self._idle = {identity for identity, idle in zip(self._by_name, is_idle, strict=True) if idle}
        return is_idle


def _settled(
    last_order: Sequence[int], values: Sequence[float], is_idle: Sequence[bool], step: float, is_reversed: bool
) -> list[int]:
    """Return the rows that have a value: the busy ones settled, the idle ones in the order of their names."""
    idle = [index for index, value in enumerate(is_idle) if value]
    busy = [index for index in last_order if not is_idle[index] and values[index] > -math.inf]
    if is_reversed:
        busy.reverse()
    busy = [busy[place] for place in settle([values[index] for index in busy], step)]
    return [*idle, *reversed(busy)] if is_reversed else [*busy, *idle]
