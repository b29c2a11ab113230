"""Where in a session one is, and what follows from the frames up to there. Blocking: screens call it on a thread.

Any place is reached by deriving a few frames before it; the past for the charts is completed afterwards, in slices, so
that a leap shows at once and what is played forward is exactly what was lived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter

from collectors.analysis.history import CAPACITY, History
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import Startup, StartupWatch
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Event, Frame, WorkloadId
from collectors.session.reader import Place, Session

WARM_UP = 30
"""Frames before a place that are derived with it: the slowest source has two samples among them, unless it hangs."""
FAR = 600
"""Frames that are looked back at most for the last answer of a source that hangs."""
AHEAD = 600
"""Up to this many frames ahead are fed one by one; more is a leap."""
_ENOUGH = 180
"""Ticks of the past that are left after steps back before it is read again."""
_SLICE = 40
_EVENTS_AT_MOST = 50_000


class Playback:
    """Moves through a session.

    Args:
        session: An open one.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.number = -1
        """The present frame, counted from 0; -1 before the first."""
        self.total = session.total()
        self._span = session.span()
        self.moment: Moment | None = None
        self.history = History()
        self.events = EventIndex(session)
        self._track = self._new_track()
        self._oldest = 0
        self._newest = -1
        """Frames that the track was fed, from and to."""
        self._ticks: dict[int, int] = {}
        """Frame -> the history's count of ticks when it was the newest."""
        self._fresh: MomentTracker | None = None
        """A track with a longer past, being made."""
        self._fresh_ticks: dict[int, int] = {}
        self._fresh_next = 0
        self._is_shallow = False

    @property
    def is_shallow(self) -> bool:
        """Whether the charts lack a part of the past that the session has."""
        return self._is_shallow

    @property
    def span(self) -> tuple[float, float]:
        """The wall times of the first and the last frame, as last looked at."""
        return self._span

    def _new_track(self) -> MomentTracker:
        track = MomentTracker()
        track.history = self.history
        return track

    def refresh(self) -> bool:
        """Look for what was written since; return whether there is more."""
        if not self.session.refresh():
            return False
        before, self.total = self.total, self.session.total()
        self._span = self.session.span()
        return self.total != before

    def number_at(self, wall: float) -> int:
        """Return the last frame that is not after a wall time."""
        return self.session.number(self.session.at(wall))

    def number_of_event(self, number: int, step: int) -> int | None:
        """Return the nearest frame with events after (1) or before (-1) another."""
        place = self.session.place(max(0, number))
        found = self.session.search(place, step, lambda frame: bool(frame.events))
        return None if found is None else self.session.number(found)

    def go(self, number: int) -> None:
        """Make a frame the present one: `moment` and `history` tell of it. A damaged one is passed by."""
        found = self._present(max(0, min(number, self.total - 1)), -1 if number < self.number else 1)
        if found is None:
            return
        if self._newest < found <= self._newest + AHEAD and self._newest >= 0:
            self._play_to(found)
        elif self._oldest <= found <= self._newest and found in self._ticks:
            self._hold(found)
        else:
            self._leap(found)
        self.number = found

    def _present(self, number: int, step: int) -> int | None:
        """Return the nearest frame that can be read, in a direction first."""
        for direction in (step, -step):
            place = self.session.place(number)
            index, frame = place
            while 0 <= index < len(self.session.members):
                count = len(self.session.part(index).frames)
                if 0 <= frame < count:
                    return self.session.number(Place(index, frame))
                if direction < 0 and count:
                    return self.session.number(Place(index, min(frame, count - 1)))
                index += direction
                frame = 0 if direction > 0 else 1 << 62
        return None

    def _frames(self, start: int, stop: int) -> Iterator[tuple[int, Frame]]:
        """Yield frames from one number up to another, both included, without the damaged ones."""
        place = self.session.place(start)
        for number in range(start, stop + 1):
            frame = self.session.frame(place)
            if frame is not None:
                yield number, frame
            place = self.session.step(place, 1)

    def _play_to(self, number: int) -> None:
        self.history.held_at = None
        for one, frame in self._frames(self._newest + 1, number):
            self._feed(one, frame)
        self.moment = self._track.moment

    def _feed(self, number: int, frame: Frame) -> None:
        self._track.feed(frame)
        self._newest = number
        self._ticks[number] = self.history.ticks
        if len(self._ticks) > 2 * CAPACITY:
            self._ticks = {one: ticks for one, ticks in self._ticks.items() if ticks > self.history.ticks - CAPACITY}
            self._oldest = min(self._ticks)

    def _hold(self, number: int) -> None:
        """Show a frame that the past already has: derive it again, end the charts there."""
        self.moment = self._derived(number)
        self.history.held_at = None if number == self._newest else self._ticks[number]
        left = CAPACITY - (self.history.ticks - self._ticks[number])
        self._is_shallow = left < _ENOUGH and self._oldest > 0
        self._fresh = None

    def _derived(self, number: int) -> Moment | None:
        deriver, moment = Deriver(), None
        for _, frame in self._frames(self._warm_from(number), number):
            moment = deriver.feed(frame)
        return moment

    def _warm_from(self, number: int) -> int:
        """Return the frame from which to derive, so that every source has the sample before its present one.

        A source that hangs repeats its last sample: one that the first of these frames has too was taken before it.
        """
        frame = self.session.frame(self.session.place(number))
        start = max(0, number - WARM_UP)
        while frame is not None and start and number - start < FAR:
            first = self.session.frame(self.session.place(start))
            if first is None or first.run != frame.run or not _repeats(first, frame):
                break
            start = max(0, start - WARM_UP)
        return start

    def _leap(self, number: int) -> None:
        self._track = self._new_track()
        self.history.become(History())
        self._ticks, self._fresh = {}, None
        self._oldest = self._newest = self._warm_from(number)
        for one, frame in self._frames(self._oldest, number):
            self._feed(one, frame)
        self.moment = self._track.moment
        self._is_shallow = self._oldest > 0

    def follow_anew(self) -> None:
        """Have the past read again: the history follows another workload now."""
        self._is_shallow, self._fresh = True, None

    def deepen(self) -> bool:
        """Read a slice more of the past for the charts; return whether something is left to do."""
        if not self._is_shallow:
            return False
        if self._fresh is None:
            self._fresh, self._fresh_ticks = MomentTracker(), {}
            self._fresh.history.follow(self.history.followed)
            self._fresh_next = max(0, self.number - CAPACITY)
        fresh, stop = self._fresh, min(self._fresh_next + _SLICE - 1, self.number)
        for number, frame in self._frames(self._fresh_next, stop):
            fresh.feed(frame)
            self._fresh_ticks[number] = fresh.history.ticks
        self._fresh_next = stop + 1
        if stop < self.number:
            return True
        self._take_over(fresh)
        return False

    def _take_over(self, fresh: MomentTracker) -> None:
        self.history.become(fresh.history)
        fresh.history = self.history
        self._track, self._ticks = fresh, self._fresh_ticks
        self._oldest, self._newest = min(self._ticks, default=0), self.number
        self._fresh, self._is_shallow = None, False


