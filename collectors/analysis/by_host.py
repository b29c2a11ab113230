"""A frame of several hosts, taken apart into one for each of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from collectors.model.workloads import Frame, HostFacts, SourceState, Workload, WorkloadId


class OneHost(NamedTuple):
    """One host of a frame."""

    name: str
    """As the frame calls it; empty for the host that the frame was made on."""
    frame: Frame | None
    """A frame of this host alone; `None` if it was not read."""
    facts: HostFacts
    connection: SourceState | None
    """How the connection to it was doing; `None` for the host that the frame was made on."""


def by_host(frame: Frame) -> Iterator[OneHost]:
    """Yield the hosts of a frame that were read or should have been."""
    if not frame.hosts:
        yield OneHost("", frame, _own_facts(frame), None)
        return
    workloads: dict[str, dict[WorkloadId, Workload]] = {name: {} for name in ("", *frame.hosts)}
    for identity, workload in frame.workloads.items():
        if identity.host in workloads:
            workloads[identity.host][identity] = workload
    if frame.host.id in frame.samples:
        alone = _part(frame, "", frame.host, workloads[""])
        yield OneHost("", replace(alone, facts=frame.facts), _own_facts(frame), None)
    connections = {state.name: state for state in frame.sources if not state.host}
    for name, facts in frame.hosts.items():
        own = None if facts.workload is None else workloads[name].get(facts.workload)
        alone_there = None
        if own is not None:
            part = _part(frame, name, own, workloads[name])
            alone_there = replace(
                part, cpus=facts.cpus or 1, memory_bytes=facts.memory_bytes, facts=facts.facts, run=facts.run
            )
        yield OneHost(name, alone_there, facts, connections.get(name))


def _own_facts(frame: Frame) -> HostFacts:
    return HostFacts(frame.host.id, frame.cpus, frame.memory_bytes, frame.facts, None, frame.run, frame.interval_s)


def _part(frame: Frame, name: str, host: Workload, workloads: dict[WorkloadId, Workload]) -> Frame:
    """Return the frame of one host, whose workloads have no host in their ids."""
    own = _without_host(host)
    known = {host.id: own, **{identity: _without_host(workload) for identity, workload in workloads.items()}}
    samples = {
        workload.id: frame.samples[identity] for identity, workload in known.items() if identity in frame.samples
    }
    sources = [
        replace(state, host="") for state in frame.sources if state.host == name and state.name not in frame.hosts
    ]
    events = [
        replace(event, workload=event.workload._replace(host=""))
        for event in frame.events
        if event.workload.host == name
    ]
    others = {workload.id: workload for workload in known.values() if workload.id != own.id}
    return replace(
        frame, host=own, workloads=others, samples=samples, sources=tuple(sources), events=tuple(events), hosts={}
    )


def _without_host(workload: Workload) -> Workload:
    if not workload.id.host:
        return workload
    parent = workload.parent
    return replace(
        workload,
        id=workload.id._replace(host=""),
        parent=None if parent is None else parent._replace(host=""),
    )
