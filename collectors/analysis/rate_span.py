"""Over how many seconds the rates of a moment are. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from collectors.analysis.rates import Moment, Reading


def rates_over_s(moment: Moment) -> float | None:
    """Return the seconds between the two readings of the kernel that rates are made of; `None` while there are none.

    Without a reading of the host, it is the median over all workloads.
    """
    seconds = list(_spans(moment.host)) or [span for reading in moment.readings.values() for span in _spans(reading)]
    return median(seconds) if seconds else None


def _spans(reading: Reading) -> Iterator[float]:
    for pair in reading.pairs:
        previous, current = pair.previous, pair.current
        if previous is not None and current.at_ns > previous.at_ns:
            yield (current.at_ns - previous.at_ns) / 1e9