def _repeats(first: Frame, frame: Frame) -> bool:
    """Return whether a frame has samples that an earlier one has already."""
    for identity, samples in frame.samples.items():
        taken = {(sample.source, sample.at_ns) for sample in first.samples.get(identity, ())}
        if any((sample.source, sample.at_ns) in taken for sample in samples):
            return True
    return False


class EventIndex:
    """All events and start-ups of a session, found bit by bit: only members with events are read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next = 0
        self._taken = 0
        """Frames of that member."""
        self._is_near = False
        self._deriver = Deriver()
        self._watch = StartupWatch()
        self._known: dict[WorkloadId, Startup] = {}
        self.events: list[Event] = []
        """In the order of their frames."""
        self._walls: list[float] = []
        """Of the frames that brought them."""
        self._starts: list[tuple[float, WorkloadId, Startup]] = []

    def advance(self) -> bool:
        """Read one member more, or what a growing one has more; return whether there is one left."""
        if self._next >= len(self._session.members):
            return False
        member = self._session.members[self._next].member
        has_events = bool(member.events) or not member.is_closed
        if has_events or self._is_near:
            frames = self._session.part(self._next).frames
            for frame in frames[self._taken :]:
                self._take(frame)
            self._taken = len(frames)
        is_last = self._next == len(self._session.members) - 1
        if is_last and not member.is_closed:
            return False
        self._next, self._taken, self._is_near = self._next + 1, 0, has_events
        return not is_last

    def _take(self, frame: Frame) -> None:
        if len(self.events) < _EVENTS_AT_MOST:
            self.events += frame.events
            self._walls += [frame.wall] * len(frame.events)
        self._watch.feed(self._deriver.feed(frame))
        for identity, startup in self._watch.all().items():
            if self._known.get(identity) != startup:
                self._known[identity] = startup
                self._starts.append((frame.wall, identity, startup))

    def until(self, wall: float) -> list[Event]:
        """Return the events of the frames up to a wall time."""
        return self.events[: bisect_right(self._walls, wall)]

    def of(self, identity: WorkloadId, wall: float) -> list[Event]:
        """Return the events of one workload up to a wall time, by their own clocks."""
        return sorted((event for event in self.until(wall) if event.workload == identity), key=attrgetter("wall"))

    def start_of(self, identity: WorkloadId, wall: float) -> Startup | None:
        """Return the newest start-up of a workload that was known at a wall time."""
        known = [startup for at, one, startup in self._starts if one == identity and at <= wall]
        return known[-1] if known else None
