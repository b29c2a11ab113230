"""The values of many readings side by side: one list per metric, derived in one go. Pure.

The formulas are those of `Reading.value`: a metric whose derivation is data (`PerTime`, `Made` and their like) is
derived for all readings by a loop over plain lists, any other one reading by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from collectors.model.derivations import ByMachine, Either, Gauge, GaugeWith, Lowest, Made, Of, PerTime, Ratio
from collectors.model.metric_type import Derivation
from collectors.model.metrics import METRICS
from collectors.model.workloads import Sample, Workload

if TYPE_CHECKING:
    from collectors.analysis.rates import Reading

_BLANK = Sample("", 0)
"""What stands for a sample that is not there: it supplies nothing."""
_Values = Sequence[float | None]
_Item = TypeVar("_Item")


class _Layer(NamedTuple):
    """One pair of each reading: the first ones, the second ones, and so on; blank for readings that have fewer."""

    before: list[Sample]
    """Blank where a delta is not allowed."""
    now: list[Sample]
    elapsed_ns: list[int]


class _Supply(NamedTuple):
    """The first pair of each reading that has a field now."""

    values: list[float | None]
    """Of that field; `None` where no pair has it."""
    layer: _Layer
    """The one with most of the pairs."""
    elsewhere: dict[int, _Layer]
    """The layers of the others, by the index of the reading."""

    def before(self, name: str) -> list[float | None]:
        """Return what a field was in the earlier samples of these pairs."""
        return self._of(name, attrgetter("before"))

    def now(self, name: str) -> list[float | None]:
        """Return what a field is in the newer samples of these pairs."""
        return self._of(name, attrgetter("now"))

    def _of(self, name: str, samples_of: Callable[[_Layer], list[Sample]]) -> list[float | None]:
        of = attrgetter(name)
        values = list(map(of, samples_of(self.layer)))
        for index, layer in self.elsewhere.items():
            values[index] = of(samples_of(layer)[index])
        return values

    def elapsed_ns(self) -> list[int]:
        """Return the ns between the samples of these pairs."""
        if not self.elsewhere:
            return self.layer.elapsed_ns
        elapsed_ns = self.layer.elapsed_ns[:]
        for index, layer in self.elsewhere.items():
            elapsed_ns[index] = layer.elapsed_ns[index]
        return elapsed_ns


class Columns:
    """The values of readings, in their order.

    Args:
        readings: Whose values; each needs the pairs that it had when this was made.
    """

    def __init__(self, readings: Sequence[Reading] = ()) -> None:
        self.readings = readings
        self._layers = _layers(readings)
        self._made: dict[str, list[float]] = {}
        self._told: dict[Callable[[Workload], str], list[str]] = {}

    def part(self, places: Sequence[int]) -> Columns:
        """Return the columns of some of the readings, by their indices here."""
        part = Columns()
        part.readings = _picked(self.readings, places)
        part._layers = [
            _Layer(_picked(before, places), _picked(now, places), _picked(elapsed_ns, places))
            for before, now, elapsed_ns in self._layers
        ]
        return part

    def of(self, key: str) -> list[float]:
        """Return a metric's value for each reading, in its unit; NaN where it is not known."""
        column = self._made.get(key)
        if column is None:
            derive = METRICS[key].derive
            if is_data(derive):
                column = self.derived(derive)
            else:  # asked of the reading by its key, which keeps what it found
                values = [reading.value(key) for reading in self.readings]
                column = [nan if value is None else value for value in values]
            self._made[key] = column
        return column

    def derived(self, derive: Derivation) -> list[float]:
        """Return what a derivation makes of each reading; NaN where that is not known."""
        if isinstance(derive, PerTime):
            return self._per_time(derive)
        if isinstance(derive, Of):
            return [value * derive.scale for value in self.of(derive.key)]
        if isinstance(derive, Ratio):
            return self._ratio(derive)
        if isinstance(derive, Either):
            both = zip(self.derived(derive.first), self.derived(derive.second), strict=True)
            return [second if first != first else first for first, second in both]
        if isinstance(derive, ByMachine):
            return self._by_machine(derive)
        return [nan if value is None else value for value in self._values(derive)]

    def texts(self, read: Callable[[Workload], str]) -> list[str]:
        """Return a text about each workload."""
        texts = self._told.get(read)
        if texts is None:
            texts = self._told[read] = [read(reading.workload) for reading in self.readings]
        return texts

    def _values(self, derive: Derivation) -> _Values:
        if isinstance(derive, Gauge):
            return self._supply(derive.name).values
        if isinstance(derive, GaugeWith):
            supply = self._supply(derive.companion)
            values = zip(supply.values, supply.now(derive.name), strict=True)
            return [None if companion is None else value for companion, value in values]
        if isinstance(derive, Made):
            return [*map(derive.formula, *(self._supply(name).values for name in derive.gauges))]
        if isinstance(derive, Lowest):
            return self._lowest(derive)
        return [derive(reading) for reading in self.readings]

    def _per_time(self, growth: PerTime) -> list[float]:
        supply, scale, most = self._supply(growth.counter), growth.scale, growth.most
        pairs = zip(supply.before(growth.counter), supply.values, supply.elapsed_ns(), strict=True)
        if most == inf and not growth.among:
            return [
                nan if old is None or new is None or new < old else (new - old) / passed * scale
                for old, new, passed in pairs
            ]
        rates = [nan if old is None or new is None or new < old else (new - old) / passed for old, new, passed in pairs]
        if growth.among:
            sharers = self._supply(growth.among).values
            rates = [rate / among if among else nan for rate, among in zip(rates, sharers, strict=True)]
        if most is not None:
            return [(most if rate > most else rate) * scale for rate in rates]
        mosts = [reading.host_cpus or inf for reading in self.readings]
        return [(most if rate > most else rate) * scale for rate, most in zip(rates, mosts, strict=True)]

    def _ratio(self, ratio: Ratio) -> list[float]:
        supply, most, scale = self._supply(ratio.part), ratio.most, ratio.scale
        growths = _growths(supply.before(ratio.part), supply.values)
        bases = _growths(supply.before(ratio.whole), supply.now(ratio.whole))
        return [
            nan if growth is None or not base else min(most, growth / base * scale)
            for growth, base in zip(growths, bases, strict=True)
        ]

    def _lowest(self, derive: Lowest) -> _Values:
        of = attrgetter(derive.name)
        lowest: list[float | None] = list(map(of, self._layers[0].now))
        for layer in self._layers[1:]:
            lowest = [
                one if other is None or (one is not None and one <= other) else other
                for one, other in zip(lowest, map(of, layer.now), strict=True)
            ]
        if not derive.is_within_host:
            return lowest
        return [
            reading.host_memory_bytes if one is not None and 0 < reading.host_memory_bytes < one else one
            for one, reading in zip(lowest, self.readings, strict=True)
        ]

    def _by_machine(self, derive: ByMachine) -> list[float]:
        machines = [index for index, reading in enumerate(self.readings) if reading.is_machine]
        if not machines:
            return self.derived(derive.other)
        if len(machines) == len(self.readings):
            return self.derived(derive.machine)
        column = self.derived(derive.other)
        for index, value in zip(machines, self.part(machines).derived(derive.machine), strict=True):
            column[index] = value
        return column

    def _supply(self, name: str) -> _Supply:
        """Return a field's newest values, each from the first pair that has it."""
        of, layers = attrgetter(name), self._layers
        for depth, layer in enumerate(layers):  # noqa: B007  # used below: there is always one
            values = list(map(of, layer.now))
            if _has_any(values):
                break
        elsewhere: dict[int, _Layer] = {}
        later_layers = layers[depth + 1 :]
        missing = [index for index, value in enumerate(values) if value is None] if later_layers else []
        for later in later_layers:
            for index in missing:
                value = of(later.now[index])
                if value is not None:
                    values[index], elsewhere[index] = value, later
            missing = [index for index in missing if values[index] is None]
        return _Supply(values, layer, elsewhere)


