"""How often to read: at the requested interval, or less often where reading would take too much CPU time. Pure."""

from __future__ import annotations

SHARE = 0.1
"""Share of the interval that reading may take, in CPU time."""
_CALM = 0.6
"""It speeds up again only when a reading would take less than this part of the share, so it does not oscillate."""
_MEMORY = 0.7
"""Weight of the earlier readings in the smoothed cost."""
SLOWEST_S = 60.0


class AdaptiveInterval:
    """Doubles the interval until reading takes less than a tenth of it, and comes back when it does.

    Args:
        requested_s: The requested interval, in seconds.
        is_steady: Keep to the requested interval whatever it costs.
    """

    def __init__(self, requested_s: float, is_steady: bool = False) -> None:
        self.requested_s = requested_s
        self.is_steady = is_steady
        self.interval_s = requested_s
        self.cost_s = 0.0
        """CPU seconds of a reading, smoothed."""

    @property
    def is_slowed(self) -> bool:
        """Whether the interval is longer than requested."""
        return self.interval_s > self.requested_s

    def choose(self, interval_s: float) -> None:
        """Set the interval that the user chose; it is kept."""
        self.requested_s = self.interval_s = interval_s
        self.is_steady = True

    def note(self, cost_s: float) -> None:
        """Take in the CPU seconds of a reading."""
        self.cost_s = cost_s if not self.cost_s else self.cost_s * _MEMORY + cost_s * (1 - _MEMORY)
        if self.is_steady:
            return
        if self.cost_s > self.interval_s * SHARE:
            self.interval_s = min(SLOWEST_S, self.interval_s * 2)
        elif self.is_slowed and self.cost_s < self.interval_s / 2 * SHARE * _CALM:
            self.interval_s = max(self.requested_s, self.interval_s / 2)
