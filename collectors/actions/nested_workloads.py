"""Finds the workloads that depend on another one: those inside its control group, and those on its network. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.unmeasured import Cause
from collectors.model.workloads import Kind, Workload


def below(workload: Workload, workloads: Iterable[Workload]) -> tuple[Workload, ...]:
    """Return the workloads that run inside `workload`, sorted by kind and name.

    Empty for a remote workload: its control groups belong to another kernel.
    """
    group = workload.cgroup or (workload.id.id if workload.kind is Kind.SERVICE else "")
    if not workload.is_here or not group.startswith("/") or group == "/":
        return ()
    nested = [other for other in workloads if _is_inside(other, workload, group) and other.id != workload.id]
    return tuple(sorted(nested, key=lambda other: (other.kind, other.name)))


def _is_inside(other: Workload, outer: Workload, group: str) -> bool:
    """Return whether a workload is in a cgroup below another's, or is a process in it, as some machines are."""
    is_active_here = other.is_here and other.state.is_active
    return is_active_here and ((other.cgroup or "").startswith(f"{group}/") or other.parent == outer.id)


def network_users(workload: Workload, workloads: Iterable[Workload]) -> tuple[str, ...]:
    """Return the names of the active workloads that have no network but that of `workload`, sorted.

    Their engine names it (`docker run --network container:NAME`): when it ends, its interfaces go.
    """
    names = {workload.id.id, workload.name}
    others = (other for other in workloads if other.id != workload.id and other.state.is_active)
    neighbours = (
        other
        for other in others
        if (other.id.engine, other.id.host, other.endpoint) == (workload.id.engine, workload.id.host, workload.endpoint)
    )
    return tuple(
        sorted(
            other.name
            for other in neighbours
            if any(note.cause == Cause.SHARED_NETWORK and note.detail in names for note in other.unmeasured)
        )
    )
