"""The groups below a virtual machine's own: one for each virtual CPU, one for the emulator, one for each I/O thread.

`<cputune>` takes effect there: quotas and pinning of the virtual CPUs (`vcpuN`), of the emulator and of the I/O threads
(`iothreadN`), while the global quota is that of the group around them. On cgroup v2 these groups are in a folder
`libvirt`, which also has the limits of `<memtune>`.

Source: libvirt docs/cgroups.rst, src/hypervisor/domain_cgroup.c.
"""

from __future__ import annotations

import math
import os

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.kernel.procfs import read_bytes

_THREADS = ("vcpu", "emulator", "iothread")


class DomainGroups:
    """The groups of one virtual machine. Hypervisors other than libvirt make none below the machine's own."""

    def __init__(self, directories: CgroupDirs) -> None:
        self._directory = directories.directories.get("cpu") or directories.unified or ""
        self._root = self._directory.removesuffix(directories.path)
        self._outer = directories.path
        self._capped: list[str] = []
        """Paths of the groups that have a quota, as of the last call of `find_cores`."""

    @property
    def path(self) -> str:
        """The path of the innermost group that holds all of the machine's processes: its limits hold for all of it."""
        is_nested = bool(self._directory) and os.path.isdir(f"{self._directory}/libvirt")
        return f"{self._outer}/libvirt" if is_nested else self._outer

    def find_cores(self, limits: Limits) -> float:
        """List the groups again, and return how many cores the virtual CPUs may use.

        That is the lowest of the sum of their quotas, the number of CPUs that they are pinned to, and the limits of the
        groups around them. A virtual CPU uses one core at most. The emulator and the I/O threads may use more.
        """
        path = self.path
        groups = [f"{path}/{name}" for name in self._names(path)]
        self._capped = [group for group in {self._outer, path, *groups} if limits.own_quota(group) is not None]
        vcpus = [group for group in groups if group.startswith(f"{path}/vcpu")]
        if not vcpus:
            return limits.cores(path)
        quotas = sum(min(1.0, limits.own_quota(vcpu) or 1.0) for vcpu in vcpus)
        cpus = {cpu for vcpu in vcpus for cpu in limits.cpus(vcpu) or ()}
        return min(quotas, limits.cores(path), len(cpus) or math.inf)

    def throttling(self) -> parsers.Throttling:
        """Return the throttling by all quotas of the machine, summed over its groups; all `None` without a quota."""
        texts = [read_bytes(f"{self._root}{path}/cpu.stat") for path in self._capped]
        counted = [found for text in texts if text and (found := parsers.throttling(text)).periods]
        if not counted:
            return parsers.Throttling()
        periods, throttled, throttled_ns = (
            sum(value or 0 for value in values) for values in zip(*counted, strict=True)
        )
        return parsers.Throttling(periods, throttled, throttled_ns)

    def _names(self, path: str) -> list[str]:
        """List the groups of virtual CPUs, emulator and I/O threads."""
        try:
            names = os.listdir(f"{self._root}{path}") if self._directory else []
        except OSError:
            return []
        return sorted(name for name in names if name.startswith(_THREADS))
