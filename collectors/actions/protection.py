"""Protects workloads from accidents: those that others or vmtop itself depend on, a kubelet's, and labelled ones.

Only the configuration can make exceptions; no key can.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collectors.actions.essential_services import SESSIONS, why_essential
from collectors.actions.own_groups import ancestors_groups, own_groups
from collectors.model.actions import NO_DEPENDENTS, Dependents, Observed
from collectors.model.wording import some
from collectors.model.workloads import Kind, Workload
from collectors.safety.permissions import own_containers, read_if_allowed

PROTECT_LABEL = "vmtop.protect"


class Protection:
    """Decides which workloads are protected, and why.

    Args:
        allowed: Exceptions from the configuration, as names, ids or `kind:name`.
        proc: Where procfs is mounted.
        dmi: Folder with the firmware's description of the machine.
    """

    def __init__(
        self, allowed: Sequence[str] = (), proc: Path = Path("/proc"), dmi: Path = Path("/sys/class/dmi/id")
    ) -> None:
        self._allowed = frozenset(allowed)
        self._own_containers = own_containers(proc)
        self._own_groups = own_groups(proc)
        self._ancestors_groups = ancestors_groups(proc)
        self._own_domain = read_if_allowed(dmi / "product_uuid").strip().lower()

    def reason(
        self,
        workload: Workload,
        seen: Observed | None = None,
        nested: Sequence[Workload] = (),
        dependents: Dependents = NO_DEPENDENTS,
    ) -> str:
        """Return why a workload is protected; empty when it is not, or when the configuration allows it.

        Args:
            workload: The workload to act on.
            seen: What its engine reports: its dependents, and its own name (a service may have been given by an alias).
            nested: The workloads that run inside it.
            dependents: What else depends on it.
        """
        if self.allows(workload.name, workload.id.id, f"{workload.kind}:{workload.name}"):
            return ""
        return (
            self._own(workload)
            or _kubernetes(workload)
            or _essential(workload, seen)
            or _carries(workload, nested)
            or (f"its processes run {some(list(dependents.carried))}" if dependents.carried else "")
            or dependents.session
            or _label(workload)
        )

    def reason_inside(self, workload: Workload) -> str:
        """Return why the single processes of a workload are protected; empty when they are not.

        That vmtop or a session runs in it protects the workload, but not everything in it.
        """
        if self.allows(workload.name, workload.id.id, f"{workload.kind}:{workload.name}"):
            return ""
        essential = _essential(workload, None)
        return _kubernetes(workload) or ("" if essential == SESSIONS else essential) or _label(workload)

    def allows(self, *names: str) -> bool:
        """Return whether the configuration excepts any of these names."""
        return not self._allowed.isdisjoint(names)

    def _own(self, workload: Workload) -> str:
        if workload.id.id in self._own_containers:
            return "vmtop itself runs in it"
        if workload.kind is Kind.VM and self._own_domain and workload.id.id.lower() == self._own_domain:
            return "vmtop itself runs in it"
        if not workload.is_here:
            return ""
        if any(_encloses(workload, group) for group in self._own_groups):
            return "vmtop itself runs in it"
        is_above = any(_encloses(workload, group) for group in self._ancestors_groups)
        return "the shell, sudo, tmux or login that started vmtop runs in it" if is_above else ""


def _encloses(workload: Workload, group: str) -> bool:
    """Return whether a control group is the workload's own, or below it.

    The group of a service that no source lists is unknown. Its unit must then be the outermost one in the path, as
    units of a user's own manager can have any name.
    """
    own = workload.cgroup
    if own is None and workload.kind is Kind.SERVICE:
        outermost = next((part for part in group.split("/") if part.endswith((".service", ".scope"))), "")
        return outermost != "" and outermost == workload.id.id.rpartition("/")[2]
    return own not in (None, "", "/") and (group == own or group.startswith(f"{own}/"))


def _kubernetes(workload: Workload) -> str:
    is_owned = any(key.startswith("io.kubernetes.") for key, _ in workload.labels)
    is_owned = is_owned or "kubepods" in (workload.cgroup or "")
    return "a kubelet owns it and would undo this: use kubectl" if is_owned else ""


def _essential(workload: Workload, seen: Observed | None) -> str:
    if workload.kind is not Kind.SERVICE:
        return ""
    own_reason = why_essential(workload.id.id.rpartition("/")[2]) or why_essential(seen.name if seen else "")
    essential = [unit for unit in (seen.dependents if seen else ()) if why_essential(unit)]
    return own_reason or (f"{some(essential)} would stop or restart with it" if essential else "")


def _carries(workload: Workload, nested: Sequence[Workload]) -> str:
    """Return which workloads run inside a service. For a container or VM that is a warning: it is what they are for."""
    if workload.kind is not Kind.SERVICE or not nested:
        return ""
    return f"{some([f'{inner.kind} {inner.name}' for inner in nested])} run inside it"


def _label(workload: Workload) -> str:
    value = dict(workload.labels).get(PROTECT_LABEL, "").lower()
    return f"its label {PROTECT_LABEL} is set" if value in ("true", "yes", "1") else ""
