"""Session files of several hosts as one sequence of frames."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import chain
from math import ceil

from collectors.fleet.recordings.join import KEPT_S, Joiner, TrackFrames, of_track
from collectors.fleet.recordings.slots import Block, blocks_of, slot_of
from collectors.fleet.recordings.track import Track
from collectors.model.workloads import Frame
from collectors.session.contents import Part
from collectors.session.format import MEMBER_FRAMES, Damage, Gap
from collectors.session.frame_sequence import FrameSequence
from collectors.session.gzip_member import Member, SessionFile

_KEPT = 4
"""Blocks whose frames are kept: stepping back and forth makes each once."""
_SHORTEST = 5
"""Frames of a block at least."""
_WRITTEN_S = 10.0
"""Seconds by which a file that is still being written may be behind the newest frame of all."""


class FleetRecording(FrameSequence):
    """The recordings of several hosts.

    Its members are blocks of instants, at the shortest interval of all hosts: each frame has the newest of every host,
    and the walls of the hosts' clocks are taken as they are.

    Args:
        tracks: The hosts; they are closed with it.

    Raises:
        SessionError: They cover too much time.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks = tracks
        self.problems = {}
        self._interval_s = min(track.interval_s for track in tracks)
        origins = [f"{name} {track.session.outline[0].run}" for track in tracks for name in track.hosts]
        self._run = blake2b("\n".join(origins).encode(), digest_size=8).hexdigest()
        self._parts: dict[Block, Part] = {}
        self._lay_out()

    def _lay_out(self) -> None:
        spans = [track.spans for track in self.tracks]
        ends = [max((span.last for span in track_spans), default=0.0) for track_spans in spans]
        newest = max(ends)
        open_ends = [
            end for track, end in zip(self.tracks, ends, strict=True) if track.is_open and newest - end < _WRITTEN_S
        ]
        end = min(open_ends, default=newest + self._interval_s)
        length = max(_SHORTEST, MEMBER_FRAMES // ceil(len(self.tracks) / 4))  # so that a block is about one host's
        self._blocks = blocks_of(chain.from_iterable(spans), self._interval_s, end, length)
        newest_number = len(self._blocks) - 1
        self._outline = [
            self._member(number, block, events, bool(open_ends) and number == newest_number)
            for number, (block, events) in enumerate(zip(self._blocks, self._events(), strict=True))
        ]

    def _member(self, number: int, block: Block, events: int, is_open: bool) -> Member:
        first, last = self._walls(block)
        return Member(
            offset=number,
            end=number + 1,
            run=self._run,
            sequence=number,
            first_ms=round(first * 1000),
            last_ms=round(last * 1000),
            frames=block.length,
            events=min(events, 0xFFFF),
            is_closed=not is_open,
        )

    def _events(self) -> list[int]:
        """Return how many events each block may have."""
        counts = [0] * len(self._blocks)
        lasts = [block.first + block.length - 1 for block in self._blocks]
        for track in self.tracks:
            for span, events in zip(track.spans, track.events, strict=True):
                first, last = (slot_of(wall, self._interval_s) for wall in span)
                for number in range(bisect_left(lasts, first), min(bisect_left(lasts, last) + 1, len(lasts))):
                    counts[number] += events
        return counts

    def _walls(self, block: Block) -> tuple[float, float]:
        return block.first * self._interval_s, (block.first + block.length - 1) * self._interval_s

    @property
    def outline(self) -> Sequence[Member]:
        return self._outline

    @property
    def files(self) -> Sequence[SessionFile]:
        return [file for track in self.tracks for file in track.session.files]

    @property
    def last_files(self) -> Sequence[SessionFile]:
        return [file for track in self.tracks for file in track.session.last_files]

    @property
    def damage(self) -> list[Damage]:
        return [damage for track in self.tracks for damage in track.session.damage]

    def close(self) -> None:
        for track in self.tracks:
            track.session.close()

    def refresh(self) -> bool:
        is_new = any([track.refresh() for track in self.tracks])
        if is_new:
            self._lay_out()
        return is_new

    def count(self, index: int) -> int:
        return self._blocks[index].length

    def part(self, index: int) -> Part:
        block = self._blocks[index]
        if block not in self._parts:
            while len(self._parts) >= _KEPT:
                del self._parts[next(iter(self._parts))]
            self._parts[block] = self._made(index)
        return self._parts[block]

    def contents(self, index: int) -> Iterable[Frame | Gap]:
        part = self._made(index)
        return chain(part.gaps, part.frames)

    def damage_in(self, index: int) -> list[Damage]:
        first, last = self._walls(self._blocks[index])
        return [damage for track in self.tracks for damage in track.damage_between(first - self._interval_s, last)]

    def _made(self, index: int) -> Part:
        block = self._blocks[index]
        first, last = self._walls(block)
        frames: list[TrackFrames] = []
        gaps: list[Gap] = []
        for track in self.tracks:
            part = track.read(first, last, self._interval_s, KEPT_S)
            frames.append(of_track(part.frames, self._interval_s))
            gaps += part.gaps
        joiner = Joiner(self.tracks, frames, self._interval_s, self._run)
        made = [joiner.frame(slot) for slot in range(block.first, block.first + block.length)]
        problems = [damage.what for damage in self.damage_in(index)]
        if problems:
            self.problems[index] = problems[0]
        return Part(made, gaps, "")
