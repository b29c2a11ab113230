"""Turns the engine's answers about containers into workloads and limits. Pure; every field of an answer is optional."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from collectors.kernel.cgroup.parsers import cpuset_count
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import items, objects, part, positive, text

LABELS_AT_MOST = 32
_PORTS_AT_MOST = 8
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
"""What Docker and Podman call them."""
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_EXIT = re.compile(r"(?:Exited|Restarting) \((-?\d{1,10})\)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What only an inspection tells, and what stays the same until the container is started or updated."""

    started: str = ""
    """Its start, in the engine's words; empty if never."""
    started_at: float | None = None
    memory_limit_bytes: int | None = None
    """Its own limit; `None` without one."""
    cpu_limit_cores: float | None = None
    """The lower of its quota and its cpuset; `None` without either."""


def to_workload(entry: Mapping[str, Any], engine: str, endpoint: str, facts: Facts | None) -> Workload | None:
    """Describe one entry of `GET /containers/json`; `None` if it has no id."""
    identity = entry.get("Id")
    if not isinstance(identity, str) or not identity:
        return None
    state = state_of(entry.get("State"))
    status = text(entry.get("Status"))
    name = _name(entry.get("Names"))
    labels = part(entry, "Labels")
    return Workload(
        WorkloadId(engine, sanitize(identity)),
        Kind.CONTAINER,
        name or sanitize(identity)[:12],
        state,
        name_is_known=bool(name),
        image=sanitize(text(entry.get("Image"))) or None,
        project=_project(labels),
        health=_health(entry, status),
        ports=ports_text(entry.get("Ports")),
        endpoint=endpoint,
        started_at=facts.started_at if facts and state.is_active else None,
        exit_code=int(found[1]) if (found := _EXIT.match(status)) else None,
        labels=_labels(labels),
    )


def state_of(word: object) -> State:
    """Return the state that Docker or Podman means by a word."""
    return _STATES.get(text(word).lower(), State.UNKNOWN)


def to_facts(inspection: object) -> Facts:
    """Take start and limits from `GET /containers/{id}/json`."""
    state, limits = part(inspection, "State"), part(inspection, "HostConfig")
    started = text(state.get("StartedAt"))
    started_ns = parse_time_ns(started)
    return Facts(
        started if started_ns is not None else "",
        None if started_ns is None else started_ns / 1e9,
        positive(limits.get("Memory")),
        _cores(limits),
    )


def limits_sample(facts: Facts, at_ns: int) -> Sample | None:
    """Make a sample of the container's own limits; `None` when it has none."""
    if facts.memory_limit_bytes is None and facts.cpu_limit_cores is None:
        return None
    return Sample(
        "docker",
        at_ns,
        facts.started,
        memory_limit_bytes=facts.memory_limit_bytes,
        cpu_limit_cores=facts.cpu_limit_cores,
    )


def ports_text(ports: object) -> str | None:
    """Write published ports as `8080→80/tcp` (host→container), then the others as `5432/tcp`.

    An address family or interface of its own makes no second entry. `None` without ports.
    """
    texts: dict[str, tuple[bool, int]] = {}
    for port in objects(ports):
        if (inside := positive(port.get("PrivatePort"))) is None:
            continue
        outside = positive(port.get("PublicPort"))
        kind = sanitize(text(port.get("Type")) or "tcp", 8)
        shown = f"{inside}/{kind}" if outside is None else f"{outside}→{inside}/{kind}"
        texts[shown] = (outside is None, outside or inside)
    ordered = sorted(texts, key=lambda shown: texts[shown])
    more = ["…"] if len(ordered) > _PORTS_AT_MOST else []
    return ", ".join(ordered[:_PORTS_AT_MOST] + more) or None


def parse_time_ns(stamp: object) -> int | None:
    """Turn the engine's time (RFC 3339, up to nine decimals) into nanoseconds since 1970; `None` for its zero."""
    found = _TIME.fullmatch(text(stamp))
    if found is None or found[1].startswith("0001"):
        return None
    try:
        whole = datetime.fromisoformat(found[1] + found[3])
    except ValueError:
        return None
    return int(whole.timestamp()) * 10**9 + int((found[2] or "0").ljust(9, "0"))


def _name(names: object) -> str:
    """Choose the container's own name: others have a second slash, from a link of another container."""
    known = [name for name in items(names) if isinstance(name, str)]
    own = [name for name in known if name.count("/") <= 1]
    return sanitize((own or known or [""])[0].lstrip("/"))


def _project(labels: Mapping[str, Any]) -> str | None:
    if project := text(labels.get(_PROJECT)):
        return sanitize(project)
    pod = [text(labels.get(key)) for key in _POD]
    return sanitize("/".join(pod)) if all(pod) else None


def _labels(labels: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    keys = sorted(labels, key=lambda key: (key not in _FIRST_LABELS, key))[:LABELS_AT_MOST]
    return tuple((sanitize(key), sanitize(text(labels[key]))) for key in keys)


def _health(entry: Mapping[str, Any], status: str) -> str | None:
    said = part(entry, "Health").get("Status")
    if said in ("healthy", "unhealthy", "starting"):
        return str(said)
    found = _HEALTH.search(status)
    return found[1] if found else None


def _cores(limits: Mapping[str, Any]) -> float | None:
    known: list[float] = []
    if nano := positive(limits.get("NanoCpus")):
        known.append(nano / 1e9)
    if quota := positive(limits.get("CpuQuota")):
        known.append(quota / (positive(limits.get("CpuPeriod")) or 100_000))
    if cpus := cpuset_count(text(limits.get("CpusetCpus")).encode(errors="replace")):
        known.append(float(cpus))
    return min(known, default=None)
