"""The present frame of a replay, and what follows from the frames up to it. Blocks: screens call it on a thread.

Any frame is reached by deriving a few frames before it; the history for the charts is completed afterwards, in slices,
so that a leap shows at once. Played forward, a session gives exactly the original values.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter

from collectors.analysis.history import CAPACITY, History
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import Startup, StartupWatch
from collectors.analysis.state_log import StateLog
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Event, Frame, WorkloadId
from collectors.session.frame_sequence import FrameSequence, Position
from collectors.session.kept import Budget
from collectors.session.later_names import LaterNames

WARM_UP = 30
"""Frames derived before the one that is shown: the slowest source has two samples among them, unless it hangs."""
FAR = 600
"""How many frames to look back, at most, for the last answer of a source that hangs."""
AHEAD = 64
"""Up to this many frames ahead are fed one by one: as many as the fastest replay skips. More is a leap."""
_ENOUGH = 180
"""The history is read again when, after steps back, fewer ticks of it than this are left."""
_SLICE = 40
_EVENTS_AT_MOST = 50_000
"""Events that are listed of a session, and start-ups: the first ones."""


class Playback:
    """Moves through a session.

    Args:
        session: An open session.
    """

    def __init__(self, session: FrameSequence) -> None:
        self.session = session
        self.number = -1
        """The present frame, counted from 0; -1 before the first."""
        self.total = session.total()
        self._span = session.span()
        self._names = LaterNames(session)
        self.moment: Moment | None = None
        self.history = History()
        self.events = EventIndex(session)
        self._track = self._new_track()
        self._oldest = 0
        self._newest = -1
        """The first and the last frame fed to the track."""
        self._ticks: dict[int, int] = {}
        """Frame number -> the history's tick count when that frame was the newest."""
        self._deeper_track: MomentTracker | None = None
        """A track with a longer history, being filled."""
        self._deeper_ticks: dict[int, int] = {}
        self._deeper_next = 0
        self._is_shallow = False

    @property
    def is_shallow(self) -> bool:
        """Whether the charts lack a part of the history that the session has."""
        return self._is_shallow

    @property
    def span(self) -> tuple[float, float]:
        """The wall times of the first and the last frame, as of the last `refresh`."""
        return self._span

    @property
    def states(self) -> StateLog:
        """The changes of state in the frames from which the history is made."""
        return self._track.states

    def _new_track(self) -> MomentTracker:
        track = MomentTracker()
        track.history = self.history
        return track

    def refresh(self) -> bool:
        """Read what was written since the last look; return whether there are more frames."""
        if not self.session.refresh():
            return False
        previous_total, self.total = self.total, self.session.total()
        self._span = self.session.span()
        return self.total != previous_total

    def number_at(self, wall: float) -> int:
        """Return the last frame that is not after a wall time."""
        return self.session.number(self.session.at(wall))

    def number_of_event(self, number: int, step: int) -> int | None:
        """Return the nearest frame with events after (1) or before (-1) another."""
        start = self.session.position(max(0, number))
        position = self.session.search(start, step, lambda frame: bool(frame.events))
        return None if position is None else self.session.number(position)

    def go(self, number: int) -> None:
        """Make a frame the present one: `moment` and `history` describe it. A damaged frame is skipped."""
        target = self._nearest_readable(max(0, min(number, self.total - 1)), -1 if number < self.number else 1)
        if target is None:
            return
        if self._newest < target <= self._newest + AHEAD and self._newest >= 0:
            self._play_to(target)
        elif self._oldest <= target <= self._newest and target in self._ticks:
            self._hold(target)
        else:
            self._leap(target)
        self.number = target

    def _nearest_readable(self, number: int, step: int) -> int | None:
        """Return the nearest frame that can be read, looking first in the direction of the step (1 or -1)."""
        if self.session.frame(self.session.position(number)) is not None:
            return number
        for direction in (step, -step):
            index, frame = self.session.position(number)
            while 0 <= index < len(self.session.outline):
                count = len(self.session.walls(index))
                if 0 <= frame < count:
                    return self.session.number(Position(index, frame))
                if direction < 0 and count:
                    return self.session.number(Position(index, min(frame, count - 1)))
                index += direction
                frame = 0 if direction > 0 else 1 << 62
        return None

    def _frames(self, start: int, stop: int) -> Iterator[tuple[int, Frame]]:
        """Yield the numbers and frames from one number to another, both included, without the damaged ones.

        Workloads that had no name yet have the one that is known later.
        """
        position = self.session.position(start)
        for number in range(start, stop + 1):
            frame = self.session.frame(position)
            if frame is not None:
                yield number, self._names.named(frame, number, self.total - 1)
            position = self.session.step(position, 1)

    def _play_to(self, number: int) -> None:
        self.history.held_at = None
        for fed_number, frame in self._frames(self._newest + 1, number):
            self._feed(fed_number, frame)
        self.moment = self._track.moment

    def _feed(self, number: int, frame: Frame) -> None:
        self._track.feed(frame)
        self._newest = number
        self._ticks[number] = self.history.ticks
        if len(self._ticks) > 2 * CAPACITY:
            oldest_tick = self.history.ticks - CAPACITY
            self._ticks = {fed_number: ticks for fed_number, ticks in self._ticks.items() if ticks > oldest_tick}
            self._oldest = min(self._ticks)

    def _hold(self, number: int) -> None:
        """Show a frame that the history already has: derive it again, and end the charts there."""
        self.moment = self._derived(number)
        self.history.held_at = None if number == self._newest else self._ticks[number]
        ticks_left = CAPACITY - (self.history.ticks - self._ticks[number])
        self._is_shallow = ticks_left < _ENOUGH and self._oldest > 0
        self._deeper_track = None

    def _derived(self, number: int) -> Moment | None:
        deriver, newest = Deriver(), None
        for _, frame in self._frames(self._warm_from(number), number):
            if newest is not None:
                deriver.prepare(newest)
            newest = frame
        return None if newest is None else deriver.feed(newest)

    def _warm_from(self, number: int) -> int:
        """Return the frame from which to derive, so that every source has the sample before its present one.

        A source that hangs repeats its last sample: a sample that the first of these frames also has is older than it.
        """
        frame = self.session.frame(self.session.position(number))
        start = max(0, number - WARM_UP)
        while frame is not None and start and number - start < FAR:
            first_frame = self.session.frame(self.session.position(start))
            if first_frame is None or first_frame.run != frame.run or not _repeats(first_frame, frame):
                break
            start = max(0, start - WARM_UP)
        return start

    def _leap(self, number: int) -> None:
        self._track = self._new_track()
        self.history.become(History())
        self._ticks, self._deeper_track = {}, None
        self._oldest = self._newest = self._warm_from(number)
        for fed_number, frame in self._frames(self._oldest, number):
            self._feed(fed_number, frame)
        self.moment = self._track.moment
        self._is_shallow = self._oldest > 0

    def reread_history(self) -> None:
        """Have the history read again: it keeps another metric now."""
        self._is_shallow, self._deeper_track = True, None

    def deepen(self) -> bool:
        """Read another slice of the history for the charts; return whether there is more to read."""
        if not self._is_shallow:
            return False
        if self._deeper_track is None:
            self._deeper_track, self._deeper_ticks = MomentTracker(), {}
            self._deeper_track.history.keep_as(self.history)
            self._deeper_next = self._warm_from(max(0, self.number - CAPACITY))
        track, stop = self._deeper_track, min(self._deeper_next + _SLICE - 1, self.number)
        for number, frame in self._frames(self._deeper_next, stop):
            track.feed(frame)
            self._deeper_ticks[number] = track.history.ticks
        self._deeper_next = stop + 1
        if stop < self.number:
            return True
        self._take_over(track)
        return False

    def _take_over(self, track: MomentTracker) -> None:
        self.history.become(track.history)
        track.history = self.history
        self._track, self._ticks = track, self._deeper_ticks
        self._oldest, self._newest = min(self._ticks, default=0), self.number
        self._deeper_track, self._is_shallow = None, False


