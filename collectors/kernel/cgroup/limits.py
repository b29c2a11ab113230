"""The limits of a cgroup: its own and those of its ancestors."""

from __future__ import annotations

import os

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.procfs import read_bytes


class Limits:
    """Limits by path, each file read once until `refresh`: pods of one slice share their ancestors."""

    def __init__(self, hierarchy: Hierarchy, cpus: int, memory_bytes: int) -> None:
        """Take the number of online CPUs and the host's memory in bytes; 0 means unknown."""
        self._hierarchy = hierarchy
        self._cpus = cpus
        self._memory_bytes = memory_bytes
        self._memory: dict[str, int | None] = {}
        self._quota: dict[str, float | None] = {}
        self._cpuset: dict[str, int | None] = {}

    def refresh(self) -> None:
        """Forget the limits that were read."""
        self._memory.clear()
        self._quota.clear()
        self._cpuset.clear()

    def memory_bytes(self, path: str) -> int | None:
        """Return the lowest memory limit of a group and its ancestors; `None` when none is below the host's memory."""
        limit = self._lowest_memory(path)
        return limit if limit is not None and (not self._memory_bytes or limit < self._memory_bytes) else None

    def cores(self, path: str) -> float | None:
        """Return the cores a group may use, the lowest of quotas, cpuset and online CPUs; `None` if unknown."""
        candidates = [self._lowest_quota(path), self._nearest_cpuset(path), self._cpus or None]
        cores = [float(candidate) for candidate in candidates if candidate is not None]
        return min(cores) if cores else None

    def _read(self, path: str, controller: str, v1_name: str, v2_name: str) -> bytes:
        root = self._hierarchy.v1(controller)
        name = v1_name if root else v2_name
        root = root or self._hierarchy.v2
        return read_bytes(f"{root}{path}/{name}") or b"" if root else b""

    def _lowest_memory(self, path: str) -> int | None:
        if path not in self._memory:
            own_limit = parsers.limit_bytes(self._read(path, "memory", "memory.limit_in_bytes", "memory.max"))
            parent_limit = self._lowest_memory(_parent(path)) if path else None
            self._memory[path] = min((limit for limit in (own_limit, parent_limit) if limit is not None), default=None)
        return self._memory[path]

    def _lowest_quota(self, path: str) -> float | None:
        if path not in self._quota:
            own_quota = self._own_quota(path)
            parent_quota = self._lowest_quota(_parent(path)) if path else None
            self._quota[path] = min((quota for quota in (own_quota, parent_quota) if quota is not None), default=None)
        return self._quota[path]

    def _own_quota(self, path: str) -> float | None:
        if self._hierarchy.v1("cpu"):
            quota = self._read(path, "cpu", "cpu.cfs_quota_us", "")
            return parsers.quota_v1(quota, self._read(path, "cpu", "cpu.cfs_period_us", "")) if quota else None
        return parsers.quota_v2(self._read(path, "cpu", "", "cpu.max"))

    def _nearest_cpuset(self, path: str) -> int | None:
        """Count the CPUs of the nearest group with a cpuset: an effective cpuset already includes its ancestors'."""
        if path not in self._cpuset:
            text = self._read(path, "cpuset", "cpuset.effective_cpus", "cpuset.cpus.effective")
            count = parsers.cpuset_count(text)
            self._cpuset[path] = self._nearest_cpuset(_parent(path)) if count is None and path else count
        return self._cpuset[path]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def online_cpus() -> int:
    """Return how many CPUs are online."""
    return os.sysconf("SC_NPROCESSORS_ONLN")


def host_memory_bytes(proc: str) -> int:
    """Return MemTotal in bytes; 0 when it cannot be read."""
    text = read_bytes(f"{proc}/meminfo") or b""
    fields = text.partition(b"MemTotal:")[2].split(None, 1)
    return int(fields[0]) * 1024 if fields and fields[0].isdigit() else 0  # kB in this file; see fs/proc/meminfo.c
