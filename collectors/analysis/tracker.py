"""What follows from frames in order: the newest moment, recent past, events, start-ups, states. Live and replayed."""

from __future__ import annotations

from collections.abc import Callable

from collectors.analysis.event_log import EventLog
from collectors.analysis.history import CAPACITY, History, passed_s
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import StartupWatch
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Frame

_PAUSE = 2.5
"""Frames further apart than this many intervals leave a gap in the past."""


class MomentTracker:
    """The state that a screen shows.

    Args:
        capacity: Ticks of the past to keep.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.history = History(capacity)
        self.events = EventLog()
        self.starts = StartupWatch()
        self.states = StateLog()
        self.moment: Moment | None = None
        self._deriver = Deriver()

    def feed(self, frame: Frame) -> Moment:
        """Take in the next frame, and return the moment derived from it."""
        previous = self.moment
        if previous is not None:
            self.history.skip(_missing_ticks(previous.frame, frame))
        self.moment = self._deriver.feed(frame)
        self.history.push(self.moment)
        self.events.push(self.moment)
        self.starts.feed(self.moment)
        self.states.push(self.moment)
        return self.moment

    def prepare(self, frame: Frame) -> None:
        """Take in a frame only for the rates of the next one: it is no moment of its own."""
        self._deriver.prepare(frame)

    def stages(self) -> tuple[Callable[[Frame], object], ...]:
        """Return what can be done with the next frame before it is fed, in this order; nothing shows of it until then.

        Each takes about a fifth of the time that feeding the frame takes as a whole.
        """
        return self._deriver.prepare, self._deriver.read, self._deriver.feed, self._derive_past

    def _derive_past(self, frame: Frame) -> None:
        self.history.derive(self._deriver.feed(frame))

    @property
    def interval_s(self) -> float:
        """Seconds between frames, as of the newest frame; 0 before the first."""
        return self.moment.frame.interval_s if self.moment is not None else 0.0


def _missing_ticks(previous: Frame, frame: Frame) -> int:
    """Return how many ticks are missing between two consecutive frames."""
    seconds = passed_s(previous, frame)
    interval_s = max(frame.interval_s, previous.interval_s)
    return round(seconds / interval_s) - 1 if interval_s > 0 and seconds > _PAUSE * interval_s else 0
