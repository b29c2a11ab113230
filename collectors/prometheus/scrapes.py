"""From series to what each workload exposed at each scrape. Pure; every label is untrusted.

All series of a host have the instant of its scrape, so the values of one instant belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from urllib.parse import urlsplit

from collectors.exposition.families import BY_NAME, HOST_LABEL, Of, Type
from collectors.prometheus.answers import Series
from collectors.prometheus.promql import Member
from collectors.safety.sanitize import sanitize

INFOS = frozenset(name for name, family in BY_NAME.items() if family.type is Type.INFO)
_LONGEST_ID = 1024
_LONGEST_INSTANCE = 256


class Scrapes:
    """What one workload, or a host, exposed: values by instant, and its newest labels."""

    __slots__ = ("infos", "labels", "values")

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = labels
        """Of any of its series."""
        self.infos: dict[float, Mapping[str, str]] = {}
        """The labels of its info series by instant."""
        self.values: dict[float, dict[str, float]] = {}
        """By seconds since 1970, by the server's clock, and the family's name; unordered."""

    @property
    def newest(self) -> float | None:
        """The newest instant; `None` if there is none."""
        return max(self.values, default=None)

    def instants(self) -> list[float]:
        """Return the instants with values, oldest first."""
        return sorted(self.values)

    def moved(self, instant_of: Callable[[float], float]) -> None:
        """Give all values other instants, such as that of the scrape that a value at a step of a query is of."""
        self.values = {instant_of(at): values for at, values in sorted(self.values.items())}
        self.infos = {instant_of(at): labels for at, labels in sorted(self.infos.items())}

    def take(self, series: Series, name: str, newest: int = 0) -> None:
        """Take the values of one series of it; 0 for all of them, else only so many of the newest."""
        points = series.values[-newest:] if series.value is None else [series.value]
        if name in INFOS:
            for at, _ in points:
                self.infos[at] = series.metric
                self.values.setdefault(at, {})
            return
        for at, text in points:
            try:
                value = float(text)
            except ValueError:
                continue
            if isfinite(value) and isfinite(at):
                self.values.setdefault(at, {})[name] = value


def member_of(metric: Mapping[str, str]) -> Member | None:
    """Return whose series it is; `None` if it is of no workload."""
    engine, identity, instance = metric.get("engine", ""), metric.get("id", ""), metric.get("instance", "")
    if not engine or not identity or not instance:
        return None
    if len(identity) > _LONGEST_ID or len(engine) > _LONGEST_INSTANCE or len(instance) > _LONGEST_INSTANCE:
        return None
    return Member(instance, metric.get(HOST_LABEL, "")[:_LONGEST_INSTANCE], engine, identity)


def by_member(
    series: Iterable[Series], wanted: Iterable[Member] | None = None, newest: int = 0
) -> dict[Member, Scrapes]:
    """Return what workloads exposed.

    Args:
        series: Series with names, from range selectors.
        wanted: The workloads that are asked for, all by default: a query may give others too.
        newest: How many of the newest values of each series are taken; 0 for all.
    """
    found: dict[Member, Scrapes] = {}
    members = None if wanted is None else frozenset(wanted)
    for one in series:
        member = member_of(one.metric)
        name = one.metric.get("__name__", "")
        family = BY_NAME.get(name)
        if member is None or family is None or family.of is not Of.WORKLOAD:
            continue
        if members is not None and member not in members:
            continue
        scrapes = found.get(member)
        if scrapes is None:
            scrapes = found[member] = Scrapes(one.metric)
        scrapes.take(one, name, newest)
    return found


def by_host(series: Iterable[Series]) -> dict[tuple[str, str], HostScrapes]:
    """Return what hosts exposed of themselves, by `instance` and the label `host`."""
    found: dict[tuple[str, str], HostScrapes] = {}
    for one in series:
        name = one.metric.get("__name__", "")
        family = BY_NAME.get(name)
        key = (one.metric.get("instance", ""), one.metric.get(HOST_LABEL, ""))
        if family is None or not key[0] or max(map(len, key)) > _LONGEST_INSTANCE:
            continue
        host = found.get(key)
        if host is None:
            host = found[key] = HostScrapes(one.metric)
        if family.of is Of.SOURCE:
            host.take_source(one, name)
        elif family.of in (Of.HOST, Of.SELF):
            host.take(one, name)
    return found


class HostScrapes(Scrapes):
    """What a host exposed, with its sources."""

    __slots__ = ("sources",)

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__(labels)
        self.sources: dict[str, dict[str, tuple[float, float]]] = {}
        """By the source's name and the family's: instant and newest value."""

    def take_source(self, series: Series, name: str) -> None:
        """Take the values of one series of a source of it."""
        source = sanitize(series.metric.get("source", ""), 60)
        points = series.values if series.value is None else [series.value]
        for at, text in points[-1:]:
            try:
                value = float(text)
            except ValueError:
                continue
            if source and isfinite(value):
                self.sources.setdefault(source, {})[name] = (at, value)


class HostNames:
    """The names of hosts: the label `host` where vmtop read it over SSH, else the scraped address without its port.

    Two that would have the same name keep the port; a name that was given once stays.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._owners: dict[str, tuple[str, str]] = {}

    def learn(self, keys: Iterable[tuple[str, str]]) -> None:
        """Give names to hosts that have none yet."""
        new = sorted(key for key in set(keys) if key not in self._names)
        short = [_short(*key) for key in new]
        for key, name in zip(new, short, strict=True):
            is_free = short.count(name) == 1 and name not in self._owners
            self._give(key, name if is_free else _long(*key))

    def _give(self, key: tuple[str, str], name: str) -> None:
        count = 2
        given = name
        while given in self._owners:
            given, count = f"{name}~{count}", count + 1
        self._names[key], self._owners[given] = given, key

    def name(self, key: tuple[str, str]) -> str:
        """Return the name of a host, which it gets now if it has none."""
        if key not in self._names:
            self.learn([key])
        return self._names[key]

    def key(self, name: str) -> tuple[str, str] | None:
        """Return `instance` and the label `host` of a name; `None` if no host has it."""
        return self._owners.get(name)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._names)


def _short(instance: str, host: str) -> str:
    if host:
        return sanitize(host, 60)
    try:
        name = urlsplit(f"//{instance}").hostname
    except ValueError:
        name = None
    return sanitize(name or instance, 60) or "unknown"


def _long(instance: str, host: str) -> str:
    return sanitize(f"{host}@{instance}" if host else instance, 60) or "unknown"
