"""Asks a server about the fleet: which hosts there are, who uses most, and what those exposed last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise, zip_longest
from statistics import median
from typing import NamedTuple, TypeVar

from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.model.workloads import KINDS_BY_NAME, Kind, Use
from collectors.prometheus import promql
from collectors.prometheus.answers import Series
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.promql import Member
from collectors.prometheus.rankings import known_rules, rankings, use_by_kind
from collectors.prometheus.scrapes import HostNames, HostScrapes, Scrapes, by_host, by_member, member_of
from collectors.prometheus.wanted import wanted
from collectors.prometheus.workloads import Clock

Answer = TypeVar("Answer")
MOST = 200
"""Workloads that are shown by default."""
USUAL_INTERVAL_S = 15.0
_DISCOVERY_S = 300.0
"""Seconds in which a host was scraped at least once if it is there."""
_WINDOW = 3.5
"""Scrape intervals in which there are two scrapes, even if one failed."""
_MOST_HOSTS = 500
_CLOCK_SLACK_S = 0.5
"""Seconds by which an estimate of the server's clock may be off before it is replaced: instants then move."""
_SPARED, _LONGEST_SHOWN_S = 10, 300.0
"""Who uses most is asked again after so many times as long as the answer took, but not later than after so long."""
HostKey = tuple[str, str]
"""`instance`, and the label `host`."""


class Picture(NamedTuple):
    """The fleet as of one instant."""

    members: dict[Member, Scrapes]
    """Those that are shown."""
    hosts: dict[HostKey, HostScrapes]
    counts: dict[HostKey, int]
    """How many workloads each host has, shown or not."""
    uses: dict[HostKey, dict[Kind, Use]]
    """Sums over all workloads of each host, shown or not."""
    unscraped: tuple[HostKey, ...]
    """Hosts that the server tries to scrape without success."""
    problems: tuple[str, ...]
    """What could not be asked, as sentences."""
    searched: str = ""
    """The filter that the workloads were searched for by."""

    @property
    def omitted(self) -> int:
        """How many workloads are not shown."""
        return max(0, sum(self.counts.values()) - len(self.members))


