"""One server's fleet for everybody who asks: the source of the present, and connections of their own into the past."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from collectors.model.errors import SourceDown
from collectors.model.workloads import Frame, WorkloadId
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.fleet import MOST, Fleet
from collectors.prometheus.past import Grid, Past
from collectors.prometheus.promql import Member
from collectors.prometheus.server import Server
from collectors.prometheus.session import PastSession
from collectors.prometheus.source import PrometheusSource
from collectors.sampling.source import Source, SourceSpec

_OLDEST_S = 35 * 86400.0
"""Seconds that a chart of "all" goes back."""
RECENT_FRAMES = 40
"""Frames of the past that the sparklines begin with."""


class FleetAccess:
    """The way to a server.

    Args:
        server: Whom to ask.
        most: Workloads to show at most.
    """

    def __init__(self, server: Server, most: int = MOST) -> None:
        self.server = server
        self._most = most
        self._source = PrometheusSource(server, most)

    def specs(self) -> list[SourceSpec]:
        """Return the one source of the fleet, for a sampler with `load`."""
        return [SourceSpec(self._source.name, label=self.server.shown)]

    def load(self, name: str) -> Callable[..., Source]:
        """Return what makes the source."""
        return lambda: self._source

    @property
    def interval_s(self) -> float:
        """Seconds between scrapes, as far as they are known."""
        return self._source.interval_s

    def search(self, text: str) -> bool:
        """Show who matches a filter, wherever it is, from the next reading on; return whether that changes anything."""
        fleet = self._source.fleet
        if fleet is None or fleet.searched == text:
            return False
        fleet.searched = text
        return True

    def discover(self, until_wall: float | None = None) -> None:
        """Ask who is there, or was at a wall time, where no sampler runs the source. Blocks.

        Raises:
            SourceError: The server cannot be asked, or had scraped no vmtop.
        """
        fleet = Fleet(PrometheusClient(self.server), self._most)
        try:
            fleet.discover(until_wall)
        finally:
            fleet.client.close()
        self._source.fleet = fleet

    @property
    def holds_more(self) -> bool:
        """Whether the newest reading was only for rates, and another one is to follow at once."""
        return self._source.holds_more

    def past(self) -> Past:
        """Return the past on a connection of its own; the caller closes it with `past.fleet.client.close()`.

        Raises:
            SourceError: Nothing was heard from the server yet, or it may not be asked.
        """
        fleet = self._source.fleet
        if fleet is None:
            raise SourceDown(f"{self.server.shown} has not answered yet")
        return Past(fleet.on(PrometheusClient(self.server)))

    def session(self, span: tuple[float, float] | None = None) -> PastSession:
        """Return the past as a session. Blocks; raises as `PastSession` and `past`."""
        return PastSession(self.past(), span)

    def frames_of(self, identity: WorkloadId, since_wall: float, until_wall: float) -> Iterator[Frame]:
        """Yield the frames of one workload between two wall times. Blocks; raises as `frames_of_several`."""
        return self.frames_of_several([identity], since_wall, until_wall)

    def frames_of_several(
        self, identities: Iterable[WorkloadId], since_wall: float, until_wall: float
    ) -> Iterator[Frame]:
        """Yield the frames of some workloads between two wall times. Blocks.

        Raises:
            SourceError: The server cannot be asked.
        """
        past = self.past()
        keys = [(past.fleet.names.key(identity.host), identity) for identity in identities]
        members = [Member(*key, identity.engine, identity.id) for key, identity in keys if key is not None]
        try:
            if members:
                yield from past.frames_of(members, max(since_wall, until_wall - _OLDEST_S), until_wall)
        finally:
            past.fleet.client.close()

    def recent(self) -> list[Frame]:
        """Return the frames of the last minutes, of those that use most now. Blocks; raises as `past`."""
        past = self.past()
        step_s = past.fleet.interval_s
        start = past.instant(time.time()) - RECENT_FRAMES * step_s
        try:
            return past.frames(Grid(start, step_s, RECENT_FRAMES), self._most)
        finally:
            past.fleet.client.close()
