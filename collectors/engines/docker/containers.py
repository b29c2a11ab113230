"""Turns the engine's answers about containers into workloads and limits. Pure; every field of an answer is optional."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from collectors.engines.docker.names import own_name
from collectors.engines.docker.ports import ports_text
from collectors.kernel.cgroup.parsers import cpu_list
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, Sample, State, Unmeasured, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import count, part, positive, text

LABELS_AT_MOST = 32
_ADDRESSES_AT_MOST = 8
_RESTARTS_AT_MOST = 1 << 31
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_POD = ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name")
_FIRST_LABELS = (_PROJECT, _SERVICE, *_POD, "io.kubernetes.container.name", "vmtop.protect")
"""Kept when there are more labels than `LABELS_AT_MOST`."""
_STATES = {
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "restarting": State.RESTARTING,
    "exited": State.STOPPED,
    "stopped": State.STOPPED,
    "created": State.CREATED,
    "configured": State.CREATED,
    "initialized": State.CREATED,
    "dead": State.CRASHED,
    "removing": State.STOPPING,
    "stopping": State.STOPPING,
}
"""States by their names in Docker and Podman."""
_NO_TRAFFIC = {"host": Cause.HOST_NETWORK, "none": Cause.NO_NETWORK, "container": Cause.SHARED_NETWORK}
"""By HostConfig.NetworkMode."""
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_EXIT = re.compile(r"(?:Exited|Restarting) \((-?\d{1,10})\)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")


class Facts(msgspec.Struct, frozen=True, gc=False):
    """Facts that need an inspection and stay the same until the container is started or updated."""

    started: str = ""
    """Its start as the engine writes it; empty if it never started."""
    started_at: float | None = None
    """The same in seconds since 1970; `None` if it never started."""
    memory_limit_bytes: int | None = None
    """Its own limit; `None` without one."""
    cpu_limit_cores: float | None = None
    """The lower of its quota and its cpuset; `None` without either."""
    health: str | None = None
    """Status of its health check: Podman's list has none. `None` without a check."""
    network_mode: str = ""
    """Such as `bridge`, `host`, `none` or `container:ID`; inert."""
    is_oom_killed: bool = False
    """Whether its last run ended because it had no memory left."""
    addresses: tuple[str, ...] = ()
    """Its addresses: Podman's own list has none."""
    restarts: int | None = None
    """How often its restart policy has started it again since somebody started it."""


def to_workload(entry: Mapping[str, Any], engine: str, endpoint: str, facts: Facts | None) -> Workload | None:
    """Return the workload of an entry of `GET /containers/json`; `None` if it has no id."""
    identity = entry.get("Id")
    if not isinstance(identity, str) or not identity:
        return None
    state = state_of(entry.get("State"))
    status = text(entry.get("Status"))
    name = own_name(entry.get("Names"))
    labels = part(entry, "Labels")
    return Workload(
        WorkloadId(engine, sanitize(identity)),
        Kind.CONTAINER,
        name or sanitize(identity)[:12],
        state,
        name_is_known=bool(name),
        image=sanitize(text(entry.get("Image"))) or None,
        project=sanitize_name(text(entry.get("PodName"))) or _project(labels),
        health=_health(part(entry, "Health"), status) or (facts.health if facts and state.is_active else None),
        ports=ports_text(entry.get("Ports")),
        addresses=_addresses(part(entry, "NetworkSettings")) or (facts.addresses if facts else ()),
        restarts=facts.restarts if facts else None,
        endpoint=endpoint,
        started_at=facts.started_at if facts and state.is_active and state is not State.RESTARTING else None,
        exit_code=int(exit_match[1]) if (exit_match := _EXIT.match(status)) else None,
        labels=_labels(labels),
        is_listed=True,
        state_reason=_reason(state, status, facts),
        unmeasured=_unmeasured(facts.network_mode) if facts and state.is_active else (),
        is_sandbox=entry.get("IsInfra") is True,
    )


def was_killed(entry: Mapping[str, Any]) -> bool:
    """Return whether a container of `GET /containers/json` has ended by SIGKILL."""
    return state_of(entry.get("State")) is State.STOPPED and text(entry.get("Status")).startswith("Exited (137)")


def state_of(name: object) -> State:
    """Return the state for its name in Docker or Podman; `UNKNOWN` for anything else."""
    return _STATES.get(text(name).lower(), State.UNKNOWN)


