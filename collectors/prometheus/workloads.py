"""From scrapes to workloads, hosts and samples as every other source makes them. Pure but for `Epochs`."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from collectors.exposition.families import PREFIX
from collectors.exposition.samples import samples_of
from collectors.model.workloads import KINDS_BY_NAME, HostFacts, Kind, Sample, State, Use, Workload, WorkloadId
from collectors.prometheus.promql import Member
from collectors.prometheus.scrapes import Scrapes
from collectors.safety.sanitize import sanitize, sanitize_name

SOURCE = "prometheus"
"""`Sample.source` of what came from a server."""
_STARTED = f"{PREFIX}start_time_seconds"
_SAME_START_S = 2.0
"""Start times that differ by less are the same: engines round them."""
_LATEST = 4_102_444_800.0
_STATES = {state.value: state for state in State}


class Clock:
    """Turns a server's instants into those of this host's monotonic clock.

    Args:
        server_s: Seconds since 1970 by the server's clock.
        monotonic_ns: The same instant by this host's.
    """

    def __init__(self, server_s: float, monotonic_ns: int) -> None:
        self._server_s, self._monotonic_ns = server_s, monotonic_ns

    def at_ns(self, server_s: float) -> int:
        """Return an instant of the server as nanoseconds of the monotonic clock."""
        return self._monotonic_ns + round((server_s - self._server_s) * 1e9)

    def server_s(self, monotonic_ns: int) -> float:
        """Return an instant of the monotonic clock as the server's seconds since 1970."""
        return self._server_s + (monotonic_ns - self._monotonic_ns) / 1e9


class Epochs:
    """Tells the runs of workloads apart by their start times, so that no rate is made across a restart."""

    def __init__(self) -> None:
        self._known: dict[WorkloadId, tuple[float, str]] = {}

    def of(self, identity: WorkloadId, started: float | None) -> str:
        """Return the epoch of a workload's counters, given when it was started."""
        start, epoch = self._known.get(identity, (started, ""))
        if started is None or start is None:
            return epoch
        if abs(started - start) >= _SAME_START_S:
            epoch = f"{started:.0f}"
        self._known[identity] = (started, epoch)
        return epoch

    def forget_all_but(self, identities: Mapping[WorkloadId, object]) -> None:
        """Bound the memory to the workloads that are still shown."""
        self._known = {identity: known for identity, known in self._known.items() if identity in identities}


def identity_of(member: Member, host: str) -> WorkloadId:
    """Return the identity of a workload on a host with a name."""
    return WorkloadId(sanitize(member.engine, 60), sanitize(member.id, 1024), host)


def workload_of(member: Member, scrapes: Scrapes, host: str, at: float | None = None) -> Workload:
    """Return the description of a workload from its labels, as of one scrape; by default, the newest."""
    instant = scrapes.newest if at is None else at
    values, info = _as_of(scrapes, instant)
    labels = {**scrapes.labels, **info}
    name = sanitize_name(labels.get("name", ""))
    identity = identity_of(member, host)
    parent = (labels.get("parent_engine", ""), labels.get("parent_id", ""))
    started = values.get(_STARTED)
    return Workload(
        id=identity,
        kind=KINDS_BY_NAME.get(labels.get("kind", ""), Kind.SERVICE),
        name=name or identity.id,
        state=_STATES.get(labels.get("state", ""), State.UNKNOWN if info else State.RUNNING),
        name_is_known=bool(name),
        image=_text(labels, "image"),
        project=_text(labels, "project"),
        health=_text(labels, "health"),
        restarts=_count(values.get(f"{PREFIX}restarts_total")),
        cgroup=_text(labels, "cgroup"),
        parent=WorkloadId(sanitize(parent[0], 60), sanitize(parent[1], 1024), host) if all(parent) else None,
        endpoint=sanitize(labels.get("endpoint", "")),
        started_at=started if started is not None and 0 < started < _LATEST else None,
        exit_code=_count(values.get(f"{PREFIX}exit_code")),
        state_reason=_text(labels, "state_reason"),
        is_sandbox=labels.get("sandbox") == "true",
    )


def samples_at(
    identity: WorkloadId, scrapes: Scrapes, instant: float, clock: Clock, epochs: Epochs
) -> tuple[Sample, ...]:
    """Return the samples of a workload or host of one scrape."""
    values = scrapes.values[instant]
    epoch = epochs.of(identity, values.get(_STARTED))
    return samples_of(values, clock.at_ns(instant), SOURCE, epoch)


def _as_of(scrapes: Scrapes, instant: float | None) -> tuple[Mapping[str, float], Mapping[str, str]]:
    if instant is None:
        return {}, {}
    return scrapes.values.get(instant, {}), scrapes.infos.get(instant, {})


def host_workload(host: str, scrapes: Scrapes) -> Workload:
    """Return a host as a workload."""
    _, info = _as_of(scrapes, scrapes.newest)
    hostname = sanitize(info.get("hostname", ""), 60) or host
    return Workload(WorkloadId("host", hostname, host), Kind.HOST, host, State.RUNNING)


def host_facts(host: str, scrapes: Scrapes, interval_s: float, uses: dict[Kind, Use] | None = None) -> HostFacts:
    """Return what is known of a host. Its monotonic instants are the server's, so it has no run of its own."""
    values, info = _as_of(scrapes, scrapes.newest)
    facts = {key: sanitize(text, 120) for key in ("hostname", "kernel", "cgroup", "vmtop") if (text := info.get(key))}
    if pooled := _count(values.get(f"{PREFIX}host_memory_hugepages_bytes")):
        facts["hugepages_total"] = str(pooled)
    return HostFacts(
        workload=host_workload(host, scrapes).id,
        cpus=_count(values.get(f"{PREFIX}host_cpus")) or 0,
        memory_bytes=_count(values.get(f"{PREFIX}host_memory_bytes")) or 0,
        facts=facts,
        interval_s=interval_s,
        uses=uses or {},
    )


def _text(labels: Mapping[str, str], key: str) -> str | None:
    text = labels.get(key)
    return sanitize(text) if text else None


def _count(value: float | None) -> int | None:
    return round(value) if value is not None and isfinite(value) and abs(value) < 1 << 62 else None
