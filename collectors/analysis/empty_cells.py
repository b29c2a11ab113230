"""Why a cell is empty: computed from what is known of this workload, this metric and its sources at this moment. Pure.

`RULES` has one row per reason; the first one that applies is the answer. Live and replayed moments have the same data,
so both give the same reasons. Recordings of versions that did not note `Workload.unmeasured` give `Metric.missing`,
which lists what may be the case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from collectors.analysis.contacts import contacts
from collectors.analysis.hosts import facts_of_host
from collectors.analysis.rates import Moment, Pair, Reading
from collectors.model.metrics import METRICS, Metric
from collectors.model.unmeasured import INHERENT, SENTENCES, Topic, topic_of
from collectors.model.workloads import Availability, Kind, SourceState, Workload

_READ_BY = {
    "cgroup-slow": "cgroup",
    "process-io": "cgroup",
    "vmm": "cgroup",
    "vmm-process": "cgroup",
    "docker-stats": "docker",
}
"""Value of `Sample.source` -> name of the source that makes it, where they differ."""
_OF_MACHINES = frozenset({"libvirt", "vmm", "vsphere"})
"""Values of `Sample.source` that only virtual machines have."""
_SOURCE = re.compile("[@ ]")
"""Ends the kind of a source in its name: `docker@far`."""
_AVAILABILITY = {
    Availability.WAITING: "{name} has not answered yet",
    Availability.STALE: "{name} does not answer now",
    Availability.DENIED: "{name} may not be read by this user",
    Availability.ABSENT: "{name} is not there",
    Availability.DOWN: "{name} cannot be read",
}


class Cell(NamedTuple):
    """An empty cell, and everything that may explain it."""

    metric: Metric
    reading: Reading
    moment: Moment
    engine: str
    """Name of the source of the workload's engine; empty without one."""

    @property
    def workload(self) -> Workload:
        return self.reading.workload

    @property
    def readers(self) -> set[str]:
        """The names of the sources that could supply the metric for any workload."""
        return {_READ_BY.get(origin, origin) for origin in self.metric.origins}

    @property
    def nearby(self) -> set[str]:
        """The names of the sources that measure this workload: on this host, engines measure virtual machines only."""
        is_by_engine = self.workload.kind is Kind.VM or bool(self.workload.endpoint)
        return ({self.engine} if is_by_engine else set()) | ({"cgroup"} if not self.workload.endpoint else set())

    @property
    def pairs(self) -> Iterator[tuple[str, Pair]]:
        """The fields of the metric that a source supplies, each with the pair that has it."""
        for field in self.metric.fields:
            for pair in self.reading.pairs:
                if getattr(pair.current, field) is not None:
                    yield field, pair
                    break

    @property
    def missing_parts(self) -> list[str]:
        """The keys of the metrics that it is made of and that have no value either."""
        return [key for key in self.metric.made_of if self.reading.value(key) is None]

    @property
    def topics_without_fields(self) -> set[Topic]:
        """The topics of the metric's fields that no source supplies."""
        supplied = {field for field, _ in self.pairs}
        return {topic_of(field) for field in self.metric.fields if field not in supplied}


def lasting_reason(key: str, workload: Workload) -> str:
    """Return why a metric of a workload had no value over several readings: what its sources noted, as far as known."""
    metric = METRICS[key]
    return _noted_cause(workload, {topic_of(field) for field in metric.fields}, lambda detail: detail) or metric.missing


class Rule(NamedTuple):
    """One reason for an empty cell."""

    name: str
    explain: Callable[[Cell], str]
    """Returns the sentence if it is the reason; otherwise an empty string."""
    is_inherent: bool = False
    """Whether the workload has nothing to measure, so that nothing failed."""


