"""What one member of a session file holds: its frames and gaps, one by one or as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from collectors.model.workloads import Frame
from collectors.session.decode import Decoder, LineError
from collectors.session.format import Gap
from collectors.session.frame_blocks import UnmadeFrame
from collectors.session.gzip_member import Member, Text


class Part(NamedTuple):
    """What one member holds, decoded."""

    frames: list[Frame]
    gaps: list[Gap]
    problem: str


class Contents:
    """The frames and gaps of a member, in order, decoded as they are asked for: two frames are in memory at a time.

    Args:
        text: The member's text.
        member: The member as its header describes it.
    """

    def __init__(self, text: Text, member: Member) -> None:
        self._text = text
        self._member = member
        self._decoder = Decoder()
        self._walls: tuple[float, float] | None = None
        """Wall times of the first and the newest frame."""
        self._events = 0
        self.frames = 0
        """Frames so far."""
        self.problem = ""
        """Why there is no more; complete after the last frame, and empty when the member is whole."""

    @property
    def weight(self) -> int:
        """Bytes of memory that the frames so far take together at most."""
        return 4 * self._text.size + 40 * self._decoder.values + 500 * self._decoder.rows

    def __iter__(self) -> Iterator[Frame | Gap]:
        """Yield what can be read up to the first damaged line."""
        for item in self.unmade():
            yield item.make() if isinstance(item, UnmadeFrame) else item

    def unmade(self) -> Iterator[UnmadeFrame | Gap]:
        """Yield the same, with frames whose samples are made when they are asked for."""
        problem = ""
        for line in self._text.lines():
            try:
                decoded = self._decoder.check(line)
            except LineError as error:
                problem = str(error)
                break
            if isinstance(decoded, UnmadeFrame):
                self.frames += 1
                self._events += len(decoded.without_samples.events)
                self._walls = (self._walls[0] if self._walls else decoded.wall, decoded.wall)
            if decoded is not None:
                yield decoded
        self._text.exhaust()
        self.problem = self._text.problem or problem or self._contradiction()

    def _contradiction(self) -> str:
        """Compare the header with the content: a header has no check sum of its own. Empty when they agree."""
        meta, member = self._decoder.meta, self._member
        if meta is None or self._walls is None:
            return "it contains no frames"
        first_ms, last_ms = (round(wall * 1000) for wall in self._walls)
        pairs: list[tuple[object, object]] = [
            (member.run, meta.run), (member.sequence, meta.sequence), (member.first_ms, first_ms)
        ]  # fmt: skip
        if member.is_closed:
            events = min(self._events, 0xFFFF)
            pairs += [(member.last_ms, last_ms), (member.frames, self.frames), (member.events, events)]
        is_consistent = not member.is_wrong and all(claim == actual for claim, actual in pairs)
        return "" if is_consistent else "its header contradicts its content"


class OpenPart:
    """A member that is decoded only as far as its frames were asked for.

    Args:
        contents: The member's frames and gaps, of which nothing was read yet.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._items = contents.unmade()
        self._frames: list[Frame | UnmadeFrame] = []
        self._gaps: list[Gap] = []
        self.is_whole = False
        """Whether everything was decoded, up to the first damaged line."""

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes so far, roughly."""
        return self._contents.weight

    def frame(self, number: int) -> Frame | None:
        """Return a frame, counted from 0; `None` if the member has none of this number, or it is damaged."""
        while len(self._frames) <= number and not self.is_whole:
            self._take()
        return self._made(number) if 0 <= number < len(self._frames) else None

    def whole(self) -> Part:
        """Decode the rest, and return the member as a whole."""
        self._take_all()
        return Part([self._made(number) for number in range(len(self._frames))], self._gaps, self._contents.problem)

    def walls(self) -> list[float]:
        """Return the wall times of all frames. Their samples are not made for it."""
        self._take_all()
        return [frame.wall for frame in self._frames]

    @property
    def problem(self) -> str:
        """Why there are no more frames; complete once everything was decoded."""
        return self._contents.problem

    def _made(self, number: int) -> Frame:
        frame = self._frames[number]
        if isinstance(frame, UnmadeFrame):
            frame = self._frames[number] = frame.make()
        return frame

    def _take_all(self) -> None:
        while not self.is_whole:
            self._take()

    def _take(self) -> None:
        match next(self._items, None):
            case None:
                self.is_whole = True
            case Gap() as gap:
                self._gaps.append(gap)
            case frame:
                self._frames.append(frame)