def _repeats(earlier: Frame, frame: Frame) -> bool:
    """Return whether a frame has samples that an earlier frame already has."""
    for identity, samples in frame.samples.items():
        earlier_samples = {(sample.source, sample.at_ns) for sample in earlier.samples.get(identity, ())}
        if any((sample.source, sample.at_ns) in earlier_samples for sample in samples):
            return True
    return False


class EventIndex:
    """All events and start-ups of a session, collected member by member: only members with events are read."""

    def __init__(self, session: FrameSequence) -> None:
        self._session = session
        self._next = 0
        """Index of the member to read next."""
        self._frames_read = 0
        """How many of its frames were read."""
        self._follows_events = False
        """Whether the member before it has events: a start-up may be complete only in the next member."""
        self._deriver = Deriver()
        self._watch = StartupWatch()
        self._startups: dict[WorkloadId, Startup] = {}
        """The newest start-up of each workload."""
        self.events: list[Event] = []
        """In the order of their frames."""
        self._walls: list[float] = []
        """Wall times of the frames that the events belong to."""
        self._starts: list[tuple[float, WorkloadId, Startup]] = []
        self._event_budget, self._start_budget = Budget(_EVENTS_AT_MOST), Budget(_EVENTS_AT_MOST)

    def advance(self) -> bool:
        """Read one more member, or the new frames of one still being written; return whether any member is left."""
        if self._next >= len(self._session.outline):
            return False
        member = self._session.outline[self._next]
        has_events = bool(member.events) or not member.is_closed
        if has_events or self._follows_events:
            frames = self._session.part(self._next).frames
            for frame in frames[self._frames_read :]:
                self._take(frame)
            self._frames_read = len(frames)
        is_last = self._next == len(self._session.outline) - 1
        if is_last and not member.is_closed:
            return False
        self._next, self._frames_read, self._follows_events = self._next + 1, 0, has_events
        return not is_last

    def _take(self, frame: Frame) -> None:
        for event in frame.events:
            if self._event_budget.takes_event(event):
                self.events.append(event)
                self._walls.append(frame.wall)
        self._watch.feed(self._deriver.feed(frame))
        startups = dict(self._watch.all())
        for identity, startup in startups.items():
            if self._startups.get(identity) != startup and self._start_budget.takes(*identity):
                self._starts.append((frame.wall, identity, startup))
        self._startups = startups

    def until(self, wall: float) -> list[Event]:
        """Return the events of the frames up to a wall time."""
        return self.events[: bisect_right(self._walls, wall)]

    def of(self, identity: WorkloadId, wall: float) -> list[Event]:
        """Return the events of one workload up to a wall time, by their own clocks."""
        return sorted((event for event in self.until(wall) if event.workload == identity), key=attrgetter("wall"))

    def start_of(self, identity: WorkloadId, wall: float) -> Startup | None:
        """Return a workload's newest start-up as of a wall time; `None` if none was seen by then."""
        startups = [startup for at, workload, startup in self._starts if workload == identity and at <= wall]
        return startups[-1] if startups else None
