"""From which age on a sample is old: its number is no longer that of now. Pure."""

from __future__ import annotations

from collectors.model.workloads import AVERAGED, Sample

STALE_S, STALE_INTERVALS = 8.0, 2.5
"""A sample is old from this age in seconds on, or from this many intervals between frames, whichever is more."""


def is_old(sample: Sample, at_ns: int, interval_s: float) -> bool:
    """Return whether a sample is old at an instant.

    Args:
        sample: The sample; one that is made of averages comes late by nature.
        at_ns: The instant, by the clock of `Sample.at_ns`.
        interval_s: Seconds between frames.
    """
    stale_s = max(STALE_S, STALE_INTERVALS * max(interval_s, AVERAGED.get(sample.source, 0.0)))
    return at_ns - sample.at_ns > stale_s * 1e9
