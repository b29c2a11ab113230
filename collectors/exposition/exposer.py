"""Makes the text of a scrape from a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from collectors.analysis.hosts import pooled_bytes
from collectors.exposition.alert_series import AlertSeries, alert_rows
from collectors.exposition.busiest import Busiest
from collectors.exposition.columns import OLDEST_S, Columns, Row
from collectors.exposition.families import HOST_LABEL, PREFIX, Of, families_of
from collectors.exposition.labels import LabelCache, Labels, pairs
from collectors.exposition.text import Dialect, Text
from collectors.model.workloads import Availability, Event, Frame, HostFacts, SourceState, Workload, WorkloadId
from collectors.safety.sanitize import sanitize

MOST_WORKLOADS = 2000
_MOST_WHATS = 100
"""Different things that can happen: what engines call them is not up to vmtop."""
_LONGEST_WHAT = 40
CONNECTION = "ssh"
"""What the connection to another host is called among its sources."""
_WORKLOADS = Columns(families_of(Of.WORKLOAD))
_HOSTS = Columns(families_of(Of.HOST))


@dataclass(frozen=True, slots=True)
class Choice:
    """What is exposed."""

    most_workloads: int = MOST_WORKLOADS
    """The busiest are exposed when there are more, and `vmtop_workloads_omitted` counts the others."""
    labels: tuple[str, ...] = ()
    """Labels of workloads that every series carries, and `project`. Each distinct value makes a series of its own."""


class Own(NamedTuple):
    """What vmtop tells of itself."""

    version: str
    cpu_s: float | None = None
    resident_bytes: int | None = None
    scrape_s: float | None = None
    """Seconds that the scrape before took."""


class _Host(NamedTuple):
    name: str
    """Empty for the host that vmtop runs on."""
    workload: Workload
    row: Row
    cpus: int
    memory_bytes: int
    facts: dict[str, str]


class Exposer:
    """Makes texts of frames, one after the other. What is kept between them is bounded by the newest frame."""

    def __init__(self, choice: Choice | None = None) -> None:
        self._choice = choice or Choice()
        self._labels = LabelCache(self._choice.labels)
        self._busiest = Busiest(self._choice.most_workloads)
        self._happened: Counter[tuple[str, ...]] = Counter()

    def count(self, events: tuple[Event, ...]) -> None:
        """Count events; each must be given once."""
        for event in events:
            key = event.workload.host, sanitize(event.what, _LONGEST_WHAT)
            is_known = key in self._happened or len(self._happened) < _MOST_WHATS
            self._happened[key if is_known else (event.workload.host, "other")] += 1

    def text(self, frame: Frame, dialect: Dialect, own: Own, alerts: Sequence[AlertSeries] = ()) -> str:
        """Return everything known of a frame, in a text format."""
        hosts = list(_hosts(frame))
        gone = frame.hosts.keys() - {host.name for host in hosts}
        present = [one for one in frame.workloads.values() if not _is_left_out(one, frame, gone)]
        exposed = self._busiest.of(present, frame.samples)
        self._labels.keep_only(frame.workloads)
        labelled = [self._labels.of(workload) for workload in exposed]
        text = Text(dialect)
        self._add_workloads(text, frame, labelled)
        _add_hosts(text, hosts)
        _add_sources(text, frame)
        text.add(PREFIX + "events_total", _counts(self._happened, "what"))
        text.add(PREFIX + "alert", alert_rows(alerts))
        states: Counter[tuple[str, ...]] = Counter([(one.id.host, one.kind, one.state) for one in present])
        text.add(PREFIX + "workloads", _counts(states, "kind", "state"))
        text.add(PREFIX + "workloads_omitted", [(" ", len(present) - len(exposed))])
        _add_own(text, own)
        return text.end()

    @staticmethod
    def _add_workloads(text: Text, frame: Frame, labelled: list[Labels]) -> None:
        samples, now_ns, row = frame.samples, frame.at_ns, _WORKLOADS.row
        rows = [(one.every, row(samples.get(one.workload.id, ()), now_ns, one.workload)) for one in labelled]
        for family, place in zip(_WORKLOADS.families, _WORKLOADS.places, strict=True):
            text.add_column(family, place, rows)
        text.add(PREFIX + "workload_info", [(one.info, 1) for one in labelled])


def _is_left_out(workload: Workload, frame: Frame, gone: set[str]) -> bool:
    """Return whether a workload has no row: the hosts have families of their own, and who is gone has nothing."""
    host = workload.id.host
    if not host:
        return workload.id == frame.host.id
    facts = frame.hosts.get(host)
    return host in gone or (facts is not None and facts.workload == workload.id)


def _hosts(frame: Frame) -> Iterator[_Host]:
    """Yield the hosts that can be read now."""
    local = HostFacts(frame.host.id, frame.cpus, frame.memory_bytes, frame.facts)
    for name, facts in (("", local), *frame.hosts.items()):
        samples = frame.samples.get(facts.workload, ()) if facts.workload else ()
        workload = frame.host if not name else frame.workloads.get(facts.workload or WorkloadId("", ""))
        if workload is not None and any(frame.at_ns - sample.at_ns < OLDEST_S * 1e9 for sample in samples):
            row = _HOSTS.row(samples, frame.at_ns, workload)
            yield _Host(name, workload, row, facts.cpus, facts.memory_bytes, facts.facts)


def _add_hosts(text: Text, hosts: list[_Host]) -> None:
    rows = [(_braced((HOST_LABEL, host.name)), host.row) for host in hosts]
    for family, place in zip(_HOSTS.families, _HOSTS.places, strict=True):
        text.add_column(family, place, rows)
    text.add(PREFIX + "host_cpus", [(_braced((HOST_LABEL, host.name)), host.cpus) for host in hosts if host.cpus])
    memory = [(_braced((HOST_LABEL, host.name)), host.memory_bytes) for host in hosts if host.memory_bytes]
    text.add(PREFIX + "host_memory_bytes", memory)
    pools = [(_braced((HOST_LABEL, host.name)), pooled) for host in hosts if (pooled := pooled_bytes(host.facts))]
    text.add(PREFIX + "host_memory_hugepages_bytes", pools)
    info = [(_braced((HOST_LABEL, host.name), *_described(host)), 1) for host in hosts]
    text.add(PREFIX + "host_info", info)


def _described(host: _Host) -> list[tuple[str, str | None]]:
    names = ("kernel", "cgroup", "vmtop")
    hostname = host.facts.get("hostname") or host.workload.name
    return [("hostname", hostname), *((name, host.facts.get(name)) for name in names)]


def _add_sources(text: Text, frame: Frame) -> None:
    there = {
        _braced(*_source_labels(frame, state)): state
        for state in frame.sources
        if state.availability is not Availability.ABSENT
    }.items()
    text.add(PREFIX + "source_up", [(labels, int(state.availability is Availability.OK)) for labels, state in there])
    ages = [
        (labels, max(0, frame.at_ns - state.read_at_ns) / 1e9)
        for labels, state in there
        if state.read_at_ns is not None
    ]
    text.add(PREFIX + "source_age_seconds", ages)
    costs = [(labels, state.cost_ns / 1e9) for labels, state in there if state.cost_ns is not None]
    text.add(PREFIX + "source_read_seconds", costs)


def _source_labels(frame: Frame, state: SourceState) -> tuple[tuple[str, str], ...]:
    """Return the labels of a source; the connection to another host is a source `ssh` of that host."""
    if not state.host and state.name in frame.hosts:
        return (HOST_LABEL, state.name), ("source", CONNECTION)
    return (HOST_LABEL, state.host), ("source", state.name)


def _add_own(text: Text, own: Own) -> None:
    values = {
        "scrape_seconds": own.scrape_s,
        "self_cpu_seconds_total": own.cpu_s,
        "self_resident_bytes": own.resident_bytes,
    }
    for name, value in values.items():
        text.add(PREFIX + name, [] if value is None else [(" ", value)])
    text.add(PREFIX + "build_info", [(_braced(("version", own.version)), 1)])


def _counts(counter: Counter[tuple[str, ...]], *names: str) -> list[tuple[str, float]]:
    """Return the series of counts by host and something else."""
    return [
        (_braced(*zip((HOST_LABEL, *names), values, strict=True)), count) for values, count in sorted(counter.items())
    ]


def _braced(*labels: tuple[str, str | None]) -> str:
    inside = pairs(labels)
    return f"{{{inside}}} " if inside else " "
