"""What a workload would weigh as the other kind: a container as a machine, a machine as a container. Pure.

It is what the workload itself uses, plus the overhead that workloads of the other kind were measured to have here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from collectors.comparison.sizing import Sizing
from collectors.comparison.sizing_evidence import Survey
from collectors.model.facts import Fact, unknown
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, WorkloadId

OTHER = {Kind.CONTAINER: Kind.VM, Kind.VM: Kind.CONTAINER}
"""What each kind could be instead; a service has no other kind."""
_PLURALS = {Kind.CONTAINER: "containers", Kind.VM: "machines"}
_NOT_IN_IT = {
    Kind.VM: "the guest's own kernel and page cache come on top",
    Kind.CONTAINER: "the guest's own kernel and services are still in it",
}


class Overhead(NamedTuple):
    """Memory that a kind takes in addition to what runs inside, in bytes."""

    median_bytes: float
    workloads: int
    """Of how many it is the median."""
    how: str
    """How that of one of them was measured."""


def overheads(facts: Mapping[WorkloadId, Fact], kinds: Mapping[WorkloadId, Kind]) -> dict[Kind, Overhead]:
    """Return the overhead of each kind of which at least one workload was measured.

    Args:
        facts: By workload, its `memory_overhead_bytes` as the comparison of classes has it.
        kinds: The kinds of the workloads.
    """
    by_kind: dict[Kind, list[tuple[float, str]]] = {}
    for identity, fact in facts.items():
        if isinstance(fact.value, float | int) and identity in kinds:
            by_kind.setdefault(kinds[identity], []).append((float(fact.value), fact.how))
    return {
        kind: Overhead(median(value for value, _ in measured), len(measured), measured[0][1])
        for kind, measured in by_kind.items()
    }


def recorded_overheads(survey: Survey) -> dict[WorkloadId, Fact]:
    """Return the overheads that moments have: those of machines. That of a container is only read on a live host."""
    metric = METRICS["memory_overhead_bytes"]
    return {
        identity: Fact(evidence.overhead.mean, f"mean of {metric.label}: {metric.formula}")
        for identity, evidence in survey.evidence.items()
        if evidence.overhead.seconds
    }


def kinds_of(sizings: Iterable[Sizing]) -> dict[WorkloadId, Kind]:
    """Return the kind of each workload."""
    return {sizing.workload.id: sizing.workload.kind for sizing in sizings}


def as_other_kind(sizing: Sizing, measured: Mapping[Kind, Overhead]) -> Fact:
    """Return the bytes that a workload would weigh as the other kind, with how that was found, or why it is unknown."""
    other = OTHER.get(sizing.workload.kind)
    if other is None:
        return unknown("a service has no other kind")
    if sizing.memory.used is None:
        return unknown("what it uses itself is not measured")
    if other not in measured:
        return unknown(f"not measured here: the overhead of none of the {_PLURALS[other]} could be measured")
    overhead = measured[other]
    how = (
        f"the most it used, plus the median overhead of {overhead.workloads} {_PLURALS[other]} here "
        f"({overhead.how}); {_NOT_IN_IT[other]}"
    )
    return Fact(sizing.memory.used.max + overhead.median_bytes, how)
