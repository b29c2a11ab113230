"""Limits of instances of LXD and Incus: keys of their configuration, which their daemon applies and keeps.

`limits.cpu` is a number of CPUs, which the daemon then chooses, or a set of them; of a virtual machine the number of
its virtual CPUs. Time on the CPU is `limits.cpu.allowance`: `50ms/100ms` is a quota, and a share such as `50%` is a
weight.

Source: https://documentation.ubuntu.com/lxd/en/latest/reference/instance_options/, "Resource limits".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.host_groups import host_cpus
from collectors.engines.lxd.client import instance_path
from collectors.engines.lxd.instances import cpu_count, parse_size
from collectors.engines.lxd.shell_commands import program, target
from collectors.model.errors import SourceDown
from collectors.model.limits import Amount, Lasts, Limit, LimitError, LimitKey, Setting, Way
from collectors.model.workloads import Kind, Workload
from collectors.safety.untrusted import part, text

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess

_ALLOWANCE = re.compile(r"(\d{1,9})ms/(\d{1,9})ms")
_PERIOD_MS = 100
_KEYS = {
    LimitKey.CPU: "limits.cpu.allowance",
    LimitKey.CPUSET: "limits.cpu",
    LimitKey.VCPUS: "limits.cpu",
    LimitKey.MEMORY: "limits.memory",
    LimitKey.PIDS: "limits.processes",
}
_OF_MACHINES = (LimitKey.VCPUS, LimitKey.MEMORY)
_OF_CONTAINERS = (LimitKey.CPU, LimitKey.CPUSET, LimitKey.MEMORY, LimitKey.PIDS)
_NO_WEIGHT = "LXD has a priority from 0 to 10 in place of a weight: use lxc config set limits.cpu.priority"
_NO_DEVICES = (
    "LXD keeps it with the device: use lxc config device set, keys limits.read, limits.write and limits.ingress"
)
_NOT_OF_VM = "LXD gives a virtual machine virtual CPUs and memory only: use vcpus= or memory="


class LxdLimits:
    """Reads and changes the configuration of an instance."""

    settles_s = 5.0

    def __init__(self, access: LxdAccess) -> None:
        self._access = access

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Ask for the instance's configuration, and for the one with that of its profiles."""
        path, project = instance_path(workload.id.id)
        instance: Any = self._access.client(workload).get(path, project=project)
        if not isinstance(instance, Mapping):
            raise SourceDown("the daemon sent an invalid answer")
        return limits_in(part(instance, "config"), part(instance, "expanded_config"), workload.kind)

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the keys to send."""
        return new_setting(limit.key, amount)

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the instance's own value as it was; an empty one is that of its profiles again."""
        return Setting(limit.settings, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Change the configuration; the daemon answers when it has applied it, or why it could not."""
        path, project = instance_path(workload.id.id)
        self._access.client(workload).start("PATCH", path, {"config": dict(setting.values)}, project=project)

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the `config set` that does the same."""
        words = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in setting.values.items())
        return (f"{program(workload)} config set{target(workload)} {words}",)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """It is in the instance's configuration."""
        return Lasts.ALWAYS

    def cannot_keep(self, workload: Workload) -> str:
        """The daemon keeps every limit."""
        return ""


def limits_in(own: Mapping[str, Any], expanded: Mapping[str, Any], kind: Kind) -> dict[LimitKey, Limit]:
    """Return the limits in the configuration of an instance.

    Args:
        own: The instance's own keys.
        expanded: These and those of its profiles.
        kind: What it is: a virtual machine has other limits.
    """
    found = {}
    for key in _OF_MACHINES if kind is Kind.VM else _OF_CONTAINERS:
        name = _KEYS[key]
        written = text(expanded.get(name))
        value, is_known = read_value(key, written)
        found[key] = Limit(key, value, is_known, settings={name: text(own.get(name))})
    if kind is Kind.VM:
        cgroup.unsettable(found, (LimitKey.CPU, LimitKey.CPUSET, LimitKey.CPU_WEIGHT), _NOT_OF_VM)
    else:
        cgroup.unsettable(found, (LimitKey.CPU_WEIGHT,), _NO_WEIGHT)
    cgroup.unsettable(found, (*cgroup.DISKS, *cgroup.NETWORKS), _NO_DEVICES)
    return found


def read_value(key: LimitKey, written: str) -> tuple[Amount | None, bool]:
    """Return the amount of a key's text, and whether it is one: shares such as `50%` are not measured."""
    if not written:
        return None, True
    value: Amount | None
    match key:
        case LimitKey.CPU:
            match_ = _ALLOWANCE.fullmatch(written)
            value = int(match_[1]) / int(match_[2]) if match_ and int(match_[2]) else None
        case LimitKey.CPUSET:
            if written.isdecimal():  # so many CPUs of the daemon's choice
                return None, False
            return cgroup.cpus(written, host_cpus()), cpu_count(written) is not None
        case LimitKey.VCPUS:
            value = cpu_count(written)
        case LimitKey.MEMORY:
            value = parse_size(written)
        case _:
            value = int(written) if written.isdecimal() and len(written) < 10 else None
    return value, value is not None


def new_setting(key: LimitKey, amount: Amount | None) -> Setting:
    """Return the keys for a new amount. A single CPU is written as a range: alone it would be a number of CPUs.

    Raises:
        LimitError: The daemon cannot have it.
    """
    name = _KEYS[key]
    if amount is None:
        if key is LimitKey.VCPUS:
            raise LimitError("a virtual machine has some number of virtual CPUs: name one")
        return Setting({name: ""}, None)
    match key:
        case LimitKey.CPU:
            quota = round(float(amount) * _PERIOD_MS)
            if quota < 1:
                raise LimitError(f"cpu={amount:g} is too little: the least is 0.01")
            return Setting({name: f"{quota}ms/{_PERIOD_MS}ms"}, quota / _PERIOD_MS)
        case LimitKey.CPUSET:
            written = str(amount)
            range_ = f"{written}-{written}" if written.isdecimal() else written
            return Setting({name: range_}, cgroup.cpus(written, host_cpus()))
        case LimitKey.MEMORY:
            return Setting({name: f"{amount:.0f}B"}, amount)
        case _:
            return Setting({name: f"{amount:.0f}"}, amount)
