"""The fleet as a source: what a server scraped last, as workloads and samples like those of every other source."""

from __future__ import annotations

from collections.abc import Callable

from collectors.model.workloads import Availability, HostFacts, Sample, SourceState, Workload, WorkloadId
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.fleet import MOST, Fleet, Picture
from collectors.prometheus.scrapes import HostScrapes, Scrapes
from collectors.prometheus.server import Server
from collectors.prometheus.workloads import (
    Clock,
    Epochs,
    host_facts,
    host_workload,
    identity_of,
    samples_at,
    workload_of,
)
from collectors.sampling.source import SourceReading

_TRIED_EVERY_S = 2.0
"""Seconds between readings while nothing is known of the scrapes: before the first answer, and after a failure."""
_STALE = 3.0
"""Scrape intervals after which a host's last scrape is old."""
_SKEW_S = 2.0
"""Seconds by which clocks may differ without a word."""
_SCRAPE_REMEDY = "look at /targets of the server: it says why the scrape fails"


class PrometheusSource:
    """Reads what a server scraped of many hosts.

    Rates need two scrapes. A reading with workloads that the one before did not have has these as of the scrape before
    the newest one, and another reading, with the newest, follows at once.

    Args:
        server: Whom to ask.
        most: Workloads to show at most.
    """

    name = "prometheus"
    interval_s = _TRIED_EVERY_S
    holds_tick = True
    is_authority = True
    replace_after_s: float | None = None
    is_near = False

    def __init__(self, server: Server, most: int = MOST) -> None:
        self.fleet: Fleet | None = None
        self._server, self._most = server, most
        self._client: PrometheusClient | None = None
        self._wake: Callable[[], None] = lambda: None
        self._held: Picture | None = None
        """The newest picture while not all of its newest scrapes were handed over."""
        self._epochs = Epochs()
        self._seen: frozenset[WorkloadId] = frozenset()
        """The workloads of the reading before."""
        self._is_quick = True
        """Whether the next question is the first one."""

    def open(self, wake: Callable[[], None]) -> None:
        """Ask who is there. Raises as `Fleet.discover`."""
        self._wake = wake
        self._client = PrometheusClient(self._server)
        fleet = Fleet(self._client, self._most)
        if self.fleet is not None:
            fleet = self.fleet.on(self._client)  # hosts keep their names after the server was away
        fleet.discover()
        self.fleet, self._held, self._seen, self._is_quick = fleet, None, frozenset(), True
        self.interval_s = fleet.interval_s

    def read(self) -> SourceReading:
        """Read what was scraped last. Raises as `Fleet.look`."""
        fleet = self.fleet
        assert fleet is not None  # noqa: S101  # it is open
        if self._held is not None:
            picture, self._held = self._held, None
            if self._is_quick:
                self._is_quick = False
                self._wake()  # for all rankings
            return self._reading(fleet, picture)
        picture = fleet.look(self._is_quick)
        reading = self._reading(fleet, picture, self._seen)
        if reading.workloads.keys() <= self._seen:
            self._seen = frozenset(reading.workloads)
        else:
            self._held = picture
            self._wake()
        return reading

    @property
    def holds_more(self) -> bool:
        """Whether the reading before was only for rates, and another one is to follow at once."""
        return self._held is not None

    def close(self) -> None:
        """Close the connection."""
        self.interval_s = _TRIED_EVERY_S
        if self._client is not None:
            self._client.close()

    def _reading(self, fleet: Fleet, picture: Picture, seen: frozenset[WorkloadId] | None = None) -> SourceReading:
        """Return a picture as a reading by the newest scrapes; with `seen`, those not in it by the scrapes before."""
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        hosts: dict[str, HostFacts] = {}
        states: list[SourceState] = []
        for key, scrapes in picture.hosts.items():
            name = fleet.names.name(key)
            hosts[name] = host_facts(name, scrapes, fleet.interval_s, picture.uses.get(key))
            workload = host_workload(name, scrapes)
            workloads[workload.id] = workload
            self._add(samples, workload.id, scrapes, fleet.clock, seen)
            states += _states(name, scrapes, fleet)
        for key in picture.unscraped:
            name = fleet.names.name(key)
            states = [state for state in states if state.name != name or state.host]
            states.append(_unscraped(name, name in hosts, self._server.shown))
            hosts.setdefault(name, HostFacts())
        for member, shown in picture.members.items():
            of_host = picture.hosts.get((member.instance, member.host))
            if of_host is not None and (shown.newest or 0.0) < (of_host.newest or 0.0):
                continue  # its host was scraped since, without it: it has ended
            host = fleet.names.name((member.instance, member.host))
            identity = identity_of(member, host)
            workloads[identity] = workload_of(member, shown, host)
            self._add(samples, identity, shown, fleet.clock, seen)
        self._epochs.forget_all_but(workloads)
        if seen is None:
            self._seen = frozenset(workloads)
        return SourceReading(
            workloads,
            samples,
            detail=f"{len(hosts)} hosts",
            facts={"hostname": self._server.title},
            hosts=dict(sorted(hosts.items())),  # servers answer in any order, and one that is away comes last
            sources=tuple(states),
            unseen=_unseen(fleet, picture),
        )

    def _add(
        self,
        samples: dict[WorkloadId, tuple[Sample, ...]],
        identity: WorkloadId,
        scrapes: Scrapes,
        clock: Clock,
        seen: frozenset[WorkloadId] | None,
    ) -> None:
        instants = scrapes.instants()
        if instants:
            is_new = seen is not None and identity not in seen
            instant = instants[-2 if is_new and len(instants) > 1 else -1]
            samples[identity] = samples_at(identity, scrapes, instant, clock, self._epochs)


