"""The fleet's past as a session that the replay plays: recent hours scrape by scrape, older days in coarser steps.

It is a sequence of frames whose members are asked for when they are shown, instead of read from a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor

from collectors.model.errors import SourceError
from collectors.model.workloads import Frame
from collectors.prometheus import promql
from collectors.prometheus.past import Grid, Past, step_for
from collectors.session.contents import Part
from collectors.session.format import Damage, SessionError
from collectors.session.frame_sequence import FrameSequence, Position
from collectors.session.gzip_member import Member, SessionFile

_MOST = 100
"""Workloads in a frame of the past, which is asked for with many others at once."""
_FRAMES = 30
"""Frames that are asked for at once."""
_KEPT = 6
"""Members that are kept: stepping back and forth asks for each once."""
_TIERS = ((2 * 3600.0, 0.0), (86400.0, 60.0), (7 * 86400.0, 600.0), (35 * 86400.0, 3600.0))
"""How far back frames are how far apart, in seconds; never closer together than scrapes."""


class PastSession(FrameSequence):
    """What a server has of the fleet, as far back as it has anything.

    Args:
        past: Reads the frames.
        span: Wall times of the first and the last frame, in steps that fit between them; by default, from 35 days ago
            until now, in steps that grow with the age.

    Raises:
        SessionError: The server has nothing, or cannot be asked.
    """

    def __init__(self, past: Past, span: tuple[float, float] | None = None) -> None:
        self._past = past
        self._frames_of: dict[int, Part] = {}
        self.problems = {}
        try:
            self._grids = self._grids_of(span)
        except SourceError as error:
            raise SessionError(error.reason) from error
        self._outline = [self._member(grid) for grid in self._grids]
        if not self._outline:
            raise SessionError(f"{past.fleet.client.server.shown} has nothing of that time")

    def _grids_of(self, span: tuple[float, float] | None) -> list[Grid]:
        fleet = self._past.fleet
        if span is not None:
            start, end = self._past.instant(span[0]), self._past.instant(span[1])
            return grids(start, end, ((end - start + 1, step_for(end - start, fleet.interval_s)),), fleet.interval_s)
        end = fleet.now()
        first = end - _TIERS[-1][0]
        query = f"count({promql.selector(fleet.match, name='vmtop_host_cpus')})"
        for reach, step_s in ((end - first, 3600.0), (2 * 3600.0, 60.0)):
            series = fleet.client.over(query, end - reach, end, step_s)
            instants = [at for one in series for at, _ in one.values]
            if instants and (step_s < 3600 or min(instants) < end - 2 * step_s):
                return grids(min(instants) - step_s / 2, end, _TIERS, fleet.interval_s)
        return []

    def _member(self, grid: Grid) -> Member:
        first, last = self._past.wall(grid.start), self._past.wall(grid.end)
        return Member(0, 0, "", 0, round(first * 1000), round(last * 1000), grid.steps, 0, True)

    @property
    def outline(self) -> Sequence[Member]:
        return self._outline

    @property
    def files(self) -> Sequence[SessionFile]:
        """None."""
        return ()

    @property
    def last_files(self) -> Sequence[SessionFile]:
        """None."""
        return ()

    def close(self) -> None:
        """Close the connection."""
        self._past.fleet.client.close()

    def refresh(self) -> bool:
        """Return false: what comes later is on the live screen."""
        return False

    @property
    def damage(self) -> list[Damage]:
        """Nothing: there is no file."""
        return []

    def count(self, index: int) -> int:
        return self._grids[index].steps

    def part(self, index: int) -> Part:
        """Return a member's frames, which are asked for unless they are among the newest few that were.

        Raises:
            SourceError: The server cannot be asked.
        """
        if index not in self._frames_of:
            self._frames_of[index] = Part(self._past.frames(self._grids[index], _MOST), [], "")
            while len(self._frames_of) > _KEPT:
                del self._frames_of[next(iter(self._frames_of))]
        return self._frames_of[index]

    def frames(
        self, start_wall: float | None = None, stop_wall: float | None = None
    ) -> Iterator[tuple[Position, Frame]]:
        for index, member in enumerate(self._outline):
            if stop_wall is not None and member.first_ms / 1000 > stop_wall:
                return
            if start_wall is not None and member.last_ms / 1000 < start_wall:
                continue
            for number, frame in enumerate(self.part(index).frames):
                if (start_wall is None or frame.wall >= start_wall) and (stop_wall is None or frame.wall <= stop_wall):
                    yield Position(index, number), frame

    def contents(self, index: int) -> Sequence[Frame]:
        return self.part(index).frames

    def damage_in(self, index: int) -> list[Damage]:
        """Return nothing: there is no file."""
        return []

    def pauses(self) -> list[tuple[float, float]]:
        """Return no span: frames of the past are as far apart as they say."""
        return []


def grids(start: float, end: float, tiers: Sequence[tuple[float, float]], interval_s: float) -> list[Grid]:
    """Return the grids of a span, oldest first, each with at most `_FRAMES` frames.

    Args:
        start: The first instant, in seconds by the server's clock.
        end: The last one.
        tiers: How far back from the end frames are how far apart, in seconds, the nearest first.
        interval_s: Seconds between scrapes: no step is shorter.
    """
    found: list[Grid] = []
    until = end
    for reach, wanted_s in tiers:
        step_s = max(wanted_s, interval_s)
        since = max(start, end - reach)
        while until - step_s >= since:
            steps = min(_FRAMES, floor((until - since) / step_s))
            found.append(Grid(until - (steps - 1) * step_s, step_s, steps))
            until -= steps * step_s
    return found[::-1]
