"""Reads sessions: one or several files as one sequence of frames, from any time, with bounded memory.

A position is (member, frame in it). The members of all files are in order of time; a file that is still being written
grows with `refresh`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from collectors.model.workloads import Frame
from collectors.session.contents import Contents, Part, decode
from collectors.session.decode import LineError, check_seal
from collectors.session.format import FORMAT, PAUSE, SHORTEST_S, VERSION, Damage, SessionError
from collectors.session.gzip_member import Member, SessionFile

_FRAME = b'{"k":"frame"'
_KEPT = 2
"""Members whose frames are kept decoded: stepping back and forth decodes each once."""
_LIGHT = 64_000_000
"""Bytes of memory; a heavier member is not kept while another one is decoded."""
_SLACK_S = 5.0
_LATEST_MS = 4_102_444_800_000


class Position(NamedTuple):
    """Where a frame is in a session; positions are in order of time."""

    member: int
    frame: int


class FileMember(NamedTuple):
    """A member and the file that holds it."""

    file: SessionFile
    member: Member


class Session:
    """An open session.

    Args:
        paths: Its files, in any order.

    Raises:
        SessionError: A file cannot be read, is not a session, or was written by a newer vmtop.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        files: list[SessionFile] = []
        try:
            for path in paths:
                files.append(SessionFile(path))
        except SessionError:
            for file in files:
                file.close()
            raise
        self.files = sorted(files, key=lambda file: file.members[0].first_ms)
        self._parts = _KeptParts()
        self._counts: dict[tuple[Path, int, int], int] = {}
        self.problems: dict[int, str] = {}
        """What is wrong with the members read so far, by their index."""
        self._order()
        try:
            self._check_version()
        except SessionError:
            self.close()
            raise

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.close()

    def _order(self) -> None:
        self.members = [FileMember(file, member) for file in self.files for member in file.members]

    def _check_version(self) -> None:
        for file in self.files:
            for member in file.members[:1]:
                for line in islice(file.text(member).lines(), 1):
                    refuse_newer(line, file.path)

    def refresh(self) -> bool:
        """Read what was appended to the last file since the last look; return whether there was anything."""
        is_new = self.files[-1].refresh()
        if is_new:
            self._order()
        return is_new

    @property
    def damage(self) -> list[Damage]:
        """The bytes that belong to no member, file by file."""
        return [damage for file in self.files for damage in file.damage]

    def count(self, index: int) -> int:
        """Return how many frames a member has; one that was not closed is read for it."""
        file, member = self.members[index]
        key = _key(file, member)
        if key in self._counts:
            return self._counts[key]
        if member.is_closed:
            return member.frames
        self._counts[key] = file.text(member).count(_FRAME)
        return self._counts[key]

    def part(self, index: int) -> Part:
        """Return a member's frames; those before any damage."""
        file, member = self.members[index]
        key = _key(file, member)
        if key in self._parts:
            return self._parts[key]
        self._parts.make_room()
        part = self._parts.keep(key, decode(self.contents(index)))
        if part.problem:
            self.problems[index] = part.problem
        else:
            self.problems.pop(index, None)
        return part

    def contents(self, index: int) -> Contents:
        """Return a member's frames and gaps, to be read once and not kept."""
        file, member = self.members[index]
        return Contents(file.text(member), member)

    def frame(self, position: Position) -> Frame | None:
        """Return the frame at a position; `None` if there is none, or if it is damaged."""
        if not 0 <= position.member < len(self.members):
            return None
        frames = self.part(position.member).frames
        return frames[position.frame] if 0 <= position.frame < len(frames) else None

    def frames(
        self, start_wall: float | None = None, stop_wall: float | None = None
    ) -> Iterator[tuple[Position, Frame]]:
        """Yield the frames of a span of wall time and their positions, in order; two are in memory at a time."""
        for index, (_, member) in enumerate(self.members):
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
        spans = [_walls(member) for _, member in self.members]
        around = [index for index, (first_wall, last_wall) in enumerate(spans) if first_wall <= wall <= last_wall]
        earlier = [index for index, (_, last_wall) in enumerate(spans) if last_wall < wall]
        for index in (*reversed(around), *sorted(earlier, key=lambda index: spans[index][1], reverse=True)[:2]):
            numbers = [number for number, frame in enumerate(self.part(index).frames) if frame.wall <= wall]
            if numbers:
                return Position(index, numbers[-1])
        return self.first()

    def total(self) -> int:
        """Return how many frames there are, including damaged ones."""
        return sum(self.count(index) for index in range(len(self.members)))

    def number(self, position: Position) -> int:
        """Return a position as a frame number from 0 to the total less 1."""
        return sum(self.count(index) for index in range(position.member)) + position.frame

    def position(self, number: int) -> Position:
        """Return the position of a frame number; beyond the end, that of the last frame."""
        return self.step(self.first(), number)

    def first(self) -> Position:
        """Return the position of the first frame."""
        return Position(0, 0)

    def last(self) -> Position:
        """Return the position of the last frame."""
        index = len(self.members) - 1
        while index > 0 and not self.count(index):
            index -= 1
        return Position(index, max(0, self.count(index) - 1))

    def step(self, position: Position, steps: int) -> Position:
        """Return the position N frames later (earlier if negative), clamped to the first and last frame."""
        index, number = position.member, position.frame + steps
        while number < 0 and index > 0:
            index -= 1
            number += self.count(index)
        while index < len(self.members) - 1 and number >= self.count(index):
            number -= self.count(index)
            index += 1
        return Position(index, max(0, min(number, self.count(index) - 1)))

    def span(self) -> tuple[float, float]:
        """Return the wall times of the earliest and the latest frame."""
        last_frame = self.frame(self.last())
        members = [member for _, member in self.members]
        starts = [member.first_ms / 1000 for member in members if 0 <= member.first_ms <= _LATEST_MS]
        ends = [max(member.last_ms, member.first_ms) / 1000 for member in members if 0 <= member.last_ms <= _LATEST_MS]
        start = min(starts, default=0.0)
        return start, max(start, max(ends, default=0.0), last_frame.wall if last_frame else 0.0)

    def pauses(self) -> list[tuple[float, float]]:
        """Return the spans of wall time between members in which there is no frame."""
        pauses = []
        for earlier, later in pairwise(member for _, member in self.members):
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
        while 0 <= index < len(self.members):
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
        member = self.members[index].member
        return bool(member.events) or not member.is_closed


