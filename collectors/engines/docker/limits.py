"""Limits of containers through `POST /containers/{id}/update`, which Docker keeps with the container.

A field that is 0 or empty changes nothing there, so that some limits cannot be taken away: the container is then given
all that the host has. The quota of a container that was run with `--cpus` is in `NanoCpus`, and Docker refuses the
other form for it; any other container's is in `CpuQuota` and keeps its period. A limit of memory moves `MemorySwap`
with it.

Source: https://docs.docker.com/reference/api/engine/, "Update a container"; daemon/update_linux.go of Moby.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.docker.actions import client_for
from collectors.engines.docker.shell_commands import argument, program
from collectors.model.errors import SourceDown
from collectors.model.limits import Amount, Lasts, Limit, LimitError, LimitKey, Setting, Way, cpus_text
from collectors.model.workloads import Workload
from collectors.safety.untrusted import count, part, positive, text, whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_OPTIONS = {
    "NanoCpus": "--cpus",
    "CpuQuota": "--cpu-quota",
    "CpuPeriod": "--cpu-period",
    "CpuShares": "--cpu-shares",
    "CpusetCpus": "--cpuset-cpus",
    "Memory": "--memory",
    "MemorySwap": "--memory-swap",
    "PidsLimit": "--pids-limit",
}
_FIELDS = {
    LimitKey.CPU: ("NanoCpus", "CpuQuota", "CpuPeriod"),
    LimitKey.CPU_WEIGHT: ("CpuShares",),
    LimitKey.CPUSET: ("CpusetCpus",),
    LimitKey.MEMORY: ("Memory", "MemorySwap"),
    LimitKey.PIDS: ("PidsLimit",),
}
_ENDLESS_MEMORY = {"Memory": 1 << 62, "MemorySwap": cgroup.UNLIMITED_BYTES}
"""More than any host has: Docker refuses -1 for memory, and does not pass on -1 for both, which would then stay below.
Their difference is what version 2 lets the container swap."""
_HOST_CPUS = "host_cpus"
"""In `Limit.settings`: how many CPUs the engine's host has; Docker takes no more."""
_NO_DISKS = "Docker sets it only when a container is made: run it again with --device-read-bps and the like"
_NO_NETWORK = "Docker limits no networks: use tc(8) on the container's interface"
_NOTHING_ELSE = "Docker cannot take this limit away: it is given all {0} of the host, which is no limit in effect."


class DockerLimits:
    """Reads what the engine has for a container, and updates it."""

    settles_s = 2.0

    def __init__(self, access: DockerAccess) -> None:
        self._access = access

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Inspect the container."""
        with client_for(self._access, workload) as client:
            inspection: Any = client.inspect_container(workload.id.id)
            about: Any = client.info()
        if not isinstance(inspection, Mapping):
            raise SourceDown("the engine sent an invalid answer")
        return limits_in(part(inspection, "HostConfig"), positive(part(about).get("NCPU")))

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the fields to send."""
        return new_setting(limit, amount)

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the fields that put a limit back, as far as Docker takes them."""
        return old_setting(limit)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Update the container."""
        with client_for(self._access, workload) as client:
            address = f"{client.base_url}/v{client.api_version}/containers/{workload.id.id}/update"
            response = client.post(address, json=dict(setting.values), timeout=client.timeout)
            client._raise_for_status(response)

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the `docker update` with the very values that are sent."""
        options = " ".join(_option(name, value) for name, value in setting.values.items())
        return (f"{program(workload, way.address)} update {options} {argument(workload, way.by_id)}",)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """Docker keeps it with the container."""
        return Lasts.ALWAYS

    def cannot_keep(self, workload: Workload) -> str:
        """Docker keeps every limit."""
        return ""


def _option(name: str, value: Any) -> str:
    written = f"{value / 1e9:.9f}".rstrip("0").rstrip(".") if name == "NanoCpus" else str(value)
    return f"{_OPTIONS[name]}={shlex.quote(written)}"


def limits_in(host_config: Mapping[str, Any], host_cpus: int | None) -> dict[LimitKey, Limit]:
    """Return the limits in a container's `HostConfig`; a field that is no number is not measured."""
    values: dict[LimitKey, Amount | None] = {key: amount_of(key, host_config, host_cpus) for key in _FIELDS}
    found = {}
    for key, value in values.items():
        settings = {name: host_config[name] for name in _FIELDS[key] if name in host_config}
        is_known = all(_is_known(name, host_config.get(name)) for name in _FIELDS[key])
        most = float(host_cpus) if key is LimitKey.CPU and host_cpus else None
        found[key] = Limit(
            key, value, is_known, cgroup.objection_to(is_known), most, {**settings, _HOST_CPUS: host_cpus}
        )
    cgroup.unsettable(found, cgroup.DISKS, _NO_DISKS)
    cgroup.unsettable(found, cgroup.NETWORKS, _NO_NETWORK)
    return found


