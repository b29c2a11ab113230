"""From a workload's samples to one value per family, as the table says. Pure, and quick: it runs for each scrape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import astuple

from collectors.exposition.families import Family, Pick
from collectors.model.workloads import AVERAGED, Sample, Workload

Row = Sequence[float | None]
"""The fields of `Sample` in their order, those of several samples joined, and then the values of `_Made`."""

_INDEX = {name: index for index, name in enumerate(Sample.__struct_fields__)}
_NOTHING: tuple[None, ...] = (None,) * len(_INDEX)
OLDEST_S = 60.0
"""Seconds: an older sample is left out, since a counter that stands still would look like a workload that rests."""
_OLDEST_AVERAGED_S = 300.0


class _Made(NamedTuple):
    """A value that is not simply the first one that a sample has."""

    family: Family
    make: Callable[[Sequence[Row], Row], float | None]
    """From the samples, each as a row, and from all of them joined."""


class Columns:
    """Where the values of families are in a row.

    Args:
        families: Those of samples and of descriptions; others are ignored.
    """

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = tuple(family for family in families if family.field)
        own = [family.field for family in self.families if family.from_workload]
        made = [family for family in self.families if family.beside or family.less or family.pick is Pick.LOWEST]
        self._facts = tuple(own)
        self._made = tuple(_made(family) for family in made)
        places = {family.name: len(_INDEX) + place for place, family in enumerate(made)}
        places |= {
            family.name: len(_INDEX) + len(made) + own.index(family.field)
            for family in self.families
            if family.from_workload
        }
        self.places = tuple(places.get(family.name, _INDEX.get(family.field, -1)) for family in self.families)
        """The index of each family's value in a row."""

    def row(self, samples: Sequence[Sample], now_ns: int, workload: Workload) -> Row:
        """Return a workload's values at an instant."""
        rows = [astuple(sample) for sample in samples if _is_new(sample, now_ns)]
        joined = _joined(rows)
        made = [make(rows, joined) for _, make in self._made]
        return [*joined, *made, *[getattr(workload, name) for name in self._facts]]


def _joined(rows: Sequence[Row]) -> Row:
    """Return of each field the first value that there is. Two rows at a time would take half as long again."""
    if len(rows) < 2:
        return rows[0] if rows else _NOTHING
    if len(rows) == 2:
        return [b if a is None else a for a, b in zip(*rows, strict=True)]
    rest = _joined(rows[2:])
    return [a if a is not None else c if b is None else b for a, b, c in zip(rows[0], rows[1], rest, strict=True)]


def _is_new(sample: Sample, now_ns: int) -> bool:
    age_ns = now_ns - sample.at_ns
    return age_ns < OLDEST_S * 1e9 or (sample.source in AVERAGED and age_ns < _OLDEST_AVERAGED_S * 1e9)


def _made(family: Family) -> _Made:
    place = _INDEX[family.field]
    if family.less:
        return _Made(family, _difference(place, _INDEX[family.less]))
    return _Made(family, _beside(place, _INDEX[family.beside]) if family.beside else _lowest(place))


def _difference(place: int, less: int) -> Callable[[Sequence[Row], Row], float | None]:
    def make(_rows: Sequence[Row], joined: Row) -> float | None:
        whole, part = joined[place], joined[less]
        return None if whole is None or part is None else max(0, whole - part)

    return make


def _beside(place: int, companion: int) -> Callable[[Sequence[Row], Row], float | None]:
    def make(rows: Sequence[Row], joined: Row) -> float | None:
        if joined[companion] is None:
            return None
        return next(row[place] for row in rows if row[companion] is not None)

    return make


def _lowest(place: int) -> Callable[[Sequence[Row], Row], float | None]:
    def make(rows: Sequence[Row], joined: Row) -> float | None:
        lowest = joined[place]
        if lowest is not None:
            for row in rows:
                value = row[place]
                if value is not None and value < lowest:
                    lowest = value
        return lowest

    return make
