"""Limits of LXC's containers, by lxc-cgroup(1): it asks the container's monitor, which knows where its group is.

The names of the files are those of version 1 or 2, by where a controller is mounted. What is set ends with the run: LXC
itself keeps only what is in the configuration of the container.
"""

from __future__ import annotations

import shlex
from typing import Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.cgroup_limits import Group
from collectors.engines.host_groups import host_cpus, is_v1
from collectors.engines.lxc.containers import Container, container_of
from collectors.engines.lxc.programs import LxcFailed, run
from collectors.engines.lxc.shell_commands import options_of
from collectors.model.limits import Amount, Lasts, Limit, LimitKey, Setting, Way, cpus_text
from collectors.model.workloads import Workload
from collectors.sampling.timeout import ANSWER_S

_WRITES = "writes"
"""In settings: pairs of a file's name and its text, in the order in which they are written."""
_NO_DISKS = "vmtop does not set it for LXC's containers: use lxc-cgroup with io.max, or blkio.throttle.* of version 1"
_NO_NETWORK = "LXC limits no networks: use tc(8) on the container's interface"
_NOT_KEPT = (
    "LXC keeps only what is in the container's configuration: set it without --persist, and add lxc.cgroup2.* "
    "(or lxc.cgroup.* of version 1) to {0}"
)
_MEMORY, _BOTH = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"


class LxcLimits:
    """Reads and writes files of a container's control group through its monitor."""

    settles_s = 1.0

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Ask for each file. One that LXC does not give, such as of a controller that is off, is not measured."""
        container = container_of(workload)

        def read_file(controller: str, v1_name: str, v2_name: str) -> bytes | None:
            name = v1_name if is_v1(controller) else v2_name
            return _ask(container, name) if name else None

        group = cgroup.read_group(read_file)
        if group == Group():  # not one file: LXC says why
            run("lxc-cgroup", container, (_weight_file(),), ANSWER_S)
        found = cgroup.group_limits(group, host_cpus())
        for key, limit in found.items():
            settings = {"group": group, _WRITES: _writes(key, limit.value, group) if limit.is_measured else ()}
            found[key] = limit._replace(settings=settings)
        cgroup.unsettable(found, cgroup.DISKS, _NO_DISKS)
        cgroup.unsettable(found, cgroup.NETWORKS, _NO_NETWORK)
        return found

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the files to write."""
        return Setting({_WRITES: _writes(limit.key, amount, limit.settings["group"])}, _reached(limit.key, amount))

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the files as they were."""
        return Setting({_WRITES: limit.settings[_WRITES]}, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Write the files. Of two that depend on each other the kernel takes one first: it refuses the other order."""
        container, writes = container_of(workload), setting.values[_WRITES]
        try:
            _write(container, writes)
        except LxcFailed:
            if len(writes) < 2:
                raise
            _write(container, tuple(reversed(writes)))

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the lxc-cgroup command for each file."""
        options = options_of(container_of(workload))
        return tuple(f"lxc-cgroup{options} -- {name} {shlex.quote(text)}" for name, text in setting.values[_WRITES])

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """It ends with the group."""
        return Lasts.RUN

    def cannot_keep(self, workload: Workload) -> str:
        """vmtop does not write into configurations."""
        return _NOT_KEPT.format(container_of(workload).config)


def _write(container: Container, writes: tuple[tuple[str, str], ...]) -> None:
    for name, written in writes:
        run("lxc-cgroup", container, ("--", name, written), ANSWER_S)


def _ask(container: Container, name: str) -> bytes | None:
    try:
        return run("lxc-cgroup", container, (name,), ANSWER_S).encode()
    except LxcFailed:
        return None


def _weight_file() -> str:
    return "cpu.shares" if is_v1("cpu") else "cpu.weight"


def _reached(key: LimitKey, amount: Amount | None) -> Amount | None:
    """Return what is read back for an amount: an ordinary weight and all CPUs of the host are no limit."""
    if key is LimitKey.CPU_WEIGHT and amount == 100:
        return None
    return cgroup.cpus(str(amount), host_cpus()) if key is LimitKey.CPUSET and amount is not None else amount


def _writes(key: LimitKey, amount: Amount | None, group: Group) -> tuple[tuple[str, str], ...]:
    """Return files and texts for an amount. The period stays, and so does the swap that the container may have.

    Raises:
        LimitError: The kernel cannot have it.
    """
    match key:
        case LimitKey.CPU:
            period = group.period_us or cgroup.DEFAULT_PERIOD_US
            quota = None if amount is None else cgroup.quota_us(float(amount), period)
            if is_v1("cpu"):
                return (("cpu.cfs_quota_us", str(-1 if quota is None else quota)),)
            return (("cpu.max", f"{'max' if quota is None else quota} {period}"),)
        case LimitKey.CPU_WEIGHT:
            weight = 100 if amount is None else float(amount)
            return ((_weight_file(), f"{cgroup.shares(weight) if is_v1('cpu') else weight:.0f}"),)
        case LimitKey.CPUSET:
            return (("cpuset.cpus", cpus_text(host_cpus()) if amount is None else str(amount)),)
        case LimitKey.MEMORY if is_v1("memory"):
            return _memory_v1(amount, group)
        case LimitKey.MEMORY:
            return (("memory.max", "max" if amount is None else f"{amount:.0f}"),)
        case _:
            return (("pids.max", "max" if amount is None else f"{amount:.0f}"),)


def _memory_v1(amount: Any, group: Group) -> tuple[tuple[str, str], ...]:
    """Return the limits of memory, and of memory and swap, in the order in which the kernel takes them."""
    now, both = group.memory_bytes, group.memory_and_swap_bytes
    has_swap_limit = both is not None and both > 0
    if amount is None:
        endless = ((_BOTH, "-1"),) if has_swap_limit else ()
        return (*endless, (_MEMORY, "-1"))
    memory = (_MEMORY, f"{amount:.0f}")
    if both is None or both <= 0:
        return (memory,)
    limited = now if now is not None and 0 < now <= both else both
    swap = (_BOTH, f"{amount + both - limited:.0f}")
    return (swap, memory) if amount > limited else (memory, swap)
