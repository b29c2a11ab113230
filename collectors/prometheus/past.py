"""The fleet's past as frames: raw counters at instants a step apart, from the same server as the present.

Fine steps are made of the scrapes themselves. Coarse ones are asked for step by step; the instants of the scrapes that
the values are of come with them, so that a rate over a step is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from collectors.exposition.families import HOST_LABEL
from collectors.model.workloads import Frame, HostFacts, Kind, Sample, State, Use, Workload, WorkloadId
from collectors.prometheus import promql
from collectors.prometheus.answers import Series
from collectors.prometheus.fleet import Fleet, HostKey, by_kind_at
from collectors.prometheus.promql import Member
from collectors.prometheus.rankings import use_by_kind
from collectors.prometheus.scrapes import Scrapes, by_host, by_member
from collectors.prometheus.workloads import Epochs, host_facts, host_workload, identity_of, samples_at, workload_of

NOWHERE = Workload(WorkloadId("host", "unknown"), Kind.HOST, "host", State.RUNNING)
RUN = "f1ee7" + "0" * 11
"""`Frame.run` of frames of the past: all are by the server's clock."""
_RAW = 4
"""Steps of up to so many scrape intervals are made of the scrapes themselves."""
_MISSED = 3
"""Scrape intervals without a scrape after which a workload counts as gone."""
_POINTS = 500
"""Steps of a chart."""
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class Grid(NamedTuple):
    """Instants a step apart, by the server's clock, in seconds."""

    start: float
    step_s: float
    steps: int

    @property
    def end(self) -> float:
        """The last instant."""
        return self.start + (self.steps - 1) * self.step_s

    def instants(self) -> Iterator[float]:
        """Yield the instants, oldest first."""
        return (self.start + number * self.step_s for number in range(self.steps))


def step_for(span_s: float, interval_s: float) -> float:
    """Return the step in which a span is shown: a round number of seconds, not less than the interval of scrapes."""
    least = max(span_s / _POINTS, interval_s)
    return float(next((step for step in _ROUND_S if step >= least), ceil(least / 86400) * 86400))