def reason(key: str, reading: Reading, moment: Moment, engine: str) -> str:
    """Return why a metric of a workload has no value now, as a sentence without capital and full stop.

    Args:
        key: The metric.
        reading: The workload's reading, in which the metric is `None`.
        moment: The moment of the reading: the states of the sources, the host, and the other workloads.
        engine: Name of the source of the workload's engine (`engines.registry.owner`); empty without one.
    """
    cell = Cell(METRICS[key], reading, moment, engine)
    return next(sentence for rule in RULES if (sentence := rule.explain(cell)))


def has_failed(key: str, reading: Reading, moment: Moment, engine: str) -> bool:
    """Return whether a metric without a value could not be measured, as opposed to a workload that has none.

    Args: as of `reason`.
    """
    cell = Cell(METRICS[key], reading, moment, engine)
    rule = next(rule for rule in RULES if rule.explain(cell))
    if rule.explain is _made_of:
        return has_failed(cell.missing_parts[0], reading, moment, engine)
    if rule.explain is _noted:
        topics = cell.topics_without_fields
        return any(topic in topics and cause not in INHERENT for topic, cause, _ in reading.workload.unmeasured)
    return not rule.is_inherent


def _host(cell: Cell) -> str:
    if not cell.workload.is_host or "host" in cell.readers:
        return ""
    return "it is measured for workloads, not for the host"


def _at_rest(cell: Cell) -> str:
    workload = cell.workload
    if workload.state.is_active:
        return ""
    detail = f" ({workload.state_reason})" if workload.state_reason else ""
    return f"it does not run: it is {workload.state}{detail}"


def _made_of(cell: Cell) -> str:
    """Pass on the reason of the metric that it is made of and that is missing too."""
    missing = cell.missing_parts
    return reason(missing[0], cell.reading, cell.moment, cell.engine) if missing else ""


def _only_machines(cell: Cell) -> str:
    origins = set(cell.metric.origins)
    if not origins <= _OF_MACHINES or cell.engine == "libvirt":
        return ""
    if cell.workload.kind is not Kind.VM:
        return "only a virtual machine has it"
    if "vmm" in origins or cell.workload.endpoint:
        return ""
    return "only libvirt reports it, and it does not run this virtual machine"


def _source_fails(cell: Cell) -> str:
    """Blame a source that reads this workload and that supplies the metric, if it cannot be read now."""
    failing = next(_failing(cell.readers & cell.nearby, cell.reading, cell.moment), None)
    return failure(failing) if failing is not None else ""


def failing_sources(reading: Reading, moment: Moment, engine: str) -> list[SourceState]:
    """Return the states of those sources of a workload that cannot be read now, or are late; absent ones are not."""
    nearby = Cell(next(iter(METRICS.values())), reading, moment, engine).nearby
    return [state for state in _failing(nearby, reading, moment) if state.availability is not Availability.ABSENT]


def _failing(names: set[str], reading: Reading, moment: Moment) -> Iterator[SourceState]:
    """Yield a state for each source of these that cannot be read now; of several of one kind, if none can.

    Where the workload's host does not answer, that is its only state.
    """
    host, hosts = reading.workload.id.host, contacts(moment.frame)
    if host in hosts and (connection := hosts[host].connection) is not None and not hosts[host].answers:
        yield connection
        return
    sources = [state for state in moment.sources if state.host == host and (host or state.name not in hosts)]
    for name in sorted(names):
        states = [state for state in sources if _SOURCE.split(state.name)[0] == name]
        failing = [state for state in states if state.availability in _AVAILABILITY]
        if failing and len(failing) == len(states):
            yield failing[0]


def failure(state: SourceState) -> str:
    """Return why a source that fails cannot be read now: `docker has not responded for 22 s`."""
    if state.reason.startswith(f"{state.name} "):
        return state.reason
    sentence = _AVAILABILITY[state.availability].format(name=state.name)
    return f"{sentence}: {state.reason}" if state.reason else sentence


def _noted(cell: Cell) -> str:
    """Give the cause that a source noted for the topic of a field that no source supplies."""
    return _noted_cause(
        cell.workload, cell.topics_without_fields, lambda detail: _name_of(detail, cell.workload.id.host, cell.moment)
    )


