"""What a screen over the table is told by the one below."""

from __future__ import annotations

from collectors.analysis.rates import Moment


class Follower:
    """A screen that shows other moments as they come, live or while a session is travelled through."""

    where: str
    """Whose moments: `live` or `replay`."""

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        """Show a moment.

        Args:
            moment: Which.
            interval_s: The pace of the frames.
            is_next: It follows the one before.
        """
        raise NotImplementedError