def _states(host: str, scrapes: HostScrapes, fleet: Fleet) -> list[SourceState]:
    """Return the state of a host, and of what its vmtop reads."""
    newest = scrapes.newest
    if newest is None:
        return []
    age_s = max(0.0, fleet.now() - newest)
    at_ns = fleet.clock.at_ns(newest)
    states = [SourceState(host, Availability.OK, f"{age_s:.0f}s", read_at_ns=at_ns)]
    if age_s > _STALE * fleet.interval_s:
        reason = f"{host} was scraped {age_s:.0f} s ago for the last time"
        states = [SourceState(host, Availability.STALE, "", reason, _SCRAPE_REMEDY, at_ns)]
    for name, values in scrapes.sources.items():
        up = values.get("vmtop_source_up")
        if up is None:
            continue
        age = values.get("vmtop_source_age_seconds")
        read_at_ns = at_ns - round(age[1] * 1e9) if age is not None and 0 <= age[1] < 1e9 else None
        is_up = up[1] == 1
        reason, remedy = ("", "") if is_up else (f"{name} of {host} cannot be read", f"on {host}: vmtop doctor")
        availability = Availability.OK if is_up else Availability.DOWN
        states.append(SourceState(name, availability, "", reason, remedy, read_at_ns, host=host))
    return states


def _unscraped(host: str, was_scraped: bool, server: str) -> SourceState:
    reason = f"{server} cannot scrape {host}"
    return SourceState(host, Availability.STALE if was_scraped else Availability.DOWN, "", reason, _SCRAPE_REMEDY)


def _unseen(fleet: Fleet, picture: Picture) -> str:
    """Return what of the fleet is not seen, as a sentence."""
    parts = list(picture.problems)
    if picture.omitted and not picture.searched:
        total = sum(picture.counts.values())
        parts.append(f"{len(picture.members):,} of {total:,} shown: those that use most")
    if abs(fleet.wall_ahead_s) > _SKEW_S:
        word = "ahead of" if fleet.wall_ahead_s > 0 else "behind"
        parts.append(f"its clock is {abs(fleet.wall_ahead_s):.0f} s {word} this host's")
    return "; ".join(parts)
