"""Finds the workloads' cgroups repeatedly, at the cost of one `stat` for each directory that may hold some.

kernfs keeps `st_nlink` of a directory at 2 + the number of its children, so an unchanged directory need not be listed.
A link count of 1 (btrfs, overlayfs: captured trees) means nothing, and such a directory is listed every time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from collectors.kernel.cgroup import discovery
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.cgroup.nested_containers import NestedContainers

_UNKNOWN_LINKS = -1
_CHILDLESS = 2
_SERVICES_EVERY = 5
"""A service rarely has workloads below it: a service without groups below is checked once in this many updates, in one
hierarchy after the other; other services are checked in between."""
_RELIST_EVERY = 60
"""Updates after which everything is listed again: a child replaced by another leaves the link count the same."""


class _Directory:
    """A directory that may hold workloads, in one hierarchy."""

    __slots__ = ("absolute", "cgroup", "children", "inode", "links", "turn")

    def __init__(self, absolute: str, cgroup: Cgroup) -> None:
        self.absolute = absolute
        self.cgroup = cgroup
        self.inode = 0
        self.links = _UNKNOWN_LINKS
        self.children: dict[str, Cgroup] = {}
        is_service = cgroup.workload is not None and cgroup.workload.engine == discovery.SERVICE_ENGINE
        self.turn = hash(cgroup.path) % _SERVICES_EVERY if is_service else None
        """The updates, modulo the above, in which it is checked while it has no group below; `None`: in each."""


class _Walk:
    """The walk over one hierarchy. `cgroups` has the workloads that it has found, by path."""

    def __init__(self, root: str, folders: set[str]) -> None:
        self._folders = folders
        self.directories: dict[str, _Directory] = {"/": _Directory(root, discovery.ROOT)}
        self.cgroups: dict[str, Cgroup] = {}

    def update(self, turn: int) -> bool:
        """List the directories whose link count or inode changed. Return whether `cgroups` may have changed.

        Args:
            turn: Which services without a group below are checked; -1: none.
        """
        has_changed = False
        for path, directory in tuple(self.directories.items()):
            if directory.turn is not None and directory.turn != turn and directory.links == _CHILDLESS:
                continue
            if self.directories.get(path) is not directory:  # it was removed with a parent that was listed just now
                continue
            try:
                status = os.stat(directory.absolute)
            except OSError:
                self._list_parent(path)
                has_changed = True
                continue
            if status.st_nlink != directory.links or status.st_ino != directory.inode or status.st_nlink == 1:
                directory.links, directory.inode = status.st_nlink, status.st_ino
                has_changed = self._list(directory) or has_changed
        return has_changed

    def invalidate(self, path: str) -> None:
        """Have the directory above a path listed at the next update."""
        parent = self.directories.get(path.rpartition("/")[0] or "/")
        if parent is not None:
            parent.links = _UNKNOWN_LINKS

    def invalidate_all(self) -> None:
        """Have everything that has children listed at the next update: only those can have had a child replaced."""
        for directory in self.directories.values():
            if directory.children:
                directory.links = _UNKNOWN_LINKS

    def relist(self, path: str) -> None:
        """List a directory now, if it is known and still classified as a workload."""
        directory = self.directories.get(path)
        if directory is not None and directory.cgroup.workload is not None:
            self._list(directory)

    def _list_parent(self, path: str) -> None:
        parent = self.directories.get(path.rpartition("/")[0] or "/")
        if parent is not None:
            self._list(parent)

    def _list(self, directory: _Directory) -> bool:
        """Compare a directory's children with the known ones; walk into new ones."""
        try:
            with os.scandir(directory.absolute) as entries:
                names = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
        except OSError:
            directory.links = _UNKNOWN_LINKS
            names = set()
        self._note_folder(directory, names)
        removed_names = directory.children.keys() - names
        new_names = names - directory.children.keys()
        for name in removed_names:
            self._forget(directory.children.pop(name).path)
        for name in new_names:
            directory.children[name] = cgroup = discovery.classify(directory.cgroup, name)
            self._add(cgroup, f"{directory.absolute}/{name}")
        return bool(removed_names or new_names)

    def _note_folder(self, directory: _Directory, names: set[str]) -> None:
        """Classify an unknown cgroup as a folder from the first time that it holds containers, however deep.

        If they are deeper, it is listed again, as a folder, before this update ends.
        """
        cgroup = directory.cgroup
        outermost = self.directories.get(cgroup.service) if cgroup.service is not None else None
        workload = outermost.cgroup.workload if outermost is not None else None
        if workload is None or workload.engine != discovery.GENERIC_ENGINE:
            return
        if any(map(discovery.is_container_name, names)):
            self._folders.add(workload.id)
        if cgroup.path in self._folders:
            directory.cgroup = discovery.as_folder(cgroup)
            self.cgroups.pop(cgroup.path, None)
            for child in directory.children.values():
                self._forget(child.path)
            directory.children.clear()

    def _add(self, cgroup: Cgroup, absolute: str) -> None:
        if cgroup.workload is not None:
            self.cgroups[cgroup.path] = cgroup
        if not cgroup.is_parent:
            return
        self.directories[cgroup.path] = directory = _Directory(absolute, cgroup)
        try:
            status = os.stat(absolute)
        except OSError:
            return  # the next update detects it
        directory.links, directory.inode = status.st_nlink, status.st_ino
        if status.st_nlink != _CHILDLESS:
            self._list(directory)

    def _forget(self, path: str) -> None:
        self.cgroups.pop(path, None)
        directory = self.directories.pop(path, None)
        if directory is not None:
            for child in directory.children.values():
                self._forget(child.path)


