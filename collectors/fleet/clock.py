"""How another host's clocks relate to those of this host, judged by the frames that arrive.

A frame's instants become this host's by one offset that does not change: so the time between two samples, and with it
every rate, stays exactly what was measured there. The offset is the smallest difference between arrival and frame among
the first frames, which arrived with the least delay. Where it no longer holds, because a host was suspended or started
anew, an era ends: no rate is made across it.
"""

from __future__ import annotations

from collections import deque

from collectors.model.workloads import Frame

FIRST = 2
"""Frames before the offset is known; a recorder's second one comes 0.15 s after its first."""
_EARLY_NS = 250_000_000
"""Nanoseconds by which a frame may arrive sooner than any frame could: both clocks drift."""
_LATE_NS = 1_000_000_000
_LATE_FRAMES = 5
"""Frames in a row that arrive later by `_LATE_NS` than the offset says: not the network, but the clock."""
_STEP_S = 0.1
"""The wall clocks' difference is rounded to this."""
_SLACK_S = 0.15
"""The difference is kept while it is within this: every change describes all workloads anew."""


class RemoteClock:
    """The clocks of one host, through all connections to it."""

    def __init__(self) -> None:
        self.era = 0
        """Counts the changes of the offset."""
        self.offset_ns: int | None = None
        """What is added to an instant of its monotonic clock to make it one of this host's; `None` until known."""
        self.ahead_s: float | None = None
        """By how many seconds its wall clock is ahead of this host's; `None` until known."""
        self._seen: deque[int] = deque(maxlen=_LATE_FRAMES)
        self._is_new = True
        """Whether the connection has not brought enough frames yet to judge by."""

    @property
    def is_known(self) -> bool:
        """Whether the frames of this connection have shown how the clocks relate."""
        return not self._is_new

    def observe(self, frame: Frame, arrived_ns: int, wall: float) -> None:
        """Take a frame that has arrived.

        Args:
            frame: The frame.
            arrived_ns: This host's monotonic instant of its arrival, in ns.
            wall: This host's wall time at that instant, in seconds since 1970.
        """
        self._seen.append(arrived_ns - frame.at_ns)
        self._judge()
        if self.offset_ns is None:
            return
        delay_s = (arrived_ns - frame.at_ns - self.offset_ns) / 1e9
        ahead_s = frame.wall - (wall - delay_s)
        if self.ahead_s is None or abs(ahead_s - self.ahead_s) > _SLACK_S:
            self.ahead_s = round(round(ahead_s / _STEP_S) * _STEP_S, 1)

    def reconnected(self) -> None:
        """Forget the delays of the last connection; the offset holds unless the first frames of the new one differ."""
        self._seen.clear()
        self._is_new = True

    def _judge(self) -> None:
        if self._is_new and len(self._seen) < FIRST:
            return
        quickest = min(self._seen)
        if self.offset_ns is None:
            self.offset_ns = quickest
        is_steady = len(self._seen) == _LATE_FRAMES and max(self._seen) - quickest < _LATE_NS  # frames held up catch up
        is_late = (self._is_new or is_steady) and quickest - self.offset_ns > _LATE_NS
        if quickest - self.offset_ns < -_EARLY_NS or is_late:
            self.offset_ns = quickest
            self.era += 1
            self._seen.clear()
        self._is_new = False
