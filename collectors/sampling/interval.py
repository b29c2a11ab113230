"""How often to read: as often as wished for, or less where a reading would take too much of the time. Pure."""

from __future__ import annotations

SHARE = 0.1
"""Of the interval that reading may take, in CPU time."""
_CALM = 0.6
"""It gets quicker again only when a reading would take less than this part of the share: pace must not flutter."""
_MEMORY = 0.7
"""Weight of the readings before the newest."""
SLOWEST_S = 60.0


class AdaptiveInterval:
    """Doubles the interval until reading takes less than a tenth of it, and comes back when it does.

    Args:
        wished_s: The interval that was wished for.
        is_steady: Keep to the wish whatever it costs.
    """

    def __init__(self, wished_s: float, is_steady: bool = False) -> None:
        self.wished_s = wished_s
        self.is_steady = is_steady
        self.interval_s = wished_s
        self.cost_s = 0.0
        """CPU seconds of a reading, smoothed."""

    @property
    def is_slowed(self) -> bool:
        """Whether the interval is longer than wished for."""
        return self.interval_s > self.wished_s

    def wish(self, interval_s: float) -> None:
        """Take the user's choice, which is kept."""
        self.wished_s = self.interval_s = interval_s
        self.is_steady = True

    def note(self, cost_s: float) -> None:
        """Take in what a reading cost."""
        self.cost_s = cost_s if not self.cost_s else self.cost_s * _MEMORY + cost_s * (1 - _MEMORY)
        if self.is_steady:
            return
        if self.cost_s > self.interval_s * SHARE:
            self.interval_s = min(SLOWEST_S, self.interval_s * 2)
        elif self.is_slowed and self.cost_s < self.interval_s / 2 * SHARE * _CALM:
            self.interval_s = max(self.wished_s, self.interval_s / 2)