def to_facts(inspection: object) -> Facts:
    """Return start and limits from an answer to `GET /containers/{id}/json`."""
    state, limits = part(inspection, "State"), part(inspection, "HostConfig")
    started = text(state.get("StartedAt"))
    started_ns = parse_time_ns(started)
    return Facts(
        started if started_ns is not None else "",
        None if started_ns is None else started_ns / 1e9,
        positive(limits.get("Memory")),
        _cores(limits),
        _health(part(state, "Health"), ""),
        sanitize(text(limits.get("NetworkMode")), 128),
        state.get("OOMKilled") is True,
        _addresses(part(inspection, "NetworkSettings")),
        _restarts(inspection),
    )


def _restarts(inspection: object) -> int | None:
    restarts = count(part(inspection).get("RestartCount"))
    return restarts if restarts is not None and restarts <= _RESTARTS_AT_MOST else None


def runtime_of(inspection: Mapping[str, Any]) -> object:
    """Return the OCI runtime's name: Podman's own description has it, and `oci` in Docker's place."""
    return inspection.get("OCIRuntime") or part(inspection, "HostConfig").get("Runtime")


def limits_sample(facts: Facts, at_ns: int) -> Sample | None:
    """Return a sample with the container's own limits; `None` if it has none."""
    if facts.memory_limit_bytes is None and facts.cpu_limit_cores is None:
        return None
    return Sample(
        "docker",
        at_ns,
        facts.started,
        memory_limit_bytes=facts.memory_limit_bytes,
        cpu_limit_cores=facts.cpu_limit_cores,
    )


def parse_time_ns(stamp: object) -> int | None:
    """Parse the engine's time (RFC 3339, up to nine decimals) to nanoseconds since 1970.

    `None` for its zero time (year 1) and for anything else.
    """
    match = _TIME.fullmatch(text(stamp))
    if match is None or match[1].startswith("0001"):
        return None
    try:
        second = datetime.fromisoformat(match[1] + match[3])
    except ValueError:
        return None
    return int(second.timestamp()) * 10**9 + int((match[2] or "0").ljust(9, "0"))


def _reason(state: State, status: str, facts: Facts | None) -> str | None:
    """Return why a container does not run, as far as the engine's list and its inspection show it."""
    if state is State.CRASHED:
        return "the engine could not remove it"  # `dead`
    if state is State.STOPPED and facts is not None and facts.is_oom_killed:
        return "out of memory"
    match = _EXIT.match(status) if state in (State.STOPPED, State.RESTARTING) else None
    return f"exit code {match[1]}" if match else None


def _unmeasured(network_mode: str) -> tuple[Unmeasured, ...]:
    """Return why the engine does not report traffic of a container."""
    kind, _, other = network_mode.partition(":")
    cause = _NO_TRAFFIC.get(kind)
    return () if cause is None else (Unmeasured(Topic.NETWORK, cause, other),)


def _addresses(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the container's addresses in its networks, those of IPv4 first."""
    networks = [network for network in part(settings, "Networks").values() if isinstance(network, Mapping)]
    addresses = [
        sanitize(address, 45)
        for field in ("IPAddress", "GlobalIPv6Address")
        for network in networks
        if (address := text(network.get(field)))
    ]
    return tuple(dict.fromkeys(addresses))[:_ADDRESSES_AT_MOST]


def _project(labels: Mapping[str, Any]) -> str | None:
    if project := text(labels.get(_PROJECT)):
        return sanitize_name(project)
    pod = [text(labels.get(key)) for key in _POD]
    return sanitize("/".join(pod)) if all(pod) else None


def _labels(labels: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    keys = sorted(labels, key=lambda key: (key not in _FIRST_LABELS, key))[:LABELS_AT_MOST]
    return tuple((sanitize(key), sanitize(text(labels[key]))) for key in keys)


def _health(check: Mapping[str, Any], status: str) -> str | None:
    health = check.get("Status")
    if health in ("healthy", "unhealthy", "starting"):
        return str(health)
    match = _HEALTH.search(status)
    return match[1] if match else None


def _cores(limits: Mapping[str, Any]) -> float | None:
    candidates: list[float] = []
    if nano := positive(limits.get("NanoCpus")):
        candidates.append(nano / 1e9)
    if quota := positive(limits.get("CpuQuota")):
        candidates.append(quota / (positive(limits.get("CpuPeriod")) or 100_000))
    if cpus := cpu_list(text(limits.get("CpusetCpus")).encode(errors="replace")):
        candidates.append(float(len(cpus)))
    return min(candidates, default=None)
