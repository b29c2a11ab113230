"""Containers whose cgroup is below that of another container, such as those started with `--cgroup-parent /docker/ID`.

By their paths they could as well be containers of an engine that runs inside the outer container, which are part of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice

from collectors.kernel.cgroup import discovery, processes
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.procfs import read_bytes, read_process_stat
from collectors.model.workloads import Kind

_CHILDLESS = 2
_LEAST_CHECKED = 50
_CHECKED_SHARE = 10
"""In one update, 50 containers are checked, or a tenth of them if that is more."""
_COUNTED_EVERY = 5
"""Updates after which the number of cgroups is read."""
_ALL_EVERY = 60
"""Updates after which all are checked again: one cgroup replaced by another leaves their number the same."""


class NestedContainers:
    """Looks for cgroups with a container's name below the containers of one hierarchy.

    It looks only after cgroups were created or removed, and takes several updates for it. A check costs one `stat`, as
    few containers have cgroups below; one that has is listed as a whole.

    Args:
        root: The directory of the hierarchy.
        proc: The path of procfs; empty if its count of cgroups is not that of the hierarchy.
    """

    def __init__(self, root: str, proc: str = "") -> None:
        self._root = root
        self._proc = proc
        self._count: bytes | None = None
        self._updates = 0
        self._leaves: dict[str, Cgroup] = {}
        """The outer containers, by path."""
        self._unchecked: dict[str, Cgroup] = {}
        self.cgroups: dict[str, Cgroup] = {}
        """Path -> cgroup of the nested ones, whoever started them."""

    def follow(self, cgroups: dict[str, Cgroup]) -> None:
        """Take the containers that there are now. New ones are checked first."""
        previous, self._leaves = self._leaves, {path: one for path, one in cgroups.items() if _may_hold_others(one)}
        new = {path: leaf for path, leaf in self._leaves.items() if path not in previous}
        self._unchecked = new | {path: leaf for path, leaf in self._unchecked.items() if path in self._leaves}
        self.cgroups = {path: cgroup for path, cgroup in self.cgroups.items() if cgroup.encloser in self._leaves}

    def update(self) -> bool:
        """Check some of the containers. Return whether `cgroups` has changed."""
        is_first = self._updates == 0
        if self._updates % _COUNTED_EVERY == 0:
            count = self._read_count()
            if count is None or count != self._count or self._updates % _ALL_EVERY == 0:
                self._unchecked = self._unchecked | self._leaves
            self._count = count
        self._updates += 1
        if not self._unchecked:
            return False
        size = len(self._unchecked) if is_first else max(_LEAST_CHECKED, len(self._leaves) // _CHECKED_SHARE)
        leaves = dict(islice(self._unchecked.items(), size))
        for path in leaves:
            del self._unchecked[path]
        previous = {path for path, cgroup in self.cgroups.items() if cgroup.encloser in leaves}
        found = {path: discovery.nested(leaf, path) for leaf in leaves.values() for path in self._paths(leaf.path)}
        for path in previous - found.keys():
            del self.cgroups[path]
        self.cgroups.update(found)
        return found.keys() != previous

    def _read_count(self) -> bytes | None:
        """Return the number of cgroups, in any form; `None` if it is unknown.

        /proc/cgroups has the cgroups of version 1 only, on recent kernels.
        """
        count = read_bytes(f"{self._root}/cgroup.stat")
        return count.partition(b"\n")[0] if count else read_bytes(f"{self._proc}/cgroups") if self._proc else None

    def invalidate(self, path: str) -> None:
        """Forget a nested cgroup that was removed."""
        self.cgroups.pop(path, None)

    def _paths(self, leaf: str) -> Iterable[str]:
        """Return the paths below a container with the name of one; what is below those is theirs."""
        try:
            if os.stat(self._root + leaf).st_nlink == _CHILDLESS:
                return ()
        except OSError:
            return ()
        return [
            directory[len(self._root) :]
            for directory in processes.folders(self._root + leaf)
            if discovery.is_container_name(directory.rpartition("/")[2]) and directory != self._root + leaf
        ]


def _may_hold_others(cgroup: Cgroup) -> bool:
    return cgroup.workload is not None and cgroup.workload.kind is Kind.CONTAINER


def is_started_outside(proc: str, directories: list[str], container: str) -> bool | None:
    """Return whether the engine that started a nested container runs outside of the outer container.

    Its first process is the child of a shim or monitor of that engine, whose cgroup is in or below the outer container
    if the engine runs inside.

    Args:
        proc: The path of procfs.
        directories: The nested container's directory in each hierarchy.
        container: Path of the outer container's cgroup.

    Returns:
        `None` without a process, or if it or its parent may not be seen.
    """
    first = processes.first_process(directories, proc)
    stat = None if first is None else read_process_stat(proc, first.pid)
    text = None if stat is None else read_bytes(f"{proc}/{stat.parent_pid}/cgroup")
    if text is None:
        return None
    paths = [line.split(":", 2)[2] for line in text.decode("utf-8", "replace").splitlines() if line.count(":") >= 2]
    return not any(path == container or path.startswith(f"{container}/") for path in paths)
