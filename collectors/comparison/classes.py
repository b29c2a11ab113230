"""Bare metal, virtual machines and containers as classes, row by row: each value measured on this host. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.analysis.startup_times import Startup
from collectors.comparison.findings import Finding, findings
from collectors.comparison.window import Past, statistics
from collectors.model.facts import ROWS, Fact, Row, unknown
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Kind, Workload, WorkloadId

_SLOW = ("isolation", "system", "size_bytes", "memory_overhead_bytes")
_NOT_RECORDED = unknown("a session does not record it: it can only be read on a live host")
CLASSES = (Kind.SERVICE, Kind.VM, Kind.CONTAINER)
"""The columns."""


class Member(NamedTuple):
    """One workload of a class, with all that is known of it."""

    workload: Workload
    told: dict[str, Fact]
    """By the keys of `ROWS`."""


class Density(NamedTuple):
    """What a class has been given of the host."""

    total: int
    memory_bytes: float
    """Limits or assigned memory, summed over those that have one."""
    memory_of: int
    """How many have one."""
    cores: float
    cores_of: int


class Classes(NamedTuple):
    """The whole comparison."""

    members: dict[Kind, list[Member]]
    density: dict[Kind, Density]
    cpus: int
    memory_bytes: int
    findings: list[Finding]


def rows_of(classes: Classes) -> list[tuple[Row, dict[Kind, list[tuple[Workload, Fact]]]]]:
    """Return each row with the values of every class."""
    return [
        (
            row,
            {
                kind: [(one.workload, one.told.get(row.key, unknown("no source provides it"))) for one in members]
                for kind, members in classes.members.items()
            },
        )
        for row in ROWS
    ]


def classify(
    pasts: Sequence[Past],
    facts: Mapping[WorkloadId, Mapping[str, Fact]],
    startups: Mapping[WorkloadId, Startup],
    frame: Frame,
) -> Classes:
    """Bring measured values and facts together.

    Args:
        pasts: The workloads over the window.
        facts: The slow facts, by workload.
        startups: The starts that were witnessed.
        frame: The newest, which tells the host's CPUs and memory.
    """
    host = frame.cpus, frame.memory_bytes
    members: dict[Kind, list[Member]] = {kind: [] for kind in CLASSES}
    for past in pasts:
        if past.workload.kind in members:
            identity = past.workload.id
            told = {**measured(past), **started(startups.get(identity)), **facts.get(identity, {})}
            members[past.workload.kind].append(Member(past.workload, told))
    density = {kind: _density([past for past in pasts if past.workload.kind is kind], host) for kind in CLASSES}
    return Classes(members, density, *host, findings(pasts, facts))


def classify_recorded(pasts: Sequence[Past], startups: Mapping[WorkloadId, Startup], frame: Frame) -> Classes:
    """Bring together what a session holds: it has no slow facts."""
    return classify(pasts, {past.workload.id: dict.fromkeys(_SLOW, _NOT_RECORDED) for past in pasts}, startups, frame)


def measured(past: Past) -> dict[str, Fact]:
    """Return what the window tells of a workload: means of metrics."""
    is_vm = past.workload.kind is Kind.VM
    waiting = ("cpu_steal_percent", "cpu_wait_percent") if is_vm else ("cpu_wait_percent",)
    told = {
        "memory_host_bytes": _mean(past, ("memory_host_bytes",)),
        "memory_inside_bytes": _mean(past, ("memory_inside_bytes",)),
        "waiting_percent": _mean(past, waiting),
        "disk_host_bytes_per_second": _sum(past, "disk_read_bytes_per_second", "disk_write_bytes_per_second"),
        "disk_guest_bytes_per_second": unknown("only a virtual machine has a guest side"),
    }
    if is_vm:
        told["cpu_overhead_percent"] = _mean(past, ("cpu_emulator_percent",))
        told["disk_guest_bytes_per_second"] = _sum(
            past, "guest_disk_read_bytes_per_second", "guest_disk_write_bytes_per_second"
        )
    return told


def started(startup: Startup | None) -> dict[str, Fact]:
    """Return the start-up times of a witnessed start."""
    if startup is None:
        why = unknown("no start was observed")
        return {"startup_running_seconds": why, "startup_ready_seconds": why}
    running = (
        Fact(startup.running_s, f"from {startup.how} to the engine's start event")
        if startup.running_s is not None
        else unknown("only its start event was seen")
    )
    ready = (
        Fact(startup.ready_s, f"from {startup.how} to ready, by its {startup.signal}")
        if startup.ready_s is not None
        else unknown("no readiness signal was observed")
    )
    return {"startup_running_seconds": running, "startup_ready_seconds": ready}


def _mean(past: Past, keys: Sequence[str]) -> Fact:
    """Return the mean of the first metric that the window has."""
    for key in keys:
        found = statistics(past.values.get(key, ()))
        if found is not None:
            return Fact(found.mean, f"mean of {METRICS[key].label} over {found.ticks} readings: {METRICS[key].formula}")
    return unknown(METRICS[keys[-1]].missing)


def _sum(past: Past, *keys: str) -> Fact:
    parts = [_mean(past, (key,)) for key in keys]
    known = [part.value for part in parts if isinstance(part.value, float)]
    return Fact(sum(known), parts[0].how) if len(known) == len(parts) else parts[0]


def _density(pasts: Sequence[Past], host: tuple[int, int]) -> Density:
    """Add up what was given; what reaches the host's own size is no limit."""
    cores = _below(pasts, "cpu_limit_cores", host[0])
    memory = _below(pasts, "memory_limit_bytes", host[1])
    return Density(len(pasts), sum(memory), len(memory), sum(cores), len(cores))


def _below(pasts: Sequence[Past], key: str, most: float) -> list[float]:
    """Return the last values of a limit: of a virtual machine any, of others those below the host's size."""
    found = [(past, statistics(past.values[key])) for past in pasts]
    return [
        stats.last
        for past, stats in found
        if stats is not None and (past.workload.kind is Kind.VM or stats.last < most)
    ]
