"""Joins the readings of several sources by workload (engine and id). Pure."""

from __future__ import annotations

from typing import NamedTuple

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
        if (value := getattr(stronger, name)) not in (None, "", ())
        and value is not False
        and name not in ("id", "name", "name_is_known")
    }
    if weaker.unmeasured and stronger.unmeasured:
        facts["unmeasured"] = weaker.unmeasured + stronger.unmeasured
    if weaker.cgroup and weaker.is_here:
        facts.pop("endpoint", None)  # this kernel counts it, so it is local, however its engine is reached
    if stronger.state is State.UNKNOWN:
        facts.pop("state")
    if stronger.name_is_known or not weaker.name_is_known:
        facts["name"], facts["name_is_known"] = stronger.name, stronger.name_is_known
    return msgspec.structs.replace(weaker, **facts)


class Joins:
    """Remembers what two descriptions were joined to, as long as sources give the same two objects."""

    def __init__(self) -> None:
        self._earlier: dict[tuple[int, int], tuple[Workload, Workload, Workload]] = {}
        """By the identities of the two, which are kept, so that no other object can have these."""
        self._made: dict[tuple[int, int], tuple[Workload, Workload, Workload]] = {}

    def next(self) -> Joins:
        """Forget what the last tick did not need; return itself."""
        self._earlier, self._made = self._made, {}
        return self

    def join(self, weaker: Workload, stronger: Workload) -> Workload:
        """Return what `join_workload` does; the same object as in the last tick for the same two."""
        key = id(weaker), id(stronger)
        made = self._earlier.get(key) or (weaker, stronger, join_workload(weaker, stronger))
        self._made[key] = made
        return made[2]


def mark_unlisted(workloads: dict[WorkloadId, Workload], engines: frozenset[str], wall: float) -> None:
    """Mark the workloads that no engine lists although all answer: their cgroups may only have a container's name.

    Args:
        workloads: The joined workloads.
        engines: The values of `WorkloadId.engine` for which all sources answer.
        wall: Seconds since 1970. One that started just before may not be in the newest list yet.
    """
    for identity, workload in workloads.items():
        if identity.engine in engines and workload.is_listed is None and not identity.host:
            started_at = workload.started_at
            if started_at is None or wall - started_at > _LISTED_WITHIN_S:
                workloads[identity] = msgspec.structs.replace(workload, is_listed=False)


class Joined(NamedTuple):
    """Several readings as one."""

    workloads: dict[WorkloadId, Workload]
    samples: dict[WorkloadId, tuple[Sample, ...]]
    contested: list[int]
    """How many workloads of each reading were left out because it may not describe them, or another one does."""


def join(readings: list[tuple[bool, SourceReading]], joins: Joins | None = None) -> Joined:
    """Join readings, each with whether its source is an authority on names and states.

    Samples keep the order of the readings, so that the kernel's come before a daemon's. Of two authorities that list
    the same id, the one on this host counts, otherwise the first one: an engine cannot rename another's workloads, and
    a user's own engine none outside that user's slice.

    Args:
        readings: The readings.
        joins: What was joined in the last tick; `None` where there was none.
    """
    join_two = join_workload if joins is None else joins.join
    workloads: dict[WorkloadId, Workload] = {}
    samples: dict[WorkloadId, tuple[Sample, ...]] = {}
    authorities: dict[WorkloadId, int] = {}
    refused: list[set[WorkloadId]] = [set() for _ in readings]
    for index in sorted(range(len(readings)), key=lambda index: _order(*readings[index])):
        is_authority, reading = readings[index]
        for identity, workload in reading.workloads.items():
            weaker = workloads.get(identity)
            is_foreign = weaker is not None and not (weaker.cgroup or reading.below).startswith(reading.below)
            if is_foreign or (is_authority and authorities.setdefault(identity, index) != index):
                refused[index].add(identity)
                continue
            workloads[identity] = workload if weaker is None else join_two(weaker, workload)
    for _, reading in readings:
        for identity, restarts in reading.restarts.items():
            listed = workloads.get(identity)
            if listed is not None and listed.restarts is None:
                workloads[identity] = msgspec.structs.replace(listed, restarts=restarts)
    for index, (_, reading) in enumerate(readings):
        for identity, source_samples in reading.samples.items():
            if identity in refused[index]:
                continue
            earlier_samples = samples.get(identity)
            samples[identity] = source_samples if earlier_samples is None else earlier_samples + source_samples
    return Joined(workloads, samples, [len(identities) for identities in refused])


def _order(is_authority: bool, reading: SourceReading) -> tuple[bool, bool]:
    """Return what to sort readings by: authorities come last, those of other hosts after those of this host."""
    first = next(iter(reading.workloads.values()), None)
    return is_authority, first is not None and bool(first.endpoint)
