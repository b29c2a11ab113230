"""A condition held against workloads for a time, once: what `vmtop check` and `vmtop wait` do. Pure."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from collectors.alerts.condition import is_of_hosts
from collectors.alerts.evidence import Evidence, ToldBy, measured_words, unknown_words
from collectors.analysis.rates import Moment, Reading
from collectors.model.workloads import WorkloadId
from collectors.query.filter import Query


class Finding(Enum):
    """What is known of a workload by now."""

    PENDING = "pending"
    """It has held so far, and has to hold for longer."""
    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    """What the condition asks for is not measured, or stale."""


class Trial:
    """Holds a condition against each moment.

    Args:
        query: The condition.
        for_s: Seconds for which it has to hold without a break.
        told_by: Returns the engines of whose workloads a source alone knows their state.
    """

    def __init__(self, query: Query, for_s: float, told_by: ToldBy) -> None:
        self._query, self._for_s, self._told_by = query, for_s, told_by
        self._since_ns: dict[WorkloadId, int] = {}
        self.seen: dict[WorkloadId, tuple[Reading, str]] = {}
        """The readings that were judged last, hosts with their size as limits, and the values that decided.

        Of one that is unknown it is what is not known: `no health`, or `old: cpu 93%`.
        """

    def take(self, moment: Moment, subjects: Collection[WorkloadId]) -> dict[WorkloadId, Finding]:
        """Return what is known of each subject after a moment; one that is not there is left out."""
        evidence = Evidence(moment, self._told_by)
        found: dict[WorkloadId, Finding] = {}
        for identity in subjects:
            reading = moment.host if identity == moment.host.workload.id else moment.readings.get(identity)
            if reading is None:
                self._since_ns.pop(identity, None)
                continue
            found[identity] = self._judge(evidence, reading, moment.frame.at_ns)
        return found

    def _judge(self, evidence: Evidence, reading: Reading, at_ns: int) -> Finding:
        identity = reading.workload.id
        seen = evidence.of_host(reading) if reading.workload.is_host else reading
        verdict = evidence.verdict(self._query, seen)
        words = measured_words(self._query, seen) or f"state {reading.workload.state}"
        if verdict is None:
            words = unknown_words(self._query, seen) or f"old: {words}"
        self.seen[identity] = seen, words
        if not verdict:
            self._since_ns.pop(identity, None)
            return Finding.UNKNOWN if verdict is None else Finding.FAILS
        since_ns = self._since_ns.setdefault(identity, at_ns)
        return Finding.HOLDS if (at_ns - since_ns) / 1e9 >= self._for_s else Finding.PENDING


def subjects_of(query: Query, moment: Moment) -> list[WorkloadId]:
    """Return what a condition is about where nothing is named: the hosts if it says so, else all workloads."""
    if is_of_hosts(query):
        hosts = [host.reading for host in moment.hosts.values() if host.reading is not None]
        return [reading.workload.id for reading in hosts or [moment.host]]
    return [identity for identity, reading in moment.readings.items() if not reading.workload.is_host]
