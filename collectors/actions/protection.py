"""Workloads that must not fall to a slip: what vmtop runs in, a kubelet's, the host's own services, labelled ones.

Only the configuration can name exceptions; no key does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collectors.actions.essential_services import why_essential
from collectors.actions.own_groups import ancestors_groups, own_groups
from collectors.model.workloads import Kind, Workload
from collectors.safety.permissions import own_containers, read_if_allowed

PROTECT_LABEL = "vmtop.protect"


class Protection:
    """Knows who is protected, and why.

    Args:
        allowed: From the configuration: names, ids or `kind:name` that may be acted on nevertheless.
        proc: Where the kernel tells of processes.
        dmi: Where the firmware tells of the machine.
    """

    def __init__(
        self, allowed: Sequence[str] = (), proc: Path = Path("/proc"), dmi: Path = Path("/sys/class/dmi/id")
    ) -> None:
        self._allowed = frozenset(allowed)
        self._own_containers = own_containers(proc)
        self._own_groups = own_groups(proc)
        self._ancestors_groups = ancestors_groups(proc)
        self._own_domain = read_if_allowed(dmi / "product_uuid").strip().lower()

    def reason(self, workload: Workload, real_name: str = "") -> str:
        """Return why a workload is protected; empty when it is not, or when the configuration allows it.

        Args:
            workload: Who is meant.
            real_name: What its engine calls it, where it is known: a service may have been named by an alias.
        """
        if self._allowed & {workload.name, workload.id.id, f"{workload.kind}:{workload.name}"}:
            return ""
        return self._own(workload) or _kubernetes(workload) or _essential(workload, real_name) or _label(workload)

    def _own(self, workload: Workload) -> str:
        if workload.id.id in self._own_containers:
            return "vmtop itself runs in it"
        if workload.kind is Kind.VM and self._own_domain and workload.id.id.lower() == self._own_domain:
            return "vmtop itself runs in it"
        if workload.endpoint:
            return ""
        if any(_encloses(workload, group) for group in self._own_groups):
            return "vmtop itself runs in it"
        is_above = any(_encloses(workload, group) for group in self._ancestors_groups)
        return "what vmtop was started from runs in it (a shell, sudo, tmux, a login)" if is_above else ""


def _encloses(workload: Workload, group: str) -> bool:
    """Whether a control group is a workload's, or below it.

    A service that is in no list has no known group: its unit is then the outermost in the path, as units of a user's
    own manager are called as they like.
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


def _essential(workload: Workload, real_name: str) -> str:
    if workload.kind is not Kind.SERVICE:
        return ""
    return why_essential(workload.id.id.rpartition("/")[2]) or why_essential(real_name)


def _label(workload: Workload) -> str:
    value = dict(workload.labels).get(PROTECT_LABEL, "").lower()
    return f"its label {PROTECT_LABEL} says so" if value in ("true", "yes", "1") else ""
