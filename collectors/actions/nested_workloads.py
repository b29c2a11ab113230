"""Who runs inside a workload, by the control groups: whatever ends it ends them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.workloads import Kind, Workload


def below(workload: Workload, everyone: Iterable[Workload]) -> tuple[Workload, ...]:
    """Return the workloads that run inside one, by name; none of a remote one, whose groups are another kernel's."""
    group = workload.cgroup or (workload.id.id if workload.kind is Kind.SERVICE else "")
    if workload.endpoint or not group.startswith("/") or group == "/":
        return ()
    found = [one for one in everyone if _is_inside(one, group) and one.id != workload.id]
    return tuple(sorted(found, key=lambda one: (one.kind, one.name)))


def _is_inside(workload: Workload, group: str) -> bool:
    is_here = bool(workload.cgroup) and not workload.endpoint and workload.state.is_active
    return is_here and (workload.cgroup or "").startswith(f"{group}/")
