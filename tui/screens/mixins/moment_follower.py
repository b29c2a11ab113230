"""Updates for screens that are open above the table."""

from __future__ import annotations

from collectors.analysis.rates import Moment


class Follower:
    """A screen that shows each new moment, live or in a replay."""

    where: str
    """Which screen the moments come from: `live` or `replay`."""

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        """Show a moment.

        Args:
            moment: The moment to show.
            interval_s: Seconds between frames.
            is_next: Whether it directly follows the previous moment.
        """
        raise NotImplementedError
