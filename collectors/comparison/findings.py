"""Findings from measured facts and a window of history: sentences with evidence, never instructions. Pure.

`RULES` is the one table of them. A rule needs enough readings, and reports nothing about unknown values.
"""

from __future__ import annotations

import statistics as stdlib_statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from collectors.comparison.window_statistics import Past, Statistics, statistics
from collectors.model.facts import Fact
from collectors.model.workloads import Kind, State, WorkloadId

READINGS = 30
"""Readings that a rule needs to judge a window."""
KEYS = (
    "memory_host_bytes", "memory_inside_bytes", "memory_of_limit_percent", "cpu_of_limit_percent",
    "cpu_throttled_percent", "cpu_wait_percent", "vcpus",
)  # fmt: skip
"""The metrics that rules read."""
_SMALL_USE = 0.1
_SYSTEMS_LIKE_THE_HOST = (
    "alpine", "alma", "amazon linux", "arch", "centos", "debian", "fedora", "gentoo", "linux mint", "nixos", "opensuse",
    "oracle", "raspbian", "red hat", "rhel", "rocky", "sles", "suse", "ubuntu",
)  # fmt: skip
"""Systems whose programs run on a Linux host's kernel as they are."""
_HALF = 50.0
_THROTTLED = 20.0
_TOGETHER, _STALLED = 0.8, 5.0
_WALLS = ("pid", "net", "ipc")
_AT_MOST = 50

Facts = Mapping[WorkloadId, Mapping[str, Fact]]


class Finding(NamedTuple):
    """One sentence about one or two workloads."""

    rule: str
    names: tuple[str, ...]
    sentence: str
    evidence: str


class Rule(NamedTuple):
    """A condition and what reports it."""

    id: str
    condition: str
    source: str
    """Where its values come from."""
    find: Callable[[Sequence[Past], Facts], Iterator[Finding]]


def findings(pasts: Sequence[Past], facts: Facts) -> list[Finding]:
    """Return the findings of running workloads in the order of the rules, at most `_AT_MOST`."""
    running = [past for past in pasts if past.workload.state is State.RUNNING]
    return [finding for rule in RULES for finding in rule.find(running, facts)][:_AT_MOST]


def _stats(past: Past, key: str, least: int = READINGS) -> Statistics | None:
    stats = statistics(past.values.get(key, ()))
    return stats if stats is not None and stats.ticks >= least else None


def _size(value: float) -> str:
    return f"{value / (1 << 20):,.0f} MiB"


def _could_be_container(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        paid, inside = _stats(past, "memory_host_bytes"), _stats(past, "memory_inside_bytes")
        system = facts.get(past.workload.id, {}).get("system")
        name = str(system.value or "").lower() if system is not None else ""
        if past.workload.kind is not Kind.VM or paid is None or inside is None or not name:
            continue
        if inside.p95 <= paid.mean * _SMALL_USE and name.startswith(_SYSTEMS_LIKE_THE_HOST):
            yield Finding(
                "vm-could-be-container",
                (past.workload.name,),
                f"{past.workload.name} could be a container: its programs use at most a tenth of the memory it holds, "
                "and it runs a Linux distribution",
                f"inside p95 {_size(inside.p95)} of {_size(paid.mean)} held, {inside.ticks} readings; system: {name}",
            )


def _isolates_nothing(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        own_facts = facts.get(past.workload.id, {})
        privileged, shared = own_facts.get("is_privileged"), own_facts.get("namespaces_shared")
        if past.workload.kind is not Kind.CONTAINER or privileged is None or shared is None or not privileged.value:
            continue
        if set(_WALLS) <= set(str(shared.value or "").split()):
            yield Finding(
                "container-isolates-nothing",
                (past.workload.name,),
                f"{past.workload.name} is privileged and shares the host's namespaces: nothing isolates it; a virtual "
                "machine would",
                f"privileged ({privileged.how}); shares {shared.value} ({shared.how})",
            )


def _limit_unused(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        for key, resource in (("memory_of_limit_percent", "memory"), ("cpu_of_limit_percent", "CPU")):
            used = _stats(past, key)
            if used is not None and used.p95 < _HALF:
                yield Finding(
                    f"{resource.lower()}-limit-unused",
                    (past.workload.name,),
                    f"{past.workload.name} uses less than half of its {resource} limit",
                    f"p95 {used.p95:.0f} %, max {used.max:.0f} % of the limit, {used.ticks} readings",
                )


def _throttles(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        throttled = _stats(past, "cpu_throttled_percent", 10)
        if throttled is not None and throttled.mean >= _THROTTLED:
            yield Finding(
                "quota-throttles",
                (past.workload.name,),
                f"{past.workload.name} is throttled by its CPU quota",
                f"{throttled.mean:.0f} % of periods throttled on average, {throttled.ticks} readings",
            )


def _balloon_silent(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        has_readings = _stats(past, "vcpus", 3) is not None
        if past.workload.kind is Kind.VM and has_readings and statistics(past.values["memory_inside_bytes"]) is None:
            yield Finding(
                "balloon-silent",
                (past.workload.name,),
                f"{past.workload.name} does not report its memory: what its programs use is unknown",
                "no balloon statistics in the window (dommemstat has no available and usable)",
            )


def _stall_together(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    waiting = []
    for past in pasts:
        stats = _stats(past, "cpu_wait_percent")
        if stats is not None and stats.mean >= _STALLED:
            waiting.append(past)
    for first, second in combinations(waiting[:_AT_MOST], 2):
        by_wall = [dict(zip(past.walls, past.values["cpu_wait_percent"], strict=True)) for past in (first, second)]
        pairs = [(a, b) for wall, a in by_wall[0].items() if a is not None and (b := by_wall[1].get(wall)) is not None]
        coefficient = correlation(pairs)
        if len(pairs) >= READINGS and coefficient is not None and coefficient >= _TOGETHER:
            yield Finding(
                "stall-together",
                (first.workload.name, second.workload.name),
                f"{first.workload.name} and {second.workload.name} wait for the CPU at the same time",
                f"correlation of WAIT% {coefficient:.2f} over {len(pairs)} readings",
            )


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation, -1 to 1; `None` for fewer than two pairs, or if one side is constant."""
    try:
        return stdlib_statistics.correlation(*zip(*pairs, strict=True)) if len(pairs) > 1 else None
    except stdlib_statistics.StatisticsError:  # a side is constant
        return None


RULES: tuple[Rule, ...] = (
    Rule(
        "vm-could-be-container",
        "inside p95 is at most a tenth of what the host holds for it, and the system is a Linux distribution",
        "balloon report, cgroup memory, guest agent or libosinfo",
        _could_be_container,
    ),
    Rule(
        "container-isolates-nothing",
        "privileged, and pid, net and ipc namespaces are the host's",
        "engine, /proc/<pid>/ns",
        _isolates_nothing,
    ),
    Rule("limit-unused", "p95 stays below half of a limit", "cgroup limits", _limit_unused),
    Rule("quota-throttles", "at least 20 % of quota periods are throttled", "cpu.stat", _throttles),
    Rule("balloon-silent", "a running VM has no balloon report", "libvirt balloon statistics", _balloon_silent),
    Rule("stall-together", "WAIT% of two correlates at 0.8 or more, 5 % or more each", "PSI", _stall_together),
)
"""In the order in which findings are shown."""