def refuse_newer(line: bytes, path: Path) -> None:
    """Check the first line of a file.

    Raises:
        SessionError: The file is not a session, or was written by a newer vmtop; the message says what to do.
    """
    try:
        check_seal(line)
        meta = msgspec.json.decode(line, type=_First)
    except (LineError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return  # damaged; the members after it may be whole
    if meta.format != FORMAT:
        raise SessionError(f"{path} is not a vmtop session; 'vmtop record FILE' writes one")
    if meta.version > VERSION:
        raise SessionError(
            f"{path} was written by a newer vmtop, in version {meta.version} of the format; this one reads "
            f"up to {VERSION}: update vmtop"
        )


class _First(msgspec.Struct):
    format: str
    version: int


def _walls(member: Member) -> tuple[float, float]:
    """Return the wall times between which a member's frames lie, with some slack for clock adjustments."""
    last_ms = member.last_ms if member.is_closed else _LATEST_MS
    return member.first_ms / 1000 - _SLACK_S, last_ms / 1000 + _SLACK_S


def _key(file: SessionFile, member: Member) -> tuple[Path, int, int]:
    return file.path, member.offset, min(member.end, file.size)


class _KeptParts(dict[tuple[Path, int, int], Part]):
    """Keeps the newest few parts."""

    def make_room(self) -> None:
        """Drop parts before another one is decoded: all but the newest, and that too if it is heavy."""
        newest = next(reversed(self), None)
        for key in [key for key, part in self.items() if key != newest or part.weight > _LIGHT]:
            del self[key]

    def keep(self, key: tuple[Path, int, int], part: Part) -> Part:
        self[key] = part
        if len(self) > _KEPT:
            del self[next(iter(self))]
        return part
