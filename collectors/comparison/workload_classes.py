"""Compares bare metal, virtual machines and containers as classes; each value is measured on this host. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.analysis.empty_cells import lasting_reason
from collectors.analysis.startup_times import Startup
from collectors.comparison.findings import Finding, findings
from collectors.comparison.window_statistics import Past, statistics
from collectors.model.facts import ROWS, Fact, Row, unknown
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Kind, Workload, WorkloadId

_SLOW = ("isolation", "system", "size_bytes", "memory_overhead_bytes")
_NOT_RECORDED = unknown("a session does not record it: it can only be read on a live host")
CLASSES = (Kind.SERVICE, Kind.VM, Kind.CONTAINER)
"""The columns."""


class Member(NamedTuple):
    """One workload of a class, with its facts."""

    workload: Workload
    facts: dict[str, Fact]
    """By the keys of `ROWS`."""


class Density(NamedTuple):
    """The share of the host that is assigned to a class."""

    total: int
    """Workloads in the class."""
    memory_bytes: float
    """Memory limits or assigned memory, summed over the workloads that have one."""
    memory_of: int
    """Number of workloads with a memory limit."""
    cores: float
    """CPU limits in cores, summed over the workloads that have one."""
    cores_of: int
    """Number of workloads with a CPU limit."""


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
                kind: [
                    (member.workload, member.facts.get(row.key, unknown("no source provides it"))) for member in members
                ]
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
    """Combine measured values and facts.

    Args:
        pasts: The workloads with their values over the window.
        facts: The slow facts, by workload.
        startups: The observed starts, by workload.
        frame: The newest frame, for the host's CPUs and memory.
    """
    sizes = _sizes(frame)
    host = sum(cpus for cpus, _ in sizes.values()), sum(memory_bytes for _, memory_bytes in sizes.values())
    members: dict[Kind, list[Member]] = {kind: [] for kind in CLASSES}
    for past in pasts:
        if past.workload.kind in members:
            identity = past.workload.id
            all_facts = {**measured(past), **started(startups.get(identity)), **facts.get(identity, {})}
            members[past.workload.kind].append(Member(past.workload, all_facts))
    density = {kind: _density([past for past in pasts if past.workload.kind is kind], sizes) for kind in CLASSES}
    return Classes(members, density, *host, findings(pasts, facts))


def classify_recorded(pasts: Sequence[Past], startups: Mapping[WorkloadId, Startup], frame: Frame) -> Classes:
    """Combine the values of a session, which has no slow facts."""
    return classify(pasts, {past.workload.id: dict.fromkeys(_SLOW, _NOT_RECORDED) for past in pasts}, startups, frame)


def measured(past: Past) -> dict[str, Fact]:
    """Return the facts that a window provides: means of metrics."""
    is_vm = past.workload.kind is Kind.VM
    waiting = ("cpu_steal_percent", "cpu_wait_percent") if is_vm else ("cpu_wait_percent",)
    facts = {
        "memory_host_bytes": _mean(past, ("memory_host_bytes",)),
        "memory_inside_bytes": _mean(past, ("memory_inside_bytes",)),
        "waiting_percent": _mean(past, waiting),
        "disk_host_bytes_per_second": _sum(past, "disk_read_bytes_per_second", "disk_write_bytes_per_second"),
        "disk_guest_bytes_per_second": unknown("only a virtual machine has a guest side"),
    }
    if is_vm:
        facts["cpu_overhead_percent"] = _mean(past, ("cpu_emulator_percent",))
        facts["disk_guest_bytes_per_second"] = _sum(
            past, "guest_disk_read_bytes_per_second", "guest_disk_write_bytes_per_second"
        )
    return facts


def started(startup: Startup | None) -> dict[str, Fact]:
    """Return the start-up times of an observed start; unknown for `None`."""
    if startup is None:
        missing = unknown("no start was observed")
        return {"startup_running_seconds": missing, "startup_ready_seconds": missing}
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
        stats = statistics(past.values.get(key, ()))
        if stats is not None:
            return Fact(stats.mean, f"mean of {METRICS[key].label} over {stats.ticks} readings: {METRICS[key].formula}")
    return unknown(lasting_reason(keys[-1], past.workload))


def _sum(past: Past, *keys: str) -> Fact:
    parts = [_mean(past, (key,)) for key in keys]
    values = [part.value for part in parts if isinstance(part.value, float)]
    return Fact(sum(values), parts[0].how) if len(values) == len(parts) else parts[0]


def _sizes(frame: Frame) -> dict[str, tuple[int, int]]:
    """Return the cores and the bytes of memory of each host that was read, by name."""
    sizes = {name: (facts.cpus, facts.memory_bytes) for name, facts in frame.hosts.items() if facts.workload}
    own = frame.host.id.host, (frame.cpus, frame.memory_bytes)  # of one host alone it may be another one
    return dict([own, *sizes.items()]) if frame.host.id in frame.samples or not sizes else sizes


def _density(pasts: Sequence[Past], sizes: Mapping[str, tuple[int, int]]) -> Density:
    """Sum the limits; one that reaches the size of its host is not a limit."""
    cores = _below(pasts, "cpu_limit_cores", {name: cpus for name, (cpus, _) in sizes.items()})
    memory = _below(pasts, "memory_limit_bytes", {name: memory_bytes for name, (_, memory_bytes) in sizes.items()})
    return Density(len(pasts), sum(memory), len(memory), sum(cores), len(cores))


def _below(pasts: Sequence[Past], key: str, sizes: Mapping[str, float]) -> list[float]:
    """Return the last values of a limit: all of virtual machines, of others those below the size of the host."""
    with_stats = [(past, statistics(past.values[key])) for past in pasts]
    return [
        stats.last
        for past, stats in with_stats
        if stats is not None and (past.workload.kind is Kind.VM or stats.last < sizes.get(past.workload.id.host, 0))
    ]
