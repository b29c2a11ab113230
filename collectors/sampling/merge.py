"""Joins the readings of several sources by workload (engine and id). Pure."""

from __future__ import annotations

import msgspec

from collectors.model.workloads import Sample, State, Workload, WorkloadId
from collectors.sampling.source import SourceReading

_LISTED_WITHIN_S = 15.0
"""Seconds; a list is at most 12 seconds old."""


def join_workload(weaker: Workload, stronger: Workload) -> Workload:
    """Merge two descriptions of one workload: the stronger one's facts win where it has any."""
    facts = {
        name: value
        for name in Workload.__struct_fields__
        if (value := getattr(stronger, name)) not in (None, "", ()) and name not in ("id", "name", "name_is_known")
    }
    if weaker.unmeasured and stronger.unmeasured:
        facts["unmeasured"] = weaker.unmeasured + stronger.unmeasured
    if weaker.cgroup and not weaker.endpoint:
        facts.pop("endpoint", None)  # this kernel counts it, so it is local, however its engine is reached
    if stronger.state is State.UNKNOWN:
        facts.pop("state")
    if stronger.name_is_known or not weaker.name_is_known:
        facts["name"], facts["name_is_known"] = stronger.name, stronger.name_is_known
    return msgspec.structs.replace(weaker, **facts)


def mark_unlisted(workloads: dict[WorkloadId, Workload], engines: frozenset[str], wall: float) -> None:
    """Mark the workloads that no engine lists although all answer: their cgroups may only have a container's name.

    Args:
        workloads: The joined workloads.
        engines: The values of `WorkloadId.engine` for which all sources answer.
        wall: Seconds since 1970. One that started just before may not be in the newest list yet.
    """
    for identity, workload in workloads.items():
        if identity.engine in engines and workload.is_listed is None:
            started_at = workload.started_at
            if started_at is None or wall - started_at > _LISTED_WITHIN_S:
                workloads[identity] = msgspec.structs.replace(workload, is_listed=False)


def join(
    readings: list[tuple[bool, SourceReading]],
) -> tuple[dict[WorkloadId, Workload], dict[WorkloadId, tuple[Sample, ...]]]:
    """Join readings, each with whether its source is an authority on names and states.

    Samples keep the order of the readings, so that the kernel's come before a daemon's.
    """
    workloads: dict[WorkloadId, Workload] = {}
    samples: dict[WorkloadId, tuple[Sample, ...]] = {}
    for _is_authority, reading in sorted(readings, key=lambda pair: pair[0]):
        for identity, workload in reading.workloads.items():
            weaker = workloads.get(identity)
            workloads[identity] = workload if weaker is None else join_workload(weaker, workload)
    for _is_authority, reading in readings:
        for identity, source_samples in reading.samples.items():
            earlier_samples = samples.get(identity)
            samples[identity] = source_samples if earlier_samples is None else earlier_samples + source_samples
    return workloads, samples