class Fleet:
    """What is known of a server's fleet between questions.

    Args:
        client: To the server.
        most: Workloads to show at most.
    """

    def __init__(self, client: PrometheusClient, most: int = MOST) -> None:
        self.client = client
        self.match = promql.check_match(client.server.match)
        self.names = HostNames()
        self.interval_s = USUAL_INTERVAL_S
        """Seconds between scrapes, by what was seen."""
        self.clock = Clock(time.time(), time.monotonic_ns())
        self.wall_ahead_s = 0.0
        """By how many seconds the server's clock is ahead of this host's."""
        self.searched = ""
        """The filter of the screen: who matches it is shown before those that use most."""
        self._shown: list[Member] = []
        self._shown_for: tuple[str, int] = ("", 0)
        """The filter that those are shown for, and how many there were if all are."""
        self._shown_until = 0.0
        self._most = most
        self.rules: frozenset[str] = frozenset()
        """The recording rules that the server has."""
        self._jobs: tuple[str, ...] = ()

    @property
    def window_s(self) -> float:
        """Seconds in which there are two scrapes of each host."""
        return _WINDOW * self.interval_s

    def now(self) -> float:
        """Return the present instant by the server's clock."""
        return self.clock.server_s(time.monotonic_ns())

    def on(self, client: PrometheusClient) -> Fleet:
        """Return what is known, to be asked about on another connection; instants and names are the same."""
        other = Fleet(client, self._most)
        other.names, other.clock, other.interval_s = self.names, self.clock, self.interval_s
        other.searched = self.searched
        other.wall_ahead_s, other.rules, other._jobs = self.wall_ahead_s, self.rules, self._jobs
        return other

    def discover(self, until_wall: float | None = None) -> None:
        """Learn the server's clock, the hosts, the interval between scrapes, and what is recorded.

        Args:
            until_wall: As of which wall time; by default, now.

        Raises:
            SourceError: It cannot be asked, or scrapes no vmtop.
        """
        began_ns = time.monotonic_ns()
        told = self.client.instant("vector(time())")
        middle_ns = (began_ns + time.monotonic_ns()) // 2
        server_s = _number(told[0].value[1]) if told and told[0].value is not None else None
        if server_s is not None and abs(server_s - self.clock.server_s(middle_ns)) > _CLOCK_SLACK_S:
            self.clock = Clock(server_s, middle_ns)
        self.wall_ahead_s = self.now() - time.time()
        window = promql.duration(_DISCOVERY_S)
        query = f"{promql.selector(self.match, name='vmtop_host_cpu_seconds_total')}[{window}]"
        instant = self.now() if until_wall is None else until_wall + self.wall_ahead_s
        series = self.client.instant(query, instant)
        if not series:
            shown = self.client.server.shown
            limited = f" that matches {self.match}" if self.match else ""
            raise SourceDown(
                f"{shown} has scraped no vmtop{limited} in the last {_DISCOVERY_S / 60:.0f} minutes"
                + (" of that time" if until_wall is not None else ""),
                "run 'vmtop serve' on the hosts and add them to scrape_configs; docs/prometheus.md says how",
            )
        self.names.learn(by_host(series))
        self.interval_s = interval_of(series)
        self._jobs = tuple(sorted({job for one in series if (job := one.metric.get("job"))}))
        found = _Asking().do(lambda: self.client.instant(known_rules(self.match), instant)) or []
        self.rules = frozenset(one.metric.get("rule", "") for one in found)

    def look(self, is_quick: bool = False) -> Picture:
        """Return the fleet as of now. A question that is refused is told in `problems`, and the rest goes on.

        Args:
            is_quick: Ask only who uses most of the CPU, for a first table.

        Raises:
            SourceError: Neither hosts nor workloads could be asked about.
        """
        instant = self.now()
        hosts_query = f"{promql.hosts(self.match)}[{promql.duration(self.window_s)}]"
        asking = _Asking()
        searched = self.searched
        hosts = asking.do(lambda: by_host(self._instant(hosts_query, instant))) or {}
        counts = asking.do(lambda: self.counts(instant)) or {}
        total = sum(counts.values())
        shown = asking.do(lambda: self._shown_at(instant, total, is_quick)) or []
        members = asking.do(lambda: self._members(shown, instant)) or {}
        if not hosts and not members and asking.first is not None:
            raise asking.first
        uses = (asking.do(lambda: self.uses(instant)) or {}) if total > len(shown) else {}
        unscraped = asking.do(lambda: self._unscraped(instant)) or ()
        self.names.learn(hosts)
        return Picture(members, hosts, counts, uses, unscraped, tuple(asking.problems), searched)

    def _shown_at(self, instant: float, total: int, is_quick: bool) -> list[Member]:
        """Return who is shown: asked anew only after many times as long as the answer took, to spare a busy server."""
        asked = (self.searched, total if total <= self._most else self._most + 1)
        if self._shown and asked == self._shown_for and time.monotonic() < self._shown_until:
            return self._shown
        if is_quick:
            return self.who(instant, total, is_quick=True)
        began = time.monotonic()
        self._shown, self._shown_for = self.who(instant, total), asked
        ended = time.monotonic()
        self._shown_until = ended + min(_LONGEST_SHOWN_S, _SPARED * (ended - began))
        return self._shown

    def counts(self, instant: float) -> dict[HostKey, int]:
        """Return how many workloads each host has. Raises as `look`."""
        return _counts(self._instant(promql.count_by_host(self.match), instant))

    def who(self, instant: float, total: int, most: int | None = None, is_quick: bool = False) -> list[Member]:
        """Return the workloads to show: all that are searched for where they are few, else those that use most.

        Args:
            instant: As of when.
            total: How many workloads there are.
            most: How many to return at most; by default, as many as are shown.
            is_quick: Ask only who uses most of the CPU.

        Raises:
            SourceError: Not one of the questions was answered.
        """
        most = most or self._most
        among = wanted(self.searched, self.match, self.names.key)
        if among or total <= most:
            query = f"topk({most + 1}, {among or promql.all_workloads(self.match)})"
            found = list(dict.fromkeys(_members_in(self._instant(query, instant))))
            if len(found) <= most:
                return found
        asking = _Asking()
        queries = rankings(self.match, self.window_s, most, self.rules, among)
        ranked = [
            asking.do(partial(self._ranked, query, instant)) or [] for query in queries[: 1 if is_quick else None]
        ]
        if asking.first is not None and not any(ranked):
            raise asking.first
        return interleaved(ranked, most)

    def _ranked(self, query: str, instant: float) -> list[Member]:
        return _members_in(self._instant(query, instant))

    def _members(self, shown: Sequence[Member], instant: float) -> dict[Member, Scrapes]:
        """Return what workloads exposed at the last two scrapes. Raises as `look`."""
        window = promql.duration(self.window_s)
        queries = promql.values_of(shown, self.match) if shown else []
        series = [one for query in queries for one in self._instant(f"{query}[{window}]", instant)]
        return by_member(series, shown, 2)

    def _instant(self, query: str, at: float) -> list[Series]:
        return self.client.instant(query, at)

    def uses(self, instant: float) -> dict[HostKey, dict[Kind, Use]]:
        """Return what the workloads of each host use together, by kind. Raises as `look`."""
        cpu_query, memory_queries = use_by_kind(self.match, self.window_s, self.rules)
        cores = _by_kind(self._instant(cpu_query, instant))
        sizes: Counter[tuple[HostKey, Kind]] = Counter()
        for query in memory_queries:
            sizes.update(_by_kind(self._instant(query, instant)))
        uses: dict[HostKey, dict[Kind, Use]] = {}
        for key, kind in cores.keys() | sizes.keys():
            uses.setdefault(key, {})[kind] = Use(cores.get((key, kind)), sizes.get((key, kind)))
        return uses

    def _unscraped(self, instant: float) -> tuple[HostKey, ...]:
        if not self._jobs:
            return ()
        up = self._instant(promql.selector("", f"job=~{promql.one_of(self._jobs)}", name="up"), instant)
        failing = {one.metric.get("instance", "") for one in up if one.value is not None and one.value[1] == "0"}
        return tuple(sorted((instance, "") for instance in failing if instance)[:_MOST_HOSTS])


