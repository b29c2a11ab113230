"""The order of rows by what a filter can ask for. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from collectors.analysis.rates import Reading
from collectors.query.filter import FIELDS, NUMBERS, QueryError, find_metric, nearest, quoted


class SortKey(NamedTuple):
    """A row's position in the order: rows without a value last, equal rows by name and id, so the order is total."""

    is_missing: bool
    rank: float | str
    name: str
    engine: str
    id: str


def sort_key(metric: str, is_descending: bool = True) -> Callable[[Reading], SortKey]:
    """Return a key function for `sorted`: by a metric (alias or key), a number, or a text field, which always ascends.

    Raises:
        QueryError: There is no such metric or field.
    """
    lowered = metric.lower()
    sort_metric, number = find_metric(lowered), NUMBERS.get(lowered)
    sign = -1.0 if is_descending else 1.0

    def by_number(reading: Reading) -> SortKey:
        value = reading.value(sort_metric.key) if sort_metric else number(reading.workload) if number else None
        is_missing = value is None or math.isnan(value)
        return _key(reading, is_missing, 0.0 if value is None or is_missing else sign * value)

    def by_text(reading: Reading) -> SortKey:
        text = FIELDS[lowered](reading.workload).casefold()
        return _key(reading, not text, text)

    if sort_metric is None and number is None and lowered not in FIELDS:
        raise QueryError(f"there is no field or metric {quoted(metric)} to sort by{nearest(lowered)}")
    return by_text if sort_metric is None and number is None else by_number


def _key(reading: Reading, is_missing: bool, rank: float | str) -> SortKey:
    workload = reading.workload
    return SortKey(is_missing, rank, workload.name.casefold(), workload.id.engine, workload.id.id)
