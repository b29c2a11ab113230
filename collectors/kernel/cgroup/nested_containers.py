"""Containers whose cgroup is below that of another container, such as those started with `--cgroup-parent /docker/ID`.

By their paths they could as well be containers of an engine that runs inside the outer container, which are part of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from collectors.kernel.cgroup import discovery, processes
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.procfs import read_bytes, read_process_stat
from collectors.model.workloads import Kind

_CHILDLESS = 2
_EVERY = 10
"""Updates after which a container is checked again; in each update, one in this many is."""


class NestedContainers:
    """Looks for cgroups with a container's name below the containers of one hierarchy.

    Costs one `stat` for each container checked, as few have cgroups below; a container that has is listed as a whole.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._turns: tuple[dict[str, Cgroup], ...] = tuple({} for _ in range(_EVERY))
        """The outer containers by path, divided into those that are checked together."""
        self._unchecked: dict[str, Cgroup] = {}
        self._updates = 0
        self.cgroups: dict[str, Cgroup] = {}
        """Path -> cgroup of the nested ones, whoever started them."""

    def follow(self, cgroups: dict[str, Cgroup]) -> None:
        """Take the containers that there are now; new ones are checked in the next update."""
        leaves = {path: cgroup for path, cgroup in cgroups.items() if _may_hold_others(cgroup)}
        for turn in self._turns:
            for path in turn.keys() - leaves.keys():
                del turn[path]
        known = {path for turn in self._turns for path in turn}
        self._unchecked = {path: leaf for path, leaf in leaves.items() if path not in known}
        for path, leaf in self._unchecked.items():
            self._turns[hash(path) % _EVERY][path] = leaf
        self.cgroups = {path: cgroup for path, cgroup in self.cgroups.items() if cgroup.encloser in leaves}

    def update(self) -> bool:
        """Check the containers whose turn it is. Return whether `cgroups` has changed."""
        self._updates += 1
        leaves = {**self._turns[self._updates % _EVERY], **self._unchecked}
        self._unchecked = {}
        previous = [path for path, cgroup in self.cgroups.items() if cgroup.encloser in leaves]
        found = {path: discovery.nested(leaf, path) for leaf in leaves.values() for path in self._paths(leaf.path)}
        if found.keys() == set(previous):
            return False
        for path in previous:
            del self.cgroups[path]
        self.cgroups.update(found)
        return True

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
