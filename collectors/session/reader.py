"""Reads sessions: one or several files as one sequence of frames, from any time, with bounded memory.

A place is (member, frame in it). The members of all files are in order of time; a file that is still being written
grows with `refresh`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from collectors.model.workloads import Frame
from collectors.session.decode import Decoder, LineError, unsealed
from collectors.session.format import FORMAT, PAUSE, SHORTEST_S, VERSION, Damage, Gap, SessionError
from collectors.session.gzip_member import Member, SessionFile, Text

_FRAME = b'{"k":"frame"'
_KEPT = 2
"""Members whose frames are kept decoded: stepping to and fro decodes each once."""
_SLACK_S = 5.0
_LATEST_MS = 4_102_444_800_000
Value = TypeVar("Value")


class Place(NamedTuple):
    """A frame of a session; places are in order of time."""

    member: int
    frame: int


class Part(NamedTuple):
    """What one member holds, decoded."""

    frames: list[Frame]
    gaps: list[Gap]
    problem: str


class Reach(NamedTuple):
    """A member in the order of the session."""

    file: SessionFile
    member: Member


class Session:
    """An open session.

    Args:
        paths: Its files, in any order.

    Raises:
        SessionError: One of them cannot be read, is not a session, or was written by a newer vmtop.
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
        self._parts = _Kept[Part](_KEPT)
        self._counts: dict[tuple[Path, int, int], int] = {}
        self.problems: dict[int, str] = {}
        """What is wrong with the members that were read so far, by their place."""
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
        self.members = [Reach(file, member) for file in self.files for member in file.members]

    def _check_version(self) -> None:
        for file in self.files:
            for member in file.members[:1]:
                for line in islice(file.text(member).lines(), 1):
                    refuse_newer(line, file.path)

    def refresh(self) -> bool:
        """Look for what was written to the last file since; return whether there is something new."""
        is_new = self.files[-1].refresh()
        if is_new:
            self._order()
        return is_new

    @property
    def damage(self) -> list[Damage]:
        """What is known to belong to no member, file by file."""
        return [damage for file in self.files for damage in file.damage]

    def count(self, index: int) -> int:
        """Return how many frames a member has; one that was not closed is read for it."""
        one = self.members[index]
        key = _key(one)
        if key in self._counts:
            return self._counts[key]
        if one.member.is_closed:
            return one.member.frames
        self._counts[key] = one.file.text(one.member).count(_FRAME)
        return self._counts[key]

    def part(self, index: int) -> Part:
        """Return a member's frames; those before any damage."""
        one = self.members[index]
        key = _key(one)
        if key in self._parts:
            return self._parts[key]
        part = self._parts.keep(key, decode(one.file.text(one.member), one.member))
        if part.problem:
            self.problems[index] = part.problem
        else:
            self.problems.pop(index, None)
        return part

    def frame(self, place: Place) -> Frame | None:
        """Return the frame at a place; `None` if there is none, or if it is damaged."""
        if not 0 <= place.member < len(self.members):
            return None
        frames = self.part(place.member).frames
        return frames[place.frame] if 0 <= place.frame < len(frames) else None

    def frames(self, start_wall: float | None = None, stop_wall: float | None = None) -> Iterator[tuple[Place, Frame]]:
        """Yield the frames of a span of wall time, in order, with their places. One member is in memory at a time."""
        for index, one in enumerate(self.members):
            first, last = _walls(one.member)
            if (stop_wall is not None and first > stop_wall) or (start_wall is not None and last < start_wall):
                continue
            for number, frame in enumerate(decode(one.file.text(one.member), one.member).frames):
                if start_wall is not None and frame.wall < start_wall:
                    continue
                if stop_wall is None or frame.wall <= stop_wall:
                    yield Place(index, number), frame

    def at(self, wall: float) -> Place:
        """Return the place of the last frame that is not after a wall time; the first place if all are.

        Where a clock was set back a time is there twice: the later one is taken.
        """
        spans = [_walls(one.member) for one in self.members]
        near = [index for index, (first, last) in enumerate(spans) if first <= wall <= last]
        before = [index for index, (_, last) in enumerate(spans) if last < wall]
        for index in (*reversed(near), *sorted(before, key=lambda index: spans[index][1], reverse=True)[:2]):
            fitting = [number for number, frame in enumerate(self.part(index).frames) if frame.wall <= wall]
            if fitting:
                return Place(index, fitting[-1])
        return self.first()

    def total(self) -> int:
        """Return how many frames there are, damaged ones too."""
        return sum(self.count(index) for index in range(len(self.members)))

    def number(self, place: Place) -> int:
        """Return a place as a number from 0 to the total less 1."""
        return sum(self.count(index) for index in range(place.member)) + place.frame

    def place(self, number: int) -> Place:
        """Return the place of a number; the last one beyond the end."""
        return self.step(self.first(), number)

    def first(self) -> Place:
        """Return the place of the first frame."""
        return Place(0, 0)

    def last(self) -> Place:
        """Return the place of the last frame."""
        index = len(self.members) - 1
        while index > 0 and not self.count(index):
            index -= 1
        return Place(index, max(0, self.count(index) - 1))

    def step(self, place: Place, steps: int) -> Place:
        """Return the position N frames later (earlier if negative), clamped to the first and last frame."""
        index, number = place.member, place.frame + steps
        while number < 0 and index > 0:
            index -= 1
            number += self.count(index)
        while index < len(self.members) - 1 and number >= self.count(index):
            number -= self.count(index)
            index += 1
        return Place(index, max(0, min(number, self.count(index) - 1)))

    def span(self) -> tuple[float, float]:
        """Return the wall times of the earliest and the latest frame."""
        last = self.frame(self.last())
        members = [one.member for one in self.members]
        firsts = [one.first_ms / 1000 for one in members if 0 <= one.first_ms <= _LATEST_MS]
        lasts = [max(one.last_ms, one.first_ms) / 1000 for one in members if 0 <= one.last_ms <= _LATEST_MS]
        first = min(firsts, default=0.0)
        return first, max(first, max(lasts, default=0.0), last.wall if last else 0.0)

    def pauses(self) -> list[tuple[float, float]]:
        """Return the spans of wall time between members in which there is no frame."""
        found = []
        for before, after in pairwise(one.member for one in self.members):
            end = before.last_ms or before.first_ms
            pace = (end - before.first_ms) / (before.frames - 1) if before.frames > 1 else 1000.0
            if after.first_ms - end > PAUSE * max(pace, SHORTEST_S * 1000) and before.last_ms:
                found.append((end / 1000, after.first_ms / 1000))
        return found

    def search(self, place: Place, step: int, wanted: Callable[[Frame], bool]) -> Place | None:
        """Return the nearest place after (step 1) or before (step -1) one whose frame is wanted.

        Members that have no event by their header are passed by: what is wanted has to be a frame with events.
        """
        index = place.member
        while 0 <= index < len(self.members):
            if self._may_have_events(index):
                frames = self.part(index).frames
                numbers = range(len(frames))
                for number in numbers if step > 0 else reversed(numbers):
                    here = Place(index, number)
                    is_beyond = here > place if step > 0 else here < place
                    if is_beyond and wanted(frames[number]):
                        return here
            index += step
        return None

    def _may_have_events(self, index: int) -> bool:
        member = self.members[index].member
        return bool(member.events) or not member.is_closed


