"""Limits of Podman's containers, through `POST /libpod/containers/{id}/update`; the kernel says what came of them.

Podman 4 hands the resources of the OCI specification to the container's runtime and forgets them: its own description
keeps what the container was made with. So values are read from the control group where it is on this host. Absent
fields change nothing.

Source: pkg/api/handlers/libpod/containers.go of Podman; config-linux.md of the OCI runtime specification.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.cgroup_limits import Group
from collectors.engines.docker.actions import client_for
from collectors.engines.docker.shell_commands import argument, program
from collectors.engines.host_groups import group_of, host_cpus
from collectors.model.errors import SourceError
from collectors.model.limits import Amount, Lasts, Limit, LimitKey, Setting, Way, cpus_text
from collectors.model.workloads import Workload

if TYPE_CHECKING:
    from collectors.engines.podman.access import PodmanAccess
    from collectors.engines.podman.client import PodmanClient

_OPTIONS = {
    "cpu.quota": "--cpu-quota",
    "cpu.period": "--cpu-period",
    "cpu.shares": "--cpu-shares",
    "cpu.cpus": "--cpuset-cpus",
    "memory.limit": "--memory",
    "memory.swap": "--memory-swap",
}
"""By the field of the OCI specification's `linux.resources`."""
_NO_DISKS = "vmtop does not set it for Podman's containers: use podman update --device-read-bps and the like"
_NO_NETWORK = "Podman limits no networks: use tc(8) on the container's interface"
_ELSEWHERE = "the control group of this container is not on this host, and Podman does not say what it is now"
_NOT_KEPT = (
    "Podman forgets it when the container restarts: set it without --persist, or make the container again with it"
)


class PodmanLimits:
    """Reads the container's control group, and has Podman's runtime change it."""

    settles_s = 2.0

    def __init__(self, access: PodmanAccess) -> None:
        self._access = access

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Read the control group, once the engine has said that the container is there.

        Raises:
            SourceError: The engine does not answer, or the group is not on this host.
        """
        with client_for(self._access, workload) as client:
            client.inspect_container(workload.id.id)
        group = group_of(workload)
        if group is None:
            raise SourceError(_ELSEWHERE, "run vmtop on the container's host")
        found = cgroup.group_limits(group, host_cpus())
        found = {key: limit._replace(settings=_settings(key, group)) for key, limit in found.items()}
        cgroup.unsettable(found, cgroup.DISKS, _NO_DISKS)
        cgroup.unsettable(found, cgroup.NETWORKS, _NO_NETWORK)
        return found

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the resources to send."""
        return new_setting(limit, amount)

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the resources as they were."""
        return Setting(limit.settings, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Update the container."""
        with client_for(self._access, workload) as client:
            podman: PodmanClient = client  # type: ignore[assignment]  # Podman's daemon makes this one
            podman.update_resources(workload.id.id, nested(setting.values))

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the `podman update` with the very values that are sent; Podman 4 has no option for tasks."""
        if key is LimitKey.PIDS:
            return ()
        options = " ".join(f"{_OPTIONS[name]}={shlex.quote(str(value))}" for name, value in setting.values.items())
        return (f"{program(workload, way.address)} update {options} {argument(workload, way.by_id)}",)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """Podman forgets it with the run."""
        return Lasts.RUN

    def cannot_keep(self, workload: Workload) -> str:
        """Podman keeps none."""
        return _NOT_KEPT


def nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return fields such as `cpu.quota` as the nested objects of the OCI specification."""
    resources: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        part, _, field = name.partition(".")
        resources.setdefault(part, {})[field] = value
    return resources


def _settings(key: LimitKey, group: Group) -> dict[str, Any]:
    """Return what would be sent to have the group as it is."""
    match key:
        case LimitKey.CPU:
            return {"cpu.quota": group.quota_us, "cpu.period": group.period_us or cgroup.DEFAULT_PERIOD_US}
        case LimitKey.CPU_WEIGHT:
            return {"cpu.shares": cgroup.shares(group.weight or 100)}
        case LimitKey.CPUSET:
            return {"cpu.cpus": (group.cpus or b"").decode("ascii", "replace").strip() or cpus_text(host_cpus())}
        case LimitKey.MEMORY:
            limit = _bytes(group.memory_bytes)
            has_swap = group.memory_and_swap_bytes is not None
            return {"memory.limit": limit, **({"memory.swap": group.memory_and_swap_bytes} if has_swap else {})}
        case _:
            return {"pids.limit": group.pids}


def _bytes(limit: int | None) -> int | None:
    return cgroup.UNLIMITED_BYTES if limit == -1 else limit


def new_setting(limit: Limit, amount: Amount | None) -> Setting:
    """Return the resources for a new amount. The period stays, and so does the swap that the container may have.

    Raises:
        LimitError: The kernel cannot have it.
    """
    now = limit.settings
    match limit.key:
        case LimitKey.CPU:
            period = int(now["cpu.period"])
            quota = -1 if amount is None else cgroup.quota_us(float(amount), period)
            return Setting({"cpu.quota": quota, "cpu.period": period}, cgroup.cores(quota, period))
        case LimitKey.CPU_WEIGHT:
            weight = 100 if amount is None else float(amount)
            return Setting({"cpu.shares": cgroup.shares(weight)}, None if weight == 100 else weight)
        case LimitKey.CPUSET:
            cpus = cpus_text(host_cpus()) if amount is None else str(amount)
            return Setting({"cpu.cpus": cpus}, cgroup.cpus(cpus, host_cpus()))
        case LimitKey.MEMORY:
            return _memory(now, amount)
        case _:
            return Setting({"pids.limit": -1 if amount is None else int(float(amount))}, amount)


def _memory(now: Mapping[str, Any], amount: Amount | None) -> Setting:
    swap = now.get("memory.swap")
    if amount is None:
        values = {"memory.limit": cgroup.UNLIMITED_BYTES, **({} if swap is None else {"memory.swap": -1})}
        return Setting(values, None)
    new, old = int(float(amount)), now.get("memory.limit")
    if swap is None:
        return Setting({"memory.limit": new}, new)
    has_both = swap > 0 and cgroup.bytes_limit(old) is not None and swap >= old
    return Setting({"memory.limit": new, "memory.swap": new + swap - old if has_both else -1}, new)
