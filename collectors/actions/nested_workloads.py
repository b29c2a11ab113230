"""Finds the workloads that run inside another one, by control group: they end with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.workloads import Kind, Workload


def below(workload: Workload, workloads: Iterable[Workload]) -> tuple[Workload, ...]:
    """Return the workloads that run inside `workload`, sorted by kind and name.

    Empty for a remote workload: its control groups belong to another kernel.
    """
    group = workload.cgroup or (workload.id.id if workload.kind is Kind.SERVICE else "")
    if workload.endpoint or not group.startswith("/") or group == "/":
        return ()
    nested = [other for other in workloads if _is_inside(other, group) and other.id != workload.id]
    return tuple(sorted(nested, key=lambda other: (other.kind, other.name)))


def _is_inside(workload: Workload, group: str) -> bool:
    is_active_here = bool(workload.cgroup) and not workload.endpoint and workload.state.is_active
    return is_active_here and (workload.cgroup or "").startswith(f"{group}/")