class Tree:
    """The workloads of several hierarchies, merged by their path below the root."""

    def __init__(self, roots: Sequence[str], proc: str = "") -> None:
        """Take the absolute directories of the hierarchies; where they differ, the first one wins.

        With the path of procfs, containers below containers are looked for only when it counts other cgroups.
        """
        self._folders: set[str] = set()
        self._walks = [_Walk(root, self._folders) for root in roots]
        self._nested = NestedContainers(roots[-1] if roots else "", proc)
        self._updates = 0
        self._walked: dict[str, Cgroup] = {}
        """What the walks found, by path."""
        self.cgroups: dict[str, Cgroup] = {}
        """Path -> cgroup, of every workload."""

    def update(self) -> bool:
        """Look for changes. Return whether `cgroups` was rebuilt."""
        self._updates += 1
        if self._updates % _RELIST_EVERY == 0:
            for walk in self._walks:
                walk.invalidate_all()
        folder_count = len(self._folders)
        cycle, turn = divmod(self._updates, _SERVICES_EVERY)
        walk_in_turn = cycle % len(self._walks) if self._walks else 0
        has_changed = [walk.update(turn if index == walk_in_turn else -1) for index, walk in enumerate(self._walks)]
        is_rebuilt = any(has_changed) or self._updates == 1
        if is_rebuilt:
            if len(self._folders) != folder_count:
                self._relist_folders()
            self._merge_walks()
            self._nested.follow(self._walked)
        if self._nested.update() or is_rebuilt:
            self.cgroups = {**self._walked, **self._nested.cgroups}
            return True
        return False

    def add_folder(self, path: str) -> None:
        """Take a cgroup that was a workload for a folder of machines, until the end of this object."""
        self._folders.add(path)
        self._relist_folders()
        self._merge_walks()
        self.cgroups = {**self._walked, **self._nested.cgroups}

    def _merge_walks(self) -> None:
        cgroups: dict[str, Cgroup] = {}
        for walk in reversed(self._walks):
            cgroups.update(walk.cgroups)
        self._walked = {path: cgroup for path, cgroup in cgroups.items() if path not in self._folders}

    def invalidate(self, path: str) -> None:
        """Have the parent of a cgroup that was removed listed at the next update."""
        for walk in self._walks:
            walk.invalidate(path)
        self._nested.invalidate(path)

    def _relist_folders(self) -> None:
        """Have the other hierarchies classify again what is below a folder that one of them recognised."""
        for walk in self._walks:
            for path in self._folders:
                walk.relist(path)