class Past:
    """Reads frames of the past.

    Args:
        fleet: The fleet, which has been discovered; its connection is used for nothing else meanwhile.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def wall(self, server_s: float) -> float:
        """Return an instant of the server by this host's wall clock."""
        return server_s - self.fleet.wall_ahead_s

    def instant(self, wall: float) -> float:
        """Return a wall time of this host by the server's clock."""
        return wall + self.fleet.wall_ahead_s

    def frames_of(self, members: Sequence[Member], since_wall: float, until_wall: float) -> list[Frame]:
        """Return the frames of some workloads between two wall times, as far apart as the span is long.

        Raises:
            SourceError: The server cannot be asked.
        """
        start, end = self.instant(since_wall), self.instant(until_wall)
        step_s = step_for(end - start, self.fleet.interval_s)
        grid = Grid(start, step_s, max(2, round((end - start) / step_s) + 1))
        hosts = self._of_hosts(grid, {(member.instance, member.host) for member in members})
        return self._frames(grid, self._members(grid, members), hosts, {})

    def frames(self, grid: Grid, most: int) -> list[Frame]:
        """Return the frames of the fleet: of the workloads that use most at the end of the grid.

        Raises:
            SourceError: The server cannot be asked.
        """
        total = sum(self.fleet.counts(grid.end).values())
        shown = self.fleet.who(grid.end, total, most)
        series = self._over(promql.hosts(self.fleet.match), grid)
        hosts: dict[HostKey, Scrapes] = dict(by_host(series).items())
        stamps = self._stamps(grid)
        _place(hosts, stamps)
        self.fleet.names.learn(hosts)
        return self._frames(grid, self._members(grid, shown, stamps), hosts, self._uses(grid))

    def _of_hosts(self, grid: Grid, keys: Collection[HostKey]) -> dict[HostKey, Scrapes]:
        """Return what some hosts exposed of themselves."""
        matchers = f"instance=~{promql.one_of(instance for instance, _ in keys)}"
        series = self._over(promql.hosts(",".join(filter(None, (matchers, self.fleet.match)))), grid)
        found: dict[HostKey, Scrapes] = {key: scrapes for key, scrapes in by_host(series).items() if key in keys}
        _place(found, self._stamps(grid, matchers))
        return found

    def _members(
        self, grid: Grid, members: Sequence[Member], stamps: Mapping[HostKey, Mapping[float, float]] | None = None
    ) -> dict[Member, Scrapes]:
        series = [one for query in promql.values_of(members, self.fleet.match) for one in self._over(query, grid)]
        found = by_member(series, members)
        if stamps is None and members and not self._is_raw(grid):
            matchers = f"instance=~{promql.one_of(member.instance for member in members)}"
            stamps = self._stamps(grid, matchers)
        for member, scrapes in found.items():
            _move(scrapes, (stamps or {}).get((member.instance, member.host)))
        return found

    def _is_raw(self, grid: Grid) -> bool:
        return grid.step_s <= _RAW * self.fleet.interval_s

    def _over(self, query: str, grid: Grid) -> list[Series]:
        """Return values from before the first instant of a grid to its last one."""
        if self._is_raw(grid):
            span_s = grid.end - grid.start + grid.step_s + self.fleet.window_s
            return self.fleet.client.instant(f"{query}[{promql.duration(span_s)}]", grid.end)
        return self.fleet.client.over(query, grid.start - grid.step_s, grid.end, grid.step_s)

    def _stamps(self, grid: Grid, matchers: str = "") -> dict[HostKey, dict[float, float]]:
        """Return for each host and instant of a coarse grid the instant of the scrape before it."""
        if self._is_raw(grid):
            return {}
        every = ",".join(filter(None, (matchers, self.fleet.match)))
        query = f"timestamp({promql.selector(every, name='vmtop_host_cpus')})"
        series = self.fleet.client.over(query, grid.start - grid.step_s, grid.end, grid.step_s)
        return {
            (one.metric.get("instance", ""), one.metric.get(HOST_LABEL, "")): {
                at: float(text) for at, text in one.values if text.replace(".", "", 1).isdigit()
            }
            for one in series
        }

    def _uses(self, grid: Grid) -> dict[HostKey, dict[Kind, dict[float, Use]]]:
        """Return what all workloads of each host used together, at the instants of a grid."""
        cpu_query, memory_queries = use_by_kind(
            self.fleet.match, max(self.fleet.window_s, grid.step_s), self.fleet.rules
        )
        cores = self._by_kind(cpu_query, grid)
        sizes: dict[tuple[HostKey, Kind], Counter[float]] = {}
        for query in memory_queries:
            for key_and_kind, values in self._by_kind(query, grid).items():
                sizes.setdefault(key_and_kind, Counter()).update(values)
        uses: dict[HostKey, dict[Kind, dict[float, Use]]] = {}
        for key, kind in cores.keys() | sizes.keys():
            of_kind = uses.setdefault(key, {}).setdefault(kind, {})
            mine: Mapping[float, float] = cores.get((key, kind), {})
            theirs: Mapping[float, float] = sizes.get((key, kind), {})
            for at in mine.keys() | theirs.keys():
                of_kind[round(at, 3)] = Use(mine.get(at), theirs.get(at))
        return uses

    def _by_kind(self, query: str, grid: Grid) -> dict[tuple[HostKey, Kind], dict[float, float]]:
        return by_kind_at(self.fleet.client.over(query, grid.start, grid.end, grid.step_s))

    def _frames(
        self,
        grid: Grid,
        members: Mapping[Member, Scrapes],
        hosts: Mapping[HostKey, Scrapes],
        uses: Mapping[HostKey, Mapping[Kind, Mapping[float, Use]]],
    ) -> list[Frame]:
        fleet, epochs = self.fleet, Epochs()
        longest_s = max(_MISSED * fleet.interval_s, grid.step_s) + 1.0
        names = {key: fleet.names.name(key) for key in {*hosts, *((one.instance, one.host) for one in members)}}
        own = {key: (host_workload(names[key], scrapes), scrapes, _Line(scrapes)) for key, scrapes in hosts.items()}
        shown = [
            (member, identity_of(member, names[member.instance, member.host]), scrapes, _Line(scrapes))
            for member, scrapes in members.items()
        ]
        frames = []
        for at in grid.instants():
            workloads: dict[WorkloadId, Workload] = {}
            samples: dict[WorkloadId, tuple[Sample, ...]] = {}
            facts: dict[str, HostFacts] = {}
            newest: dict[HostKey, float] = {}
            for key, (workload, scrapes, line) in own.items():
                if (instant := line.at(at, longest_s)) is not None:
                    newest[key] = instant
                    workloads[workload.id] = workload
                    samples[workload.id] = samples_at(workload.id, scrapes, instant, fleet.clock, epochs)
                    facts[names[key]] = host_facts(names[key], scrapes, grid.step_s, _uses_at(uses.get(key, {}), at))
            for member, identity, scrapes, line in shown:
                instant = line.at(at, longest_s)
                if instant is not None and instant >= newest.get((member.instance, member.host), 0.0):
                    workloads[identity] = line.described(member, scrapes, identity.host, instant)
                    samples[identity] = samples_at(identity, scrapes, instant, fleet.clock, epochs)
            at_ns = fleet.clock.at_ns(at)
            frames.append(
                Frame(
                    at_ns=at_ns,
                    wall=self.wall(at),
                    boot_ns=at_ns,
                    host=NOWHERE,
                    workloads=workloads,
                    samples=samples,
                    sources=(),
                    run=RUN,
                    interval_s=grid.step_s,
                    hosts=facts,
                )
            )
        return frames


class _Line:
    """The instants of one workload's scrapes, to find the one before another instant."""

    def __init__(self, scrapes: Scrapes) -> None:
        self._instants = scrapes.instants()
        self._described: tuple[object, Workload] | None = None

    def at(self, instant: float, longest_s: float) -> float | None:
        """Return the newest scrape up to an instant; `None` if there is none, or it was long before."""
        index = bisect_right(self._instants, instant + 1e-3)
        if not index or instant - self._instants[index - 1] > longest_s:
            return None
        return self._instants[index - 1]

    def described(self, member: Member, scrapes: Scrapes, host: str, instant: float) -> Workload:
        """Return the workload as of a scrape; the same object while its labels and its start are the same."""
        values = scrapes.values[instant]
        facts = (scrapes.infos.get(instant), values.get("vmtop_start_time_seconds"), values.get("vmtop_restarts_total"))
        if self._described is None or self._described[0] != facts:
            self._described = facts, workload_of(member, scrapes, host, instant)
        return self._described[1]


def _place(hosts: Mapping[HostKey, Scrapes], stamps: Mapping[HostKey, Mapping[float, float]]) -> None:
    for key, scrapes in hosts.items():
        _move(scrapes, stamps.get(key))


def _move(scrapes: Scrapes, stamps: Mapping[float, float] | None) -> None:
    """Give values at steps of a query the instants of their scrapes."""
    if stamps:
        scrapes.moved(lambda at: stamps.get(at, at))


def _uses_at(uses: Mapping[Kind, Mapping[float, Use]], at: float) -> dict[Kind, Use]:
    return {kind: use for kind, by_instant in uses.items() if (use := by_instant.get(round(at, 3))) is not None}
