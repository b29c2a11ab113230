"""From a workload's samples to one value per family, as the table says. Pure, and quick: it runs for each scrape."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec.structs import astuple

from collectors.exposition.families import Family, Pick
from collectors.model.workloads import AVERAGED, Sample, Workload

Row = list[float | None]
"""The fields of `Sample` in their order, those of several samples joined, and what is made of them and of the
description."""

_INDEX = {name: index for index, name in enumerate(Sample.__struct_fields__)}
_NOTHING = (None,) * len(_INDEX)
OLDEST_S = 60.0
"""Seconds: an older sample is left out, since a counter that stands still would look like a workload that rests."""
_OLDEST_AVERAGED_S = 300.0


class Columns:
    """Where the values of families are in a row.

    Args:
        families: Those of samples and of descriptions; others are ignored.
    """

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = tuple(family for family in families if family.field)
        less = [family for family in self.families if family.less]
        beside = [family for family in self.families if family.beside]
        facts = [family for family in self.families if family.from_workload]
        self._lowest = [_INDEX[family.field] for family in self.families if family.pick is Pick.LOWEST]
        self._less = [(_INDEX[family.field], _INDEX[family.less]) for family in less]
        self._beside = [(_INDEX[family.field], _INDEX[family.beside]) for family in beside]
        self._facts = attrgetter(*[family.field for family in facts]) if len(facts) > 1 else None
        added = {family.name: len(_INDEX) + place for place, family in enumerate([*less, *beside, *facts])}
        self.places = tuple(added.get(family.name, _INDEX.get(family.field, -1)) for family in self.families)
        """The index of each family's value in a row."""

    def row(self, samples: Sequence[Sample], now_ns: int, workload: Workload) -> Row:
        """Return a workload's values at an instant."""
        read = [astuple(sample) for sample in samples if _is_new(sample, now_ns)]
        row: Row = list(_joined(read))
        less = [None if row[a] is None or row[b] is None else max(0, row[a] - row[b]) for a, b in self._less]  # type: ignore[operator]  # neither is
        beside = [None if row[b] is None else _beside(read, a, b) for a, b in self._beside]
        if len(read) > 1:
            for place in self._lowest:
                if row[place] is not None:
                    row[place] = min([one[place] for one in read if one[place] is not None])
        row += less
        row += beside
        if self._facts is not None:
            row += self._facts(workload)
        return row


def _beside(read: Sequence[Sequence[float | None]], place: int, companion: int) -> float | None:
    return next(one[place] for one in read if one[companion] is not None)


def _is_new(sample: Sample, now_ns: int) -> bool:
    age_ns = now_ns - sample.at_ns
    return age_ns < OLDEST_S * 1e9 or (sample.source in AVERAGED and age_ns < _OLDEST_AVERAGED_S * 1e9)


def _joined(read: Sequence[Sequence[float | None]]) -> Sequence[float | None]:
    """Return of each field the first value that there is. Two rows at a time would take half as long again."""
    if len(read) < 2:
        return read[0] if read else _NOTHING
    if len(read) == 2:
        return [b if a is None else a for a, b in zip(*read, strict=True)]
    rest = _joined(read[2:])
    return [a if a is not None else c if b is None else b for a, b, c in zip(read[0], read[1], rest, strict=True)]
