"""A host's CPU and memory split by kind of workload, so that the parts add up to the host's own totals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from collectors.analysis.columns import Columns
from collectors.model.workloads import Kind, Use, Workload, WorkloadId

if TYPE_CHECKING:
    from collectors.analysis.rates import Reading

_CPU, _MEMORY = "cpu_percent", "memory_host_bytes"
MEASURES = (_CPU, _MEMORY)
"""The metrics that are split: they are needed of every workload."""
_DEEPEST = 16
"""Levels of nesting searched for an ancestor with a value; also ends a loop in a damaged file."""


class Shares(NamedTuple):
    """A quantity of the host, split so that the parts add up to `host`.

    A part is `None` where there are workloads of its kind and none of them can be measured: it is in the rest.
    """

    vm: float | None
    container: float | None
    service: float | None
    rest: float
    """What no workload accounts for: the kernel, processes outside every workload, hugepages that nobody uses, and what
    cannot be measured. Below zero where the workloads' counters say more than the host's."""
    host: float
    """The host's total as it was measured."""
    capacity: float
    """What the host has in all."""


class Ledger(NamedTuple):
    """The host's totals by kind. `None` until there are two samples, or when the host cannot be read."""

    cpu_cores: Shares | None
    memory_bytes: Shares | None


def _measured_ancestor(readings: dict[WorkloadId, Reading], workload: Workload, key: str) -> Reading | None:
    """Return the nearest enclosing workload that has the value, and so counts this one's share as its own."""
    for _ in range(_DEEPEST):
        parent = readings.get(workload.parent) if workload.parent else None
        if parent is None or parent.value(key) is not None:
            return parent
        workload = parent.workload
    return None


def _not_counted_by(parent: Reading, reading: Reading, key: str) -> float:
    """Return the part of a workload's value that is not in its parent's: hugepages known only from its process."""
    if key != _MEMORY or parent.gauge("memory_hugetlb_bytes") is not None:
        return 0.0
    return reading.gauge("memory_hugetlb_bytes") or 0.0


def _split(
    readings: dict[WorkloadId, Reading], values: Sequence[float], key: str, scale: float, total: float, capacity: float
) -> Shares:
    """Split a host total by kind. A nested workload counts under its own kind and is taken out of its parent."""
    parts = dict.fromkeys(Kind, 0.0)
    measured: set[Kind] = set()
    unmeasured: set[Kind] = set()
    for reading, value in zip(readings.values(), values, strict=True):
        workload = reading.workload
        kind = workload.kind
        if workload.endpoint or kind is Kind.HOST:
            continue
        if value != value:
            unmeasured.add(kind)
            continue
        measured.add(kind)
        parts[kind] += value * scale
        parent = _measured_ancestor(readings, workload, key) if workload.parent is not None else None
        if parent is not None:
            parts[parent.workload.kind] -= (value - _not_counted_by(parent, reading, key)) * scale
    unknown = unmeasured - measured
    vm, container, service = (
        None if kind in unknown else max(0.0, parts[kind]) for kind in (Kind.VM, Kind.CONTAINER, Kind.SERVICE)
    )
    rest = total - sum(part for part in (vm, container, service) if part is not None)
    return Shares(vm, container, service, rest, total, capacity)


def ledger(
    host: Reading,
    readings: dict[WorkloadId, Reading],
    cpus: int,
    memory_bytes: int,
    uses: Mapping[Kind, Use] | None = None,
    columns: Mapping[str, Sequence[float]] | None = None,
) -> Ledger:
    """Split the host's CPU (cores) and memory (bytes) into vm + container + service + rest.

    Args:
        host: The host's own reading.
        readings: Those of its workloads.
        cpus: Its cores.
        memory_bytes: Its memory.
        uses: What all workloads use by kind, where `readings` are not all of them.
        columns: The values of `MEASURES` for each of the readings, NaN where not known, if they are already derived.
    """
    cpu, memory = host.value(_CPU), host.value(_MEMORY)
    if uses:
        cores = {kind: use.cores for kind, use in uses.items()}
        sizes = {kind: use.memory_bytes for kind, use in uses.items()}
        return Ledger(
            None if cpu is None else _told(cores, cpu / 100, cpus),
            None if memory is None else _told(sizes, memory, memory_bytes),
        )
    if columns is None:
        of = Columns([*readings.values()]).of
        columns = {key: of(key) for key in MEASURES}
    return Ledger(
        None if cpu is None else _split(readings, columns[_CPU], _CPU, 0.01, cpu / 100, cpus),
        None if memory is None else _split(readings, columns[_MEMORY], _MEMORY, 1.0, memory, memory_bytes),
    )


def _told(parts: Mapping[Kind, float | None], total: float, capacity: float) -> Shares:
    """Return a host total split by what somebody else has added up."""
    vm, container, service = (parts.get(kind, 0.0) for kind in (Kind.VM, Kind.CONTAINER, Kind.SERVICE))
    rest = total - sum(part for part in (vm, container, service) if part is not None)
    return Shares(vm, container, service, rest, total, capacity)


def sum_of(ledgers: Sequence[Ledger]) -> Ledger:
    """Return the ledger of several hosts together: of those that have one."""
    return Ledger(
        _sum([one.cpu_cores for one in ledgers if one.cpu_cores is not None]),
        _sum([one.memory_bytes for one in ledgers if one.memory_bytes is not None]),
    )


def _sum(parts: Sequence[Shares]) -> Shares | None:
    if not parts:
        return None
    vm, container, service = (
        sum(values) if (values := [value for value in column if value is not None]) else None
        for column in list(zip(*parts, strict=True))[:3]
    )
    rest, host, capacity = (sum(column) for column in list(zip(*parts, strict=True))[3:])
    return Shares(vm, container, service, rest, host, capacity)