def _noted_cause(workload: Workload, topics: set[Topic], name_of: Callable[[str], str]) -> str:
    """Return the sentence of the first cause that was noted for one of the topics; empty without one."""
    for topic, cause, detail in workload.unmeasured:
        if topic in topics and (sentence := SENTENCES.get(cause)):
            return sentence.format(name_of(detail))
    return ""


def _name_of(detail: str, host: str, moment: Moment) -> str:
    """Return the name of the host's workload with this id or cgroup; anything else as it is, a long id shortened."""
    for identity, reading in moment.readings.items():
        if detail and identity.host == host and detail in (identity.id, reading.workload.cgroup):
            workload = reading.workload
            return f"the pod {workload.project}" if workload.is_sandbox and workload.project else workload.name
    return detail[:12] if len(detail) == 64 else detail


def _no_memory_limit(cell: Cell) -> str:
    if "memory_limit_bytes" not in cell.metric.fields or not cell.reading.pairs:
        return ""
    return "it has no memory limit; the host's memory is all that limits it"


def _no_quota(cell: Cell) -> str:
    """No counter of periods, or one that never counted, means that no quota is set."""
    if topic_of(cell.metric.fields[0] if cell.metric.fields else "") is not Topic.QUOTA or not cell.reading.pairs:
        return ""
    return "" if cell.reading.gauge("cpu_periods_total") else "it has no CPU quota"


def _no_cgroup(cell: Cell) -> str:
    if cell.workload.endpoint or cell.workload.cgroup or not cell.readers <= {"cgroup", "host"} or any(cell.pairs):
        return ""
    return f"no cgroup of it was found on {cell.workload.id.host or 'this host'}"


def _remote(cell: Cell) -> str:
    if not cell.workload.endpoint or cell.engine in cell.readers:
        return ""
    return f"it runs on {cell.workload.endpoint}, where only {cell.engine} is read, which does not report it"


def _first_reading(cell: Cell) -> str:
    if not cell.reading.pairs:
        return "it has not been read yet"
    if any(pair.previous is None for _, pair in cell.pairs):
        return "it has been read only once since it started, and a rate needs two readings"
    return ""


def _counter_fell(cell: Cell) -> str:
    for field, pair in cell.pairs:
        previous, current = pair.previous, pair.current
        before = getattr(previous, field)
        if "_total" in field and (before is None or getattr(current, field) < before):
            return "its counter started again from zero, and a rate needs two readings"
    return ""


def _nothing_counted(cell: Cell) -> str:
    return cell.metric.undefined if any(cell.pairs) else ""


def _no_hugepages(cell: Cell) -> str:
    """Without a pool there are no hugepages; with one, only the controller could tell whose they are."""
    if cell.metric.fields != ("memory_hugetlb_bytes",) or not cell.reading.pairs or cell.workload.endpoint:
        return ""
    if facts_of_host(cell.moment.frame, cell.workload.id).get("hugepages_total"):
        return "the hugetlb controller is not enabled for its cgroup"
    return f"{cell.workload.id.host or 'this host'} has no hugepages"


def _anything_else(cell: Cell) -> str:
    return cell.metric.missing


RULES: tuple[Rule, ...] = (
    Rule("host", _host, True),
    Rule("at rest", _at_rest, True),
    Rule("made of a missing metric", _made_of),
    Rule("never for this kind", _only_machines, True),
    Rule("noted by a source", _noted),
    Rule("remote engine", _remote, True),
    Rule("source not readable", _source_fails),
    Rule("first reading", _first_reading),
    Rule("counter restarted", _counter_fell),
    Rule("no memory limit", _no_memory_limit, True),
    Rule("no CPU quota", _no_quota, True),
    Rule("no hugepages", _no_hugepages),
    Rule("no cgroup", _no_cgroup),
    Rule("nothing to divide by", _nothing_counted, True),
    Rule("anything else", _anything_else),
)
"""The reasons, the most specific first; the last one always applies."""
