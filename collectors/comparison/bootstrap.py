"""How certain a difference of means is: intervals by resampling. Pure, and the same for the same values.

Method: the percentile bootstrap with tails widened for few values, by Student's t and sqrt(n / (n - 1)) (T. Hesterberg,
"What Teachers Should Know About the Bootstrap", 2015, "expanded percentile intervals"). Without that, intervals of five
values would be far too short.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from math import ceil, floor, sqrt
from random import Random
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.99
"""The share of intervals that hold the true difference."""
_RESAMPLES = 5_000
_NORMAL = NormalDist()


class Interval(NamedTuple):
    """Between which values something lies with `CONFIDENCE`, in its unit."""

    low: float
    high: float


def interval(first: Sequence[float], second: Sequence[float], change: Callable[[float, float], float]) -> Interval:
    """Return between which values the change from one mean to another lies.

    Args:
        first: Values before, independent of each other; may be empty, and their mean then counts as 0.
        second: Values after; at least two.
        change: Makes of two means the number that is of interest, such as their difference.
    """
    random = Random(_seed(first, second))  # noqa: S311  # chance that can be repeated is what is wanted
    before = _means(first, random) if first else [0.0] * _RESAMPLES
    changes = sorted(map(change, before, _means(second, random)))
    tail = _tail(min(len(first) or len(second), len(second)))
    low, high = floor(tail * (_RESAMPLES - 1)), ceil((1 - tail) * (_RESAMPLES - 1))
    return Interval(changes[low], changes[high])


def _seed(first: Sequence[float], second: Sequence[float]) -> int:
    packed = b"|".join(struct.pack(f"<{len(values)}d", *values) for values in (first, second))
    return int.from_bytes(sha256(packed).digest()[:8], "little")


def _means(values: Sequence[float], random: Random) -> list[float]:
    count = len(values)
    return [sum(random.choices(values, k=count)) / count for _ in range(_RESAMPLES)]


def _tail(count: int) -> float:
    """Return the share of resamples to leave out at each end for means of so many values, at least two."""
    return _NORMAL.cdf(-student_t((1 + CONFIDENCE) / 2, count - 1) * sqrt(count / (count - 1)))


def student_t(share: float, freedom: int) -> float:
    """Return the quantile of Student's t distribution.

    By the series of Abramowitz and Stegun, 26.7.5: 2 % too small with four degrees of freedom, less so with more.
    """
    z = _NORMAL.inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))
