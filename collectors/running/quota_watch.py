"""How much the CPU quotas of a group and of those around it have throttled since a moment."""

from __future__ import annotations

from typing import NamedTuple

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy
from collectors.kernel.procfs import read_bytes
from collectors.running.quantities import Measured, missing
from collectors.safety.sanitize import sanitize

_NO_QUOTA = "no CPU quota applies"
_UNSEEN = "no CPU quota can be seen from inside this container"


class _Quota(NamedTuple):
    """A group with a quota, and what it had throttled at the beginning."""

    directory: str
    before: parsers.Throttling


class QuotaWatch:
    """Watches the group that a directory is, and all around it.

    A quota throttles everything in the group that has it, and is counted there only: the share that falls on one group
    below is not known.

    Args:
        hierarchy: The trees of this host.
        directory: A group in the tree that has the quotas: that of v1's `cpu`, else v2's. `None`: there is none.
    """

    def __init__(self, hierarchy: Hierarchy, directory: str | None) -> None:
        self._hierarchy = hierarchy
        mount = hierarchy.mounts.get("cpu") or hierarchy.v2 or ""
        self._mount = mount
        self._is_v1 = "cpu" in hierarchy.mounts
        self._quotas: list[_Quota] = []
        while directory is not None and mount and directory.startswith(mount):
            if self._has_quota(directory):
                self._quotas.append(_Quota(directory, _throttling(directory)))
            directory = directory.rpartition("/")[0]

    def measured(self) -> dict[str, Measured]:
        """Return the time and the share of periods of the quota that throttled most."""
        if not self._quotas:
            none = missing(_UNSEEN) if self._hierarchy.is_private else Measured(0.0, _NO_QUOTA)
            return {"throttled_seconds": none, "throttled_percent": none}
        found = [(quota.directory, quota.before, _throttling(quota.directory)) for quota in self._quotas]
        directory, before, now = max(found, key=lambda one: (one[2].throttled_ns or 0) - (one[1].throttled_ns or 0))
        how = f"everything in {sanitize(directory.removeprefix(self._mount)) or '/'}, which has the quota"
        seconds = ((now.throttled_ns or 0) - (before.throttled_ns or 0)) / 1e9
        periods = (now.periods or 0) - (before.periods or 0)
        throttled = (now.throttled_periods or 0) - (before.throttled_periods or 0)
        share = Measured(100 * throttled / periods, how) if periods > 0 else Measured(0.0, how)
        return {"throttled_seconds": Measured(max(0.0, seconds), how), "throttled_percent": share}

    def _has_quota(self, directory: str) -> bool:
        if self._is_v1:
            quota = read_bytes(f"{directory}/cpu.cfs_quota_us") or b""
            return parsers.quota_v1(quota, read_bytes(f"{directory}/cpu.cfs_period_us") or b"") is not None
        return parsers.quota_v2(read_bytes(f"{directory}/cpu.max") or b"") is not None


def quota_directory(hierarchy: Hierarchy, directories: dict[str, str]) -> str | None:
    """Return which of a group's directories, by controller or `UNIFIED`, is in the tree that has the quotas."""
    return directories.get("cpu" if "cpu" in hierarchy.mounts else UNIFIED)


def _throttling(directory: str) -> parsers.Throttling:
    return parsers.throttling(read_bytes(f"{directory}/cpu.stat") or b"")
