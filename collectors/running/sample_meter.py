"""Measures a workload by the samples of its sources, where this host has no group of it: a remote one."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.model.workloads import Sample
from collectors.running.quantities import Measured, Usage, missing

_NS = 1e9
_COUNTERS = {
    "cpu_seconds": ("cpu_total_ns", _NS),
    "user_seconds": ("cpu_user_total_ns", _NS),
    "system_seconds": ("cpu_system_total_ns", _NS),
    "throttled_seconds": ("cpu_throttled_total_ns", _NS),
    "oom_kills": ("oom_kills_total", 1.0),
    "read": ("disk_read_total_bytes", 1.0),
    "written": ("disk_write_total_bytes", 1.0),
}


class SampleMeter:
    """Takes the samples of one workload.

    Args:
        is_whole: Whether its counters began after the command did.
    """

    def __init__(self, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._peak: int | None = None
        self._most: int | None = None

    def take(self, samples: Sequence[Sample]) -> None:
        """Take the samples of one frame, in order of authority."""
        for key, (field, _) in _COUNTERS.items():
            value = _supplied(samples, field)
            if value is not None:
                self._first.setdefault(key, 0 if self._is_whole else value)
                self._last[key] = value
        peak = _supplied(samples, "memory_peak_bytes")
        if peak is not None:
            self._peak = max(peak, self._peak or 0)
        held = _supplied(samples, "memory_charged_bytes")
        held = _supplied(samples, "memory_rss_bytes") if held is None else held
        if held is not None:
            self._most = max(held, self._most or 0)

    def usage(self) -> Usage:
        """Return what was used between the first and the last samples."""
        absent = missing("its source does not report it")
        counters = {
            key: Measured(max(0, self._last[key] - self._first[key]) / scale, "counters of its source", True)
            if key in self._last
            else absent
            for key, (_, scale) in _COUNTERS.items()
        }
        if self._peak is not None and self._is_whole:
            memory = Measured(self._peak, "the kernel's peak, as its source last reported it", True)
        elif self._most is not None:
            memory = Measured(self._most, "sampled by its source", True)
        else:
            memory = absent
        return {"mem": memory, **counters}


def _supplied(samples: Sequence[Sample], field: str) -> int | None:
    return next((value for sample in samples if (value := getattr(sample, field)) is not None), None)