_DATA = (PerTime, Made, Gauge, GaugeWith, Lowest, Ratio, Of, Either, ByMachine)


def is_data(derive: Derivation) -> bool:
    """Return whether what a derivation makes of many readings is made in one go, without asking each of them."""
    return isinstance(derive, _DATA)


def _has_any(values: _Values) -> bool:
    """Return whether any value is known; most fields that a source does not have are unknown in all its samples."""
    return bool(values) and (values[0] is not None or values.count(None) < len(values))


def _growths(before: _Values, now: _Values) -> _Values:
    """Return how much each counter has grown; `None` where that is not known, or it fell."""
    return [
        None if old is None or new is None or new < old else new - old for old, new in zip(before, now, strict=True)
    ]


def _picked(items: Sequence[_Item], places: Sequence[int]) -> list[_Item]:
    return [items[place] for place in places]


def _layers(readings: Sequence[Reading]) -> list[_Layer]:
    """Return the layers, at least one."""
    of_readings = [reading.pairs for reading in readings]
    layers = []
    for depth in range(max(map(len, of_readings), default=0) or 1):
        now = [pairs[depth].current if len(pairs) > depth else _BLANK for pairs in of_readings]
        before = [(pairs[depth].previous if len(pairs) > depth else None) or _BLANK for pairs in of_readings]
        elapsed_ns = [new.at_ns - old.at_ns for old, new in zip(before, now, strict=True)]
        if min(elapsed_ns, default=1) <= 0:
            before = [old if passed > 0 else _BLANK for old, passed in zip(before, elapsed_ns, strict=True)]
        layers.append(_Layer(before, now, elapsed_ns))
    return layers