def decode(text: Text, member: Member) -> Part:
    """Decode a member's lines as far as they are whole."""
    decoder = Decoder()
    frames: list[Frame] = []
    gaps: list[Gap] = []
    problem = text.problem
    for line in text.lines():
        try:
            told = decoder.take(line)
        except LineError as error:
            problem = problem or str(error)
            break
        if isinstance(told, Frame):
            frames.append(told)
        elif told is not None:
            gaps.append(told)
    return Part(frames, gaps, problem or _contradiction(decoder, member, frames))


def _contradiction(decoder: Decoder, member: Member, frames: Sequence[Frame]) -> str:
    """Compare a member's header with what it holds: a header has no check sum of its own."""
    meta = decoder.meta
    if meta is None or not frames:
        return "it holds no frame"
    told = [(member.run, meta.run), (member.sequence, meta.sequence), (member.first_ms, round(frames[0].wall * 1000))]
    if member.is_closed:
        events = min(sum(len(frame.events) for frame in frames), 0xFFFF)
        told += [
            (member.last_ms, round(frames[-1].wall * 1000)),
            (member.frames, len(frames)),
            (member.events, events),
        ]
    return (
        "" if not member.is_wrong and all(one == other for one, other in told) else "its header contradicts its content"
    )


def refuse_newer(line: bytes, path: Path) -> None:
    """Refuse what is not a session and what a newer vmtop wrote.

    Raises:
        SessionError: With what to do.
    """
    try:
        unsealed(line)
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
    """Return the wall times between which a member's frames are, with room for a clock that is being set."""
    last = member.last_ms if member.is_closed else _LATEST_MS
    return member.first_ms / 1000 - _SLACK_S, last / 1000 + _SLACK_S


def _key(one: Reach) -> tuple[Path, int, int]:
    return one.file.path, one.member.offset, min(one.member.end, one.file.size)


class _Kept(dict[tuple[Path, int, int], Value]):
    """Remembers the newest few."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: tuple[Path, int, int], value: Value) -> Value:
        self.pop(key, None)
        self[key] = value
        if len(self) > self._most:
            del self[next(iter(self))]
        return value