class _Asking:
    """Asks several questions, and keeps what went wrong with some of them."""

    def __init__(self) -> None:
        self.first: SourceError | None = None
        self.problems: list[str] = []

    def do(self, ask: Callable[[], Answer]) -> Answer | None:
        """Return an answer; `None` where there is none."""
        try:
            return ask()
        except AccessDenied:
            raise  # the other questions would be refused as well
        except SourceError as error:
            self.first = self.first or error
            if error.reason not in self.problems:
                self.problems.append(error.reason)
            return None


def interval_of(series: Iterable[Series]) -> float:
    """Return the seconds between scrapes, by the median; the usual ones where no host was scraped twice."""
    gaps = [later[0] - earlier[0] for one in series for earlier, later in pairwise(one.values)]
    gaps = [gap for gap in gaps if gap > 0]
    return max(1.0, round(median(gaps), 1)) if gaps else USUAL_INTERVAL_S


def interleaved(rankings: Sequence[Sequence[Member]], most: int) -> list[Member]:
    """Return the first of each ranking, then the second of each, and so on, without repetition."""
    order = (member for rank in zip_longest(*rankings) for member in rank if member is not None)
    return list(dict.fromkeys(order))[:most]


def _members_in(series: Iterable[Series]) -> list[Member]:
    """Return the workloads of an instant vector, those with the highest value first."""
    ranked = [
        (_number(one.value[1]) or 0.0, member)
        for one in series
        if one.value is not None and (member := member_of(one.metric)) is not None
    ]
    return [member for _, member in sorted(ranked, key=lambda pair: -pair[0])]


def _counts(series: Iterable[Series]) -> dict[HostKey, int]:
    counts: Counter[HostKey] = Counter()
    for one in series:
        number = _number(one.value[1]) if one.value is not None else None
        if number is not None and one.metric.get("instance"):
            counts[_host_key(one)] += round(number)
    return dict(counts)


def _by_kind(series: Iterable[Series]) -> dict[tuple[HostKey, Kind], float]:
    return {key: next(iter(values.values())) for key, values in by_kind_at(series).items()}


def by_kind_at(series: Iterable[Series]) -> dict[tuple[HostKey, Kind], dict[float, float]]:
    """Return the values of sums by host and kind, by instant."""
    found: dict[tuple[HostKey, Kind], dict[float, float]] = {}
    for one in series:
        kind = KINDS_BY_NAME.get(one.metric.get("kind", ""))
        points = one.values if one.value is None else [one.value]
        values = {at: value for at, text in points if (value := _number(text)) is not None}
        if kind is not None and values:
            found[_host_key(one), kind] = values
    return found


def _host_key(series: Series) -> HostKey:
    return series.metric.get("instance", ""), series.metric.get("host", "")


def _number(text: str) -> float | None:
    """Return a number of an answer; `None` for what is none, infinity and NaN included."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 else None
