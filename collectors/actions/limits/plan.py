"""What a change of limits would mean: what is there now, what is sent, what speaks against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.model.actions import Observed, Result
from collectors.model.limit_changes.plans import Plan, PlannedChange, Use
from collectors.model.limits import (
    LIMITS,
    Amount,
    EngineLimits,
    Limit,
    LimitError,
    LimitKey,
    Setting,
    Way,
    write_amount,
)
from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize

_LONGEST = 4000
"""Characters of a command: one of LXC has a whole path."""


def impossible(
    workload: Workload,
    new: Mapping[LimitKey, Amount | None],
    way: Way,
    objection: str,
    remedy: str = "",
    kind: Result = Result.REFUSED,
    seen: Observed | None = None,
) -> Plan:
    """Return a plan of which nothing can be done, and why."""
    changes = [
        PlannedChange(key, Limit(key, is_measured=False), amount, None, objection=objection)
        for key, amount in new.items()
    ]
    return Plan(workload, seen, tuple(changes), way, objection, remedy, kind)


def plan_change(
    workload: Workload,
    limits: EngineLimits,
    now: Mapping[LimitKey, Limit],
    key: LimitKey,
    new: Amount | None,
    way: Way,
    use: Use,
    also_vcpus: bool = False,
) -> PlannedChange:
    """Return what one change would mean.

    Args:
        workload: The workload.
        limits: Its engine.
        now: Its limits as they are.
        key: The limit.
        new: The amount that is asked for; `None` for no limit.
        way: How it is set.
        use: What the workload uses.
        also_vcpus: Whether it is the quota of a virtual machine whose number of virtual CPUs would change with it.
    """
    limit = now.get(key, Limit(key, is_measured=False))
    if workload.kind not in LIMITS[key].kinds or key not in now:
        return PlannedChange(key, limit, new, None, objection=_no_such(workload, key))
    if limit.objection:
        return PlannedChange(key, limit, new, None, objection=limit.objection)
    if also_vcpus:
        objection = "its quota is that of each virtual CPU: set vcpus first, and cpu when that is done"
        return PlannedChange(key, limit, new, None, objection=objection)
    if way.is_kept and (objection := limits.cannot_keep(workload)):
        return PlannedChange(key, limit, new, None, objection=objection)
    if limit.most is not None and isinstance(new, int | float) and new > limit.most:
        objection = f"it can have {write_amount(key, limit.most)} at most{_how_to_more(workload)}"
        return PlannedChange(key, limit, new, None, objection=objection)
    try:
        setting = limits.setting(workload, limit, new)
    except LimitError as error:
        return PlannedChange(key, limit, new, None, objection=str(error))
    return PlannedChange(
        key,
        limit,
        new,
        setting,
        (*setting.warnings, *warnings(workload, key, setting.amount, use)),
        inert_commands(workload, limits, key, setting, way),
        limits.lasts(workload, way),
    )


def inert_commands(
    workload: Workload, limits: EngineLimits, key: LimitKey, setting: Setting, way: Way
) -> tuple[str, ...]:
    """Return the engine's commands for people to see: names of devices in them come from outside."""
    return tuple(sanitize(command, _LONGEST) for command in limits.commands(workload, key, setting, way))


def _how_to_more(workload: Workload) -> str:
    """Return what a maximum is raised by; of a container it is the host's."""
    return ": more needs a change of its definition and a new start" if workload.kind is Kind.VM else ""


def _no_such(workload: Workload, key: LimitKey) -> str:
    if key is LimitKey.VCPUS:
        return "only a virtual machine has virtual CPUs: use cpu= or cpuset="
    if workload.kind is Kind.VM:
        return f"a virtual machine has no limit {key}: its guest decides"
    return f"{workload.id.engine} has no limit {key} for it"


def warnings(workload: Workload, key: LimitKey, new: Amount | None, use: Use) -> tuple[str, ...]:
    """Return what an amount below the workload's use leads to, as sentences; none where the use is not measured."""
    if not isinstance(new, int | float):
        return ()
    if key is LimitKey.MEMORY:
        return _memory_warnings(workload, new, use)
    if key is LimitKey.CPU and use.cpu_cores is not None and new < use.cpu_cores:
        used = write_amount(key, round(use.cpu_cores, 2))
        return (f"It uses {used} cores ({use.over}): it will be slowed down at once.",)
    if key is LimitKey.CPU and use.cpu_most_cores is not None and new < use.cpu_most_cores:
        return (f"It has used {use.cpu_most_cores:.2f} cores at most: it will be slowed down then.",)
    if key is LimitKey.PIDS and use.pids is not None and new <= use.pids:
        return (f"It has {use.pids:.0f} tasks: it cannot start any more.",)
    return ()


def _memory_warnings(workload: Workload, new: float, use: Use) -> tuple[str, ...]:
    is_vm = workload.kind is Kind.VM
    if use.memory_bytes is not None and new < use.memory_bytes:
        used = _size(use.memory_bytes)
        effect = "its guest will swap, or kill processes" if is_vm else "it may be killed at once (out of memory)"
        return (f"It uses {used} ({use.over}), more than that: {effect}.",)
    if use.memory_most_bytes is not None and new < use.memory_most_bytes:
        effect = "its guest would swap, or kill processes" if is_vm else "it would be killed (out of memory)"
        return (f"It has used {_size(use.memory_most_bytes)} at most: {effect} when it does again.",)
    return ()


def _size(amount: float) -> str:
    """Return bytes in whole MiB: use is no limit, and nobody types it again."""
    return f"{amount / (1 << 20):,.0f} MiB"
