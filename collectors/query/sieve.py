"""Which of many workloads may pass a term of a filter, found side by side instead of one after the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress, repeat
from math import nan

from collectors.analysis.columns import Columns, is_data
from collectors.model.metrics import Metric
from collectors.model.workloads import Workload

Sieve = Callable[[Columns, Sequence[int]], Sequence[int]]
"""Returns those of some places in columns, in their order, whose readings may pass: all that pass, and few others."""
_TEXTS_KEPT = 1024


def of_number(metric: Metric, compare: Callable[[float, float], bool], number: float, is_share: bool) -> Sieve | None:
    """Return a sieve of a comparison of a metric; `None` where each reading has to be asked for the metric anyway.

    Args:
        metric: What is compared.
        compare: An operator.
        number: With what, in the metric's unit, or in percent of its limit.
        is_share: Whether it is compared as a share of its limit.
    """
    limit = metric.limit if is_share else None
    if not is_data(metric.derive) or (limit is not None and not is_data(limit)):
        return None

    def sieve(columns: Columns, places: Sequence[int]) -> Sequence[int]:
        values = columns.of(metric.key)
        if limit is not None:
            limits = columns.derived(limit)
            values = [value / most * 100 if most else nan for value, most in zip(values, limits, strict=True)]
        if len(places) < len(values):
            values = [values[place] for place in places]
        return [*compress(places, map(compare, values, repeat(number)))]

    return sieve


def of_text(read: Callable[[Workload], str], passes: Callable[[str], bool]) -> Sieve:
    """Return a sieve of a test of a text, which is made once for each text: most workloads have the same few."""
    known = lru_cache(_TEXTS_KEPT)(passes)

    def sieve(columns: Columns, places: Sequence[int]) -> Sequence[int]:
        texts = columns.texts(read)
        if len(places) < len(texts):
            texts = [texts[place] for place in places]
        return [*compress(places, map(known, texts))]

    return sieve
