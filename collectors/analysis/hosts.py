"""The hosts of a moment: what each has, and one of them looked at alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from collectors.analysis.ledger import Ledger
from collectors.analysis.rates import HostMoment, Moment, Reading
from collectors.model.workloads import (
    Frame,
    Kind,
    SourceState,
    State,
    Workload,
    WorkloadId,
)


def size_of_host(frame: Frame, identity: WorkloadId) -> tuple[int, int]:
    """Return the cores and the bytes of memory of the host that a workload is on; 0 for what is unknown."""
    if not identity.host or not frame.hosts:  # without others, the frame is that of its host
        return frame.cpus, frame.memory_bytes
    facts = frame.hosts.get(identity.host)
    return (facts.cpus, facts.memory_bytes) if facts is not None else (0, 0)


def facts_of_host(frame: Frame, identity: WorkloadId) -> Mapping[str, str]:
    """Return what is known of the host that a workload is on, as in `Frame.facts`."""
    if not identity.host or not frame.hosts:
        return frame.facts
    facts = frame.hosts.get(identity.host)
    return facts.facts if facts is not None else {}


def pooled_bytes(facts: Mapping[str, str]) -> int:
    """Return the size of a host's pools of hugepages, in use or not; 0 where it has none, or they are not known.

    Args:
        facts: As in `Frame.facts`.
    """
    text = facts.get("hugepages_total", "")
    return int(text) if text.isdecimal() else 0


def of_one_host(moment: Moment, name: str) -> Moment:
    """Return a moment as if one host were the only one: its own values, workloads, sources and ledger.

    Ids stay as they are, with the host. The connection to it stays among the sources.

    Args:
        moment: A moment of several hosts.
        name: As in `WorkloadId.host`; empty for the host that vmtop runs on.
    """
    frame, whole = moment.frame, moment.hosts.get(name, HostMoment(None, Ledger(None, None)))
    facts = frame.hosts.get(name)
    host = whole.reading or Reading(_unseen(name) if name else frame.host, ())
    cpus, memory_bytes = size_of_host(frame, WorkloadId("host", "", name))
    is_own = {identity: identity.host == name and identity != host.workload.id for identity in moment.readings}
    return Moment(
        replace(
            frame,
            host=host.workload,
            workloads={key: workload for key, workload in frame.workloads.items() if is_own.get(key)},
            sources=tuple(state for state in frame.sources if _is_of(state, name, frame)),
            events=tuple(event for event in frame.events if event.workload.host == name),
            cpus=cpus or 1,
            memory_bytes=memory_bytes,
            facts=frame.facts if facts is None else {**facts.facts, "hostname": name},
            hosts={},
        ),
        host,
        {key: reading for key, reading in moment.readings.items() if is_own[key]},
        whole.ledger,
    )


def _is_of(state: SourceState, name: str, frame: Frame) -> bool:
    """Return whether a source tells of a host, or is the connection to it."""
    is_connection = not state.host and state.name in frame.hosts
    return state.name == name if is_connection else state.host == name


def _unseen(name: str) -> Workload:
    return Workload(id=WorkloadId("host", "unknown", name), kind=Kind.HOST, name=name, state=State.UNKNOWN)
