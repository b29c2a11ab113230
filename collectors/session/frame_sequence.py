"""A sequence of frames in members, whatever it is read from: one host's session files or those of several.

A position is (member, frame in it); members are in order of time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from collectors.model.workloads import Frame
from collectors.session.contents import Part
from collectors.session.format import PAUSE, SHORTEST_S, Damage, Gap
from collectors.session.gzip_member import Member, SessionFile

_SLACK_S = 5.0
_LATEST_MS = 4_102_444_800_000


class Position(NamedTuple):
    """Where a frame is in a session; positions are in order of time."""

    member: int
    frame: int


class _Layout(NamedTuple):
    """What an outline says of all members: a day has 1,440, of which finding one frame asks many times."""

    outline: Sequence[Member]
    first_numbers: list[int]
    """The number of the first frame of each member, and how many frames there are."""
    walls: list[tuple[float, float]]


class FrameSequence(ABC):
    """Frames in order of time, of which a few members are in memory at once."""

    problems: dict[int, str]
    """What is wrong with the members read so far, by their index."""
    _layout: _Layout | None = None

    @property
    @abstractmethod
    def outline(self) -> Sequence[Member]:
        """The members, as their headers describe them: the same object until one of them has changed."""

    @property
    @abstractmethod
    def files(self) -> Sequence[SessionFile]:
        """All files, open."""

    @property
    @abstractmethod
    def damage(self) -> list[Damage]:
        """The bytes that belong to no member, file by file."""

    @property
    @abstractmethod
    def last_files(self) -> Sequence[SessionFile]:
        """The files that may still be written: the last one of each host."""

    @abstractmethod
    def close(self) -> None:
        """Close the files."""

    @abstractmethod
    def refresh(self) -> bool:
        """Read what was appended since the last look; return whether there was anything."""

    @abstractmethod
    def count(self, index: int) -> int:
        """Return how many frames a member has."""

    @abstractmethod
    def part(self, index: int) -> Part:
        """Return a member's frames; those before any damage."""

    def walls(self, index: int) -> list[float]:
        """Return the wall times of a member's frames; those before any damage."""
        return [frame.wall for frame in self.part(index).frames]

    @abstractmethod
    def contents(self, index: int) -> Iterable[Frame | Gap]:
        """Return a member's frames and gaps, to be read once and not kept."""

    @abstractmethod
    def damage_in(self, index: int) -> list[Damage]:
        """Return what was wrong with a member when its contents were last read to their end."""

    def frame(self, position: Position) -> Frame | None:
        """Return the frame at a position; `None` if there is none, or if it is damaged."""
        if not 0 <= position.member < len(self.outline):
            return None
        frames = self.part(position.member).frames
        return frames[position.frame] if 0 <= position.frame < len(frames) else None

    def frames(
        self, start_wall: float | None = None, stop_wall: float | None = None
    ) -> Iterator[tuple[Position, Frame]]:
        """Yield the frames of a span of wall time and their positions, in order; two are in memory at a time."""
        for index, member in enumerate(self.outline):
            first_wall, last_wall = _walls(member)
            if (stop_wall is not None and first_wall > stop_wall) or (
                start_wall is not None and last_wall < start_wall
            ):
                continue
            frames = (item for item in self.contents(index) if isinstance(item, Frame))
            for number, frame in enumerate(frames):
                if start_wall is not None and frame.wall < start_wall:
                    continue
                if stop_wall is None or frame.wall <= stop_wall:
                    yield Position(index, number), frame

    def at(self, wall: float) -> Position:
        """Return the position of the last frame that is not after a wall time; the first position if all are.

        If the clock was set back, a time occurs twice: the later one is taken.
        """
        spans = self._laid_out().walls
        around = [index for index, (first_wall, last_wall) in enumerate(spans) if first_wall <= wall <= last_wall]
        earlier = [index for index, (_, last_wall) in enumerate(spans) if last_wall < wall]
        for index in (*reversed(around), *sorted(earlier, key=lambda index: spans[index][1], reverse=True)[:2]):
            numbers = [number for number, at in enumerate(self.walls(index)) if at <= wall]
            if numbers:
                return Position(index, numbers[-1])
        return self.first()

    def _laid_out(self) -> _Layout:
        layout, outline = self._layout, self.outline
        if layout is None or layout.outline is not outline:
            first_numbers = [0, *accumulate(self.count(index) for index in range(len(outline)))]
            layout = self._layout = _Layout(outline, first_numbers, [_walls(member) for member in outline])
        return layout

    def total(self) -> int:
        """Return how many frames there are, including damaged ones."""
        return self._laid_out().first_numbers[-1]

    def number(self, position: Position) -> int:
        """Return a position as a frame number from 0 to the total less 1."""
        return self._laid_out().first_numbers[position.member] + position.frame

    def position(self, number: int) -> Position:
        """Return the position of a frame number; beyond the end, that of the last frame."""
        return self.step(self.first(), number)

    def first(self) -> Position:
        """Return the position of the first frame."""
        return Position(0, 0)

    def last(self) -> Position:
        """Return the position of the last frame."""
        index = len(self.outline) - 1
        while index > 0 and not self.count(index):
            index -= 1
        return Position(index, max(0, self.count(index) - 1))

    def step(self, position: Position, steps: int) -> Position:
        """Return the position N frames later (earlier if negative), clamped to the first and last frame."""
        first_numbers = self._laid_out().first_numbers
        number = max(0, min(first_numbers[position.member] + position.frame + steps, first_numbers[-1] - 1))
        index = min(bisect_right(first_numbers, number), len(first_numbers) - 1) - 1
        return Position(index, number - first_numbers[index])

    def span(self) -> tuple[float, float]:
        """Return the wall times of the earliest and the latest frame."""
        last_frame = self.frame(self.last())
        members = self.outline
        starts = [member.first_ms / 1000 for member in members if 0 <= member.first_ms <= _LATEST_MS]
        ends = [max(member.last_ms, member.first_ms) / 1000 for member in members if 0 <= member.last_ms <= _LATEST_MS]
        start = min(starts, default=0.0)
        return start, max(start, max(ends, default=0.0), last_frame.wall if last_frame else 0.0)

    def pauses(self) -> list[tuple[float, float]]:
        """Return the spans of wall time between members in which there is no frame."""
        pauses = []
        for earlier, later in pairwise(self.outline):
            end_ms = earlier.last_ms or earlier.first_ms
            interval_ms = (end_ms - earlier.first_ms) / (earlier.frames - 1) if earlier.frames > 1 else 1000.0
            if later.first_ms - end_ms > PAUSE * max(interval_ms, SHORTEST_S * 1000) and earlier.last_ms:
                pauses.append((end_ms / 1000, later.first_ms / 1000))
        return pauses

    def search(self, start: Position, step: int, condition: Callable[[Frame], bool]) -> Position | None:
        """Return the nearest position after (step 1) or before (step -1) a start whose frame meets a condition.

        Members without events, by their headers, are skipped: only a frame with events may meet the condition.
        """
        index = start.member
        while 0 <= index < len(self.outline):
            if self._may_have_events(index):
                frames = self.part(index).frames
                numbers = range(len(frames))
                for number in numbers if step > 0 else reversed(numbers):
                    position = Position(index, number)
                    is_beyond = position > start if step > 0 else position < start
                    if is_beyond and condition(frames[number]):
                        return position
            index += step
        return None

    def _may_have_events(self, index: int) -> bool:
        member = self.outline[index]
        return bool(member.events) or not member.is_closed


def _walls(member: Member) -> tuple[float, float]:
    """Return the wall times between which a member's frames lie, with some slack for clock adjustments."""
    last_ms = member.last_ms if member.is_closed else _LATEST_MS
    return member.first_ms / 1000 - _SLACK_S, last_ms / 1000 + _SLACK_S
