"""How values are spread over time, in bounded memory however long that is. Pure."""

from __future__ import annotations

from math import ceil, exp, isfinite, log

_STEP = log(1.01)
"""Width of a bucket: a percentile is at most 1 % too high."""
_LEAST = 1e-6
"""Smaller values count as zero."""


class Spread:
    """Values, each with the seconds that it lasted: exact mean and highest value, percentiles within 1 %."""

    __slots__ = ("_buckets", "_sum", "max", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        """Seconds of all values together."""
        self.max = 0.0
        """The highest value; 0 while there is none."""
        self._sum = 0.0
        self._buckets: dict[int | None, float] = {}
        """Seconds by bucket, the logarithm of its upper end in steps; `None` is zero."""

    def add(self, value: float | None, seconds: float) -> None:
        """Add a value that is not negative; one that is unknown, or no number, adds nothing."""
        if value is None or not isfinite(value) or value < 0 or seconds <= 0:
            return
        bucket = None if value < _LEAST else ceil(log(value) / _STEP)
        self._buckets[bucket] = self._buckets.get(bucket, 0.0) + seconds
        self.seconds += seconds
        self._sum += value * seconds
        self.max = max(self.max, value)

    @property
    def mean(self) -> float:
        """The mean over time; 0 while there is no value."""
        return self._sum / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float:
        """Return the value that is not exceeded for so many percent of the time, at most 1 % too high."""
        left = self.seconds * percent / 100
        for bucket in sorted(self._buckets, key=lambda bucket: -1e9 if bucket is None else bucket):
            left -= self._buckets[bucket]
            if left <= 1e-9 * self.seconds:
                return 0.0 if bucket is None else min(self.max, exp(bucket * _STEP))
        return self.max
