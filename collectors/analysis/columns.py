"""The values of many readings side by side: one list per metric, derived in one go. Pure.

The formulas are those of `Reading.value`: a metric whose derivation is data (`PerTime`, `Made`) is derived for all
readings by a loop over plain lists, any other one reading by reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from collectors.model.derivations import Made, PerTime
from collectors.model.metrics import METRICS
from collectors.model.workloads import Sample

if TYPE_CHECKING:
    from collectors.analysis.rates import Reading

_BLANK = Sample("", 0)
"""What stands for a sample that is not there: it supplies nothing."""
_Values = Sequence[float | None]


class _Layer(NamedTuple):
    """One pair of each reading: the first ones, the second ones, and so on; blank for readings that have fewer."""

    before: list[Sample]
    """Blank where a delta is not allowed."""
    now: list[Sample]
    elapsed_ns: list[int]


class Columns:
    """The values of readings, in their order.

    Args:
        readings: Whose values; each needs the pairs that it had when this was made.
    """

    def __init__(self, readings: Sequence[Reading] = ()) -> None:
        self.readings = readings
        self._layers = _layers(readings)
        self._made: dict[str, list[float]] = {}

    def of(self, key: str) -> list[float]:
        """Return a metric's value for each reading, in its unit; NaN where it is not known."""
        column = self._made.get(key)
        if column is None:
            derive = METRICS[key].derive
            if isinstance(derive, PerTime):
                column = self._per_time(derive)
            elif isinstance(derive, Made):
                made = map(derive.formula, *map(self._gauges, derive.gauges))
                column = [nan if value is None else value for value in made]
            else:
                values = [reading.value(key) for reading in self.readings]
                column = [nan if value is None else value for value in values]
            self._made[key] = column
        return column

    def _per_time(self, growth: PerTime) -> list[float]:
        before, now, elapsed_ns = self._grown(growth.counter)
        scale = growth.scale
        if growth.most == inf:
            return [
                nan if old is None or new is None or new < old else (new - old) / passed * scale
                for old, new, passed in zip(before, now, elapsed_ns, strict=True)
            ]
        mosts = [growth.most_on(reading.host_cpus) for reading in self.readings]
        return [
            nan
            if old is None or new is None or new < old
            else (rate if (rate := (new - old) / passed) < most else most) * scale
            for old, new, passed, most in zip(before, now, elapsed_ns, mosts, strict=True)
        ]

    def _gauges(self, name: str) -> _Values:
        """Return the newest value of a sample's field for each reading, from the first pair that has it."""
        return self._newest(name)[0]

    def _newest(self, name: str) -> tuple[_Values, dict[int, _Layer]]:
        """Return a field's newest values, and by index the layers of those that are not of the first one."""
        if not self._layers:
            return [None] * len(self.readings), {}
        of, elsewhere = attrgetter(name), dict[int, _Layer]()
        now = list(map(of, self._layers[0].now))
        for layer in self._layers[1:]:
            for index in [index for index, value in enumerate(now) if value is None]:
                value = of(layer.now[index])
                if value is not None:
                    now[index], elsewhere[index] = value, layer
        return now, elsewhere

    def _grown(self, name: str) -> tuple[_Values, _Values, list[int]]:
        """Return a counter's value before and now, and the ns between them, of the first pair that has it now."""
        now, elsewhere = self._newest(name)
        if not self._layers:
            return now, now, [0] * len(now)
        of, first = attrgetter(name), self._layers[0]
        before, elapsed_ns = list(map(of, first.before)), first.elapsed_ns
        if elsewhere:
            elapsed_ns = elapsed_ns[:]
        for index, layer in elsewhere.items():
            before[index], elapsed_ns[index] = of(layer.before[index]), layer.elapsed_ns[index]
        return before, now, elapsed_ns


def _layers(readings: Sequence[Reading]) -> list[_Layer]:
    of_readings = [reading.pairs for reading in readings]
    layers = []
    for depth in range(max(map(len, of_readings), default=0)):
        now = [pairs[depth].current if len(pairs) > depth else _BLANK for pairs in of_readings]
        before = [(pairs[depth].previous if len(pairs) > depth else None) or _BLANK for pairs in of_readings]
        elapsed_ns = [new.at_ns - old.at_ns for old, new in zip(before, now, strict=True)]
        if min(elapsed_ns) <= 0:
            before = [old if passed > 0 else _BLANK for old, passed in zip(before, elapsed_ns, strict=True)]
        layers.append(_Layer(before, now, elapsed_ns))
    return layers
