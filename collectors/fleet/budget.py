"""How much another host may make this one work."""

from __future__ import annotations

_SHARE = 0.2
"""Share of a core for the frames of one host, in the long run: some 40 times of what 100 workloads take."""
_BURST_S = 0.5
"""CPU seconds that it may take at once."""
FLOOD_S = 10.0
"""Seconds of too much work in a row, after which it is a flood."""


class CpuBudget:
    """Says how long to wait after each piece of work. What is not read in this time waits at its sender.

    Args:
        now: Monotonic instant in seconds.
    """

    def __init__(self, now: float) -> None:
        self._balance_s = _BURST_S
        self._at = now
        self._short_since: float | None = None

    def spend(self, cpu_s: float, now: float) -> float:
        """Take CPU seconds that were used until a monotonic instant; return the seconds to wait."""
        self._balance_s = min(_BURST_S, self._balance_s + (now - self._at) * _SHARE) - cpu_s
        self._at = now
        if self._balance_s > _BURST_S / 2:
            self._short_since = None
        if self._balance_s >= 0:
            return 0.0
        self._short_since = now if self._short_since is None else self._short_since
        return -self._balance_s / _SHARE

    def is_flooded(self, now: float) -> bool:
        """Return whether there has been too much work for too long, at a monotonic instant in seconds."""
        return self._short_since is not None and now - self._short_since > FLOOD_S
