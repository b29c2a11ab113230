"""The recording of one host: its frames by wall time, its name, its clock."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from collectors.analysis.by_host import by_host
from collectors.fleet.recordings.slots import Span
from collectors.model.workloads import Frame
from collectors.session.format import PAUSE, SHORTEST_S, Damage, Gap
from collectors.session.gzip_member import Member
from collectors.session.reader import Session

_STEP_S = 1.0
"""Seconds by which wall clock and monotonic clock may drift apart before the wall clock counts as having been set."""
_WRITTEN_WITHIN_S = 30.0
"""Seconds since a file was last written; a longer interval is not expected of one that is still being written."""
_USUAL_INTERVAL_S = 10.0
"""Seconds between frames up to which the header of a member is believed: after a pause, a new member begins."""
_LATEST = 4_102_444_800.0
"""Wall time up to which frames are read."""
_ROUNDED_S = 0.0006
"""Seconds; the headers of members have milliseconds."""


class TrackPart(NamedTuple):
    """What a track has of a block of instants."""

    frames: list[Frame]
    """Those that are new in the block, and the one that is known at its beginning."""
    gaps: list[Gap]
    """Those that end in it."""


class Track:
    """The recording of one host, or of several by one vmtop.

    Args:
        session: Its files.
        first_frame: The first frame of them; `None` if they are damaged.
        hostname: The name of the host on which it was made.
    """

    def __init__(self, session: Session, first_frame: Frame | None, hostname: str) -> None:
        self.session = session
        self.hostname = hostname
        self.interval_s = (first_frame.interval_s if first_frame is not None else 0.0) or 1.0
        parts = by_host(first_frame) if first_frame is not None else ()
        self._names = {part.name: part.name or hostname for part in parts}
        self._offsets_ns: dict[str, int] = {}
        """By run."""
        self._read_spans: dict[tuple[int, int], Span] = {}
        """What members cover that had to be read for it, by index and the size of their file."""
        self._lay_out()
        self.hosts = tuple(self._names.values())
        """The names of its hosts, each unique among all tracks."""

    def take_names(self, taken: set[str]) -> None:
        """Give each host a name that is not taken, and take it: `hv01`, then `hv01@2`."""
        for inner, name in self._names.items():
            self._names[inner] = unique(name, taken)
            taken.add(self._names[inner])
        self.hosts = tuple(self._names.values())

    def name_of(self, inner: str, taken: set[str]) -> str:
        """Return a host's name; one that the first frame did not have must not look like another track's."""
        if inner not in self._names:
            self._names[inner] = inner if inner and inner not in taken else f"{inner}@{self.hostname}"
        return self._names[inner]

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return self.hosts[0] if len(self.hosts) == 1 else self.hostname

    @property
    def is_open(self) -> bool:
        """Whether it is still being written, as far as can be told."""
        newest_file = self.session.members[-1].file.path
        try:
            age_s = time.time() - newest_file.stat().st_mtime
        except OSError:
            return False  # it was moved or removed
        return not self.session.outline[-1].is_closed and age_s < _WRITTEN_WITHIN_S

    def refresh(self) -> bool:
        """Read what was appended since the last look; return whether there was anything."""
        is_new = self.session.refresh()
        if is_new:
            self._lay_out()
        return is_new

    def _lay_out(self) -> None:
        outline = self.session.outline
        self.spans = [self._span(index, member) for index, member in enumerate(outline)]
        """The wall times that each member covers."""
        self.events = [member.events if member.is_closed else 1 for member in outline]
        """How many events each member has; one that was not closed may have some."""
        self._pauses = list(self._pauses_of())
        self._by_start = sorted((span.first, index) for index, span in enumerate(self.spans))
        self._longest_s = max((span.last - span.first for span in self.spans), default=0.0)

    def _span(self, index: int, member: Member) -> Span:
        """Return what a member covers, by its header; by its frames where that is not complete, or says too much."""
        first, last = member.first_ms / 1000, member.last_ms / 1000
        longest_s = member.frames * PAUSE * max(self.interval_s, _USUAL_INTERVAL_S)
        if member.is_closed and 0 <= last - first <= longest_s:
            return Span(first, last)
        key = index, self.session.members[index].file.size
        if key not in self._read_spans:
            walls = self.session.walls(index) or [min(max(0.0, first), _LATEST)]
            self._read_spans[key] = Span(min(walls), max(walls))
        return self._read_spans[key]

    def _between(self, first: float, last: float) -> list[int]:
        """Return the indexes of the members that may have frames in a span of wall time."""
        start = bisect_left(self._by_start, (first - self._longest_s - _ROUNDED_S, -1))
        stop = bisect_left(self._by_start, (last + 2 * _ROUNDED_S, -1))
        return sorted(index for _, index in self._by_start[start:stop] if self.spans[index].last >= first - _ROUNDED_S)

    def read(self, first: float, last: float, step_s: float, kept_s: float) -> TrackPart:
        """Return what belongs to a block of instants.

        Args:
            first: Wall time of its first instant.
            last: That of its last one.
            step_s: Seconds between two instants.
            kept_s: Seconds for which a frame still counts that is older than the first instant.
        """
        frames: list[Frame] = []
        gaps: list[Gap] = []
        since = first - step_s
        for index in self._between(since, last):
            part = self.session.part(index)
            frames += [frame for frame in part.frames if since < frame.wall <= last + _ROUNDED_S]
            gaps += part.gaps
        if not any(frame.wall <= first + _ROUNDED_S for frame in frames):
            frames = [*self._newest_between(since - kept_s, since), *frames]
        pauses = [pause for pause in self._pauses if not any(gap.until >= pause.since for gap in gaps)]
        return TrackPart(
            frames,
            [replace(gap, why=f"{self.title}: {gap.why}") for gap in (*gaps, *pauses) if since < gap.until <= last],
        )

    def _newest_between(self, first: float, last: float) -> list[Frame]:
        """Return the newest frame of a span of wall time, if there is one."""
        for index in reversed(self._between(first, last)):
            frames = [frame for frame in self.session.part(index).frames if first < frame.wall <= last]
            if frames:
                return [max(frames, key=attrgetter("wall"))]
        return []

    def damage_between(self, first: float, last: float) -> list[Damage]:
        """Return what is wrong with the members that begin in a span of wall time, as far as they were read."""
        return [
            Damage(str(file.path), member.offset, f"{problem}; the frames before it are intact")
            for index, problem in sorted(self.session.problems.items())
            for file, member in self.session.members[index : index + 1]
            if first < member.first_ms / 1000 <= last
        ]

    def _pauses_of(self) -> Iterator[Gap]:
        """Yield the spans between members in which there is no frame."""
        outline = self.session.outline
        step_s = max(self.interval_s, SHORTEST_S)
        for index, (earlier, later) in enumerate(pairwise(self.spans)):
            missing_s = later.first - earlier.last
            if missing_s > PAUSE * step_s:
                is_new_run = outline[index].run != outline[index + 1].run
                why = "vmtop was started again" if is_new_run else "suspended, stopped or too busy"
                yield Gap(earlier.last, later.first, round(missing_s / step_s) - 1, why)

    def newest_before(self, wall: float) -> float | None:
        """Return the wall time at which the last member before another wall time ended; `None` if there is none."""
        return max((span.last for span in self.spans if span.last <= wall), default=None)

    def clock(self, frame: Frame) -> tuple[int, int]:
        """Return what makes a frame's instants nanoseconds since 1970, and how often that has changed in its run.

        Within a run it stays the same, so that the time between two samples is what was measured; it changes only
        where the wall clock was set.
        """
        if frame.run not in self._offsets_ns:
            self._offsets_ns[frame.run] = self._offset_of(frame)
        offset_ns = self._offsets_ns[frame.run]
        drift_s = (_offset_ns(frame) - offset_ns) / 1e9
        steps = round(drift_s) if abs(drift_s) > _STEP_S else 0
        return offset_ns + steps * 1_000_000_000, steps

    def _offset_of(self, frame: Frame) -> int:
        """Return the offset of a run by its first frame, so that it does not depend on which frame is read first."""
        for index, member in enumerate(self.session.outline):
            if member.run == frame.run:
                return next((_offset_ns(first) for first in frames_of(self.session, index)), _offset_ns(frame))
        return _offset_ns(frame)


def _offset_ns(frame: Frame) -> int:
    return round(frame.wall * 1e9) - frame.at_ns


def frames_of(session: Session, index: int) -> Iterable[Frame]:
    """Return the frames of a member, decoded one by one."""
    return (item for item in session.contents(index) if isinstance(item, Frame))


def unique(name: str, taken: Iterable[str]) -> str:
    """Return a name, or the first of `name@2`, `name@3` ... that is not taken."""
    names = set(taken)
    number, free = 1, name
    while free in names:
        number += 1
        free = f"{name}@{number}"
    return free