def _is_known(name: str, value: object) -> bool:
    if value is None:
        return True  # an engine leaves out what is not set
    return isinstance(value, str) if name == "CpusetCpus" else whole_number(value) is not None


def amount_of(key: LimitKey, fields: Mapping[str, Any], host_cpus: int | None) -> Amount | None:
    """Return what fields of a `HostConfig` amount to; `None` is no limit."""
    match key:
        case LimitKey.CPU:
            if nano := positive(fields.get("NanoCpus")):
                return None if host_cpus and nano >= host_cpus * 10**9 else nano / 1e9
            return cgroup.cores(whole_number(fields.get("CpuQuota")), count(fields.get("CpuPeriod")))
        case LimitKey.CPU_WEIGHT:
            return cgroup.weight(count(fields.get("CpuShares")))
        case LimitKey.CPUSET:
            return cgroup.cpus(text(fields.get("CpusetCpus")), frozenset(range(host_cpus or 1 << 20)))
        case LimitKey.MEMORY:
            return cgroup.bytes_limit(whole_number(fields.get("Memory")))
        case _:
            return positive(fields.get("PidsLimit"))


def new_setting(limit: Limit, amount: Amount | None) -> Setting:
    """Return the fields for a new amount.

    Raises:
        LimitError: Docker cannot have it.
    """
    key, now = limit.key, limit.settings
    host_cpus = positive(now.get(_HOST_CPUS))
    match key:
        case LimitKey.CPU:
            return _cpu(now, amount, host_cpus)
        case LimitKey.CPU_WEIGHT:
            return _setting(
                key, {"CpuShares": cgroup.DEFAULT_SHARES if amount is None else cgroup.shares(float(amount))}
            )
        case LimitKey.CPUSET if amount is None:
            if host_cpus is None:
                raise LimitError("the engine does not say how many CPUs its host has: name all of them")
            everything = cpus_text(range(host_cpus))
            words = (_NOTHING_ELSE.format(f"{host_cpus} CPUs"),)
            return Setting({"CpusetCpus": everything}, None, words)
        case LimitKey.CPUSET:
            if amount == "0" and host_cpus == 1:
                return Setting({"CpusetCpus": amount}, None)
            return Setting({"CpusetCpus": amount}, cgroup.cpus(str(amount), frozenset(range(host_cpus or 1 << 20))))
        case LimitKey.MEMORY:
            return _memory(now, amount)
        case _:
            return _setting(key, {"PidsLimit": -1 if amount is None else int(float(amount))})


def _setting(key: LimitKey, values: Mapping[str, Any]) -> Setting:
    return Setting(values, amount_of(key, values, None))


def _cpu(now: Mapping[str, Any], amount: Amount | None, host_cpus: int | None) -> Setting:
    if positive(now.get("NanoCpus")):
        if amount is not None:
            return Setting({"NanoCpus": round(float(amount) * 1e9)}, float(amount))
        if host_cpus is None:
            raise LimitError("the engine does not say how many CPUs its host has: name that number")
        return Setting({"NanoCpus": host_cpus * 10**9}, None, (_NOTHING_ELSE.format(f"{host_cpus} CPUs"),))
    if amount is None:
        return Setting({"CpuQuota": -1}, None)
    period = positive(now.get("CpuPeriod")) or cgroup.DEFAULT_PERIOD_US
    quota = cgroup.quota_us(float(amount), period)
    return Setting({"CpuQuota": quota}, quota / period)


def _memory(now: Mapping[str, Any], amount: Amount | None) -> Setting:
    """Return a limit of memory with that of memory and swap, which keeps the swap that the container may have."""
    if amount is None:
        return Setting(dict(_ENDLESS_MEMORY), None)
    new, old = int(float(amount)), cgroup.bytes_limit(whole_number(now.get("Memory")))
    both = whole_number(now.get("MemorySwap"))
    swap = None if old is None or both is None or both < old else both - old
    return Setting({"Memory": new, "MemorySwap": -1 if swap is None else new + swap}, new)


def old_setting(limit: Limit) -> Setting:
    """Return the fields that put a limit back as it was."""
    key, now = limit.key, limit.settings
    if key is LimitKey.MEMORY and limit.value is not None:
        both = whole_number(now.get("MemorySwap"))
        return Setting({"Memory": now["Memory"], "MemorySwap": both or -1}, limit.value)
    if key is LimitKey.CPU and limit.value is not None:
        name = "NanoCpus" if positive(now.get("NanoCpus")) else "CpuQuota"
        return Setting({name: now[name]}, limit.value)
    if key is LimitKey.CPUSET and limit.value is not None:
        return Setting({"CpusetCpus": now["CpusetCpus"]}, limit.value)
    return new_setting(limit, limit.value)
