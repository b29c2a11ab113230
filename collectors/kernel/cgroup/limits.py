"""The limits of a cgroup: its own and those of its ancestors."""

from __future__ import annotations

import os

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.procfs import read_bytes


class Limits:
    """Limits by path, each file read once until `refresh`: pods of one slice share their ancestors."""

    def __init__(self, hierarchy: Hierarchy, sys: str = "/sys") -> None:
        """Take the path of sysfs, which lists the CPUs that are online."""
        self._hierarchy = hierarchy
        self._sys = sys
        self._online = online_cpus(sys)
        self._memory: dict[str, int | None] = {}
        self._quota: dict[str, float | None] = {}
        self._cpuset: dict[str, frozenset[int] | None] = {}

    def refresh(self) -> None:
        """Forget the limits that were read, and count the online CPUs again: both may change at any time."""
        self._online = online_cpus(self._sys)
        self._memory.clear()
        self._quota.clear()
        self._cpuset.clear()

    def memory_bytes(self, path: str) -> int | None:
        """Return the lowest memory limit of a group and its ancestors; `None` without one.

        v2 has two: beyond `memory.max` processes are killed, beyond `memory.high` they are slowed down. It may be more
        than the host has.
        """
        if path not in self._memory:
            texts = [self._read(path, "memory", "memory.limit_in_bytes", "memory.max")]
            if not self._hierarchy.v1("memory"):
                texts.append(self._read(path, "memory", "", "memory.high"))
            limits = [parsers.limit_bytes(text) for text in texts]
            limits.append(self.memory_bytes(_parent(path)) if path else None)
            self._memory[path] = min((limit for limit in limits if limit is not None), default=None)
        return self._memory[path]

    def cores(self, path: str) -> float:
        """Return the cores a group may use: the lowest of quotas, cpuset and online CPUs."""
        cpus = self.cpus(path)
        candidates = [self._lowest_quota(path), None if cpus is None else len(cpus), self._online]
        return min(float(candidate) for candidate in candidates if candidate is not None)

    def _read(self, path: str, controller: str, v1_name: str, v2_name: str) -> bytes:
        root = self._hierarchy.v1(controller)
        name = v1_name if root else v2_name
        root = root or self._hierarchy.v2
        return read_bytes(f"{root}{path}/{name}") or b"" if root else b""

    def _lowest_quota(self, path: str) -> float | None:
        if path not in self._quota:
            own_quota = self.own_quota(path)
            parent_quota = self._lowest_quota(_parent(path)) if path else None
            self._quota[path] = min((quota for quota in (own_quota, parent_quota) if quota is not None), default=None)
        return self._quota[path]

    def own_quota(self, path: str) -> float | None:
        """Return a group's own CPU quota in cores; `None` without one."""
        if self._hierarchy.v1("cpu"):
            quota = self._read(path, "cpu", "cpu.cfs_quota_us", "")
            if parsers.number(quota) is None:  # -1, as most groups have: their period says nothing
                return None
            return parsers.quota_v1(quota, self._read(path, "cpu", "cpu.cfs_period_us", ""))
        return parsers.quota_v2(self._read(path, "cpu", "", "cpu.max"))

    def cpus(self, path: str) -> frozenset[int] | None:
        """Return the CPUs of the nearest group with a cpuset: an effective cpuset already includes its ancestors'."""
        if path not in self._cpuset:
            cpus = parsers.cpu_list(self._read(path, "cpuset", "cpuset.effective_cpus", "cpuset.cpus.effective"))
            self._cpuset[path] = self.cpus(_parent(path)) if cpus is None and path else cpus
        return self._cpuset[path]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def online_cpus(sys: str) -> int:
    """Return how many CPUs are online now."""
    listed = parsers.cpu_list(read_bytes(f"{sys}/devices/system/cpu/online") or b"")
    return len(listed) if listed else os.sysconf("SC_NPROCESSORS_ONLN")
