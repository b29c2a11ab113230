"""Sentences that follow from measured facts and a window of history: each with its evidence, none an order. Pure.

`RULES` is the one table of them. A rule speaks only when it has enough readings, and says nothing of what is unknown.
"""

from __future__ import annotations

import statistics as stdlib_statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from collectors.comparison.window import Past, Statistics, statistics
from collectors.model.facts import Fact
from collectors.model.workloads import Kind, State, WorkloadId

READINGS = 30
"""Readings that a rule about a course of time needs."""
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
    """One sentence, of one workload or of two."""

    rule: str
    names: tuple[str, ...]
    sentence: str
    evidence: str


class Rule(NamedTuple):
    """When something is said."""

    id: str
    condition: str
    source: str
    """What it is drawn from."""
    find: Callable[[Sequence[Past], Facts], Iterator[Finding]]


def findings(pasts: Sequence[Past], facts: Facts) -> list[Finding]:
    """Return what the rules find, in their order; bounded."""
    running = [past for past in pasts if past.workload.state is State.RUNNING]
    found = [finding for rule in RULES for finding in rule.find(running, facts)]
    return found[:_AT_MOST]


def _stats(past: Past, key: str, least: int = READINGS) -> Statistics | None:
    found = statistics(past.values.get(key, ()))
    return found if found is not None and found.ticks >= least else None


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
                f"{past.workload.name} could be a container: its programs use a tenth of what it holds, and its system "
                "is of the host's family",
                f"inside p95 {_size(inside.p95)} of {_size(paid.mean)} held, {inside.ticks} readings; system: {name}",
            )


def _isolates_nothing(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        told = facts.get(past.workload.id, {})
        privileged, shared = told.get("is_privileged"), told.get("namespaces_shared")
        if past.workload.kind is not Kind.CONTAINER or privileged is None or shared is None or not privileged.value:
            continue
        if set(_WALLS) <= set(str(shared.value or "").split()):
            yield Finding(
                "container-isolates-nothing",
                (past.workload.name,),
                f"{past.workload.name} is privileged in the host's namespaces: it isolates nothing; a virtual machine "
                "would",
                f"privileged ({privileged.how}); shares {shared.value} ({shared.how})",
            )


def _limit_unused(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        for key, what in (("memory_of_limit_percent", "memory"), ("cpu_of_limit_percent", "CPU")):
            used = _stats(past, key)
            if used is not None and used.p95 < _HALF:
                yield Finding(
                    f"{what.lower()}-limit-unused",
                    (past.workload.name,),
                    f"{past.workload.name} does not reach half of its {what} limit",
                    f"p95 {used.p95:.0f} %, highest {used.max:.0f} % of the limit, {used.ticks} readings",
                )


def _throttles(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        throttled = _stats(past, "cpu_throttled_percent", 10)
        if throttled is not None and throttled.mean >= _THROTTLED:
            yield Finding(
                "quota-throttles",
                (past.workload.name,),
                f"{past.workload.name} is held back by its CPU quota",
                f"{throttled.mean:.0f} % of periods throttled on average, {throttled.ticks} readings",
            )


def _balloon_silent(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    for past in pasts:
        is_seen = _stats(past, "vcpus", 3) is not None
        if past.workload.kind is Kind.VM and is_seen and statistics(past.values["memory_inside_bytes"]) is None:
            yield Finding(
                "balloon-silent",
                (past.workload.name,),
                f"{past.workload.name} does not report its memory: what its programs use is not known",
                "no balloon statistics in the window (dommemstat has no available and usable)",
            )


def _stall_together(pasts: Sequence[Past], facts: Facts) -> Iterator[Finding]:
    waiting = []
    for past in pasts:
        found = _stats(past, "cpu_wait_percent")
        if found is not None and found.mean >= _STALLED:
            waiting.append(past)
    for one, other in combinations(waiting[:_AT_MOST], 2):
        first, second = (dict(zip(two.walls, two.values["cpu_wait_percent"], strict=True)) for two in (one, other))
        pairs = [(a, b) for wall, a in first.items() if a is not None and (b := second.get(wall)) is not None]
        likeness = correlation(pairs)
        if len(pairs) >= READINGS and likeness is not None and likeness >= _TOGETHER:
            yield Finding(
                "stall-together",
                (one.workload.name, other.workload.name),
                f"{one.workload.name} and {other.workload.name} wait for the CPU at the same times",
                f"correlation of WAIT% {likeness:.2f} over {len(pairs)} readings",
            )


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation; `None` where a side does not change."""
    try:
        return stdlib_statistics.correlation(*zip(*pairs, strict=True)) if len(pairs) > 1 else None
    except stdlib_statistics.StatisticsError:  # a side is constant
        return None


RULES: tuple[Rule, ...] = (
    Rule(
        "vm-could-be-container",
        "inside p95 is at most a tenth of what the host holds, and the system is a Linux distribution",
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
    Rule("balloon-silent", "a running machine has no balloon report", "libvirt balloon statistics", _balloon_silent),
    Rule("stall-together", "WAIT% of two correlates by 0.8 or more, 5 % or more each", "PSI", _stall_together),
)
"""In the order in which findings are told."""
