"""Finds the workloads' cgroups, again and again, at the price of one `stat` for each directory that may hold some.

kernfs keeps `st_nlink` of a directory at 2 + the number of its children, so an unchanged directory need not be listed.
A link count of 1 (btrfs, overlayfs: captured trees) says nothing, and such a directory is listed every time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from collectors.kernel.cgroup import discovery
from collectors.kernel.cgroup.discovery import Place

_UNKNOWN_LINKS = -1
_CHILDLESS = 2
_SERVICES_EVERY = 5
"""A service seldom has workloads below: one without any group below is looked at in every so many updates, and in one
hierarchy after the other, the other services in between."""
_RELIST_EVERY = 60
"""Updates after which everything is listed again: a child swapped for another of no interest keeps the count."""


class _Directory:
    """A directory that may hold workloads, in one hierarchy."""

    __slots__ = ("absolute", "children", "inode", "links", "place", "turn")

    def __init__(self, absolute: str, place: Place) -> None:
        self.absolute = absolute
        self.place = place
        self.inode = 0
        self.links = _UNKNOWN_LINKS
        self.children: dict[str, Place] = {}
        is_service = place.found is not None and place.found.engine == discovery.SERVICE_ENGINE
        self.turn = hash(place.path) % _SERVICES_EVERY if is_service else None
        """In which updates it is looked at while it has no group below; `None`: in each."""


class _Walk:
    """The walk over one hierarchy. `found` is what it has found, by path."""

    def __init__(self, root: str, folders: set[str]) -> None:
        self._folders = folders
        self.directories: dict[str, _Directory] = {"/": _Directory(root, discovery.ROOT)}
        self.found: dict[str, Place] = {}

    def update(self, turn: int) -> bool:
        """List the directories whose link count or inode changed. Return whether `found` may have changed.

        Args:
            turn: Which of the services without a group below are looked at; -1: none.
        """
        has_changed = False
        for path, directory in tuple(self.directories.items()):
            if directory.turn is not None and directory.turn != turn and directory.links == _CHILDLESS:
                continue
            if self.directories.get(path) is not directory:  # it went with a parent that was listed just now
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
        """Have everything that has children listed at the next update: without one none can have been swapped."""
        for directory in self.directories.values():
            if directory.children:
                directory.links = _UNKNOWN_LINKS

    def relist(self, path: str) -> None:
        """List a directory now, if it is known and still taken for a workload of its own."""
        directory = self.directories.get(path)
        if directory is not None and directory.place.found is not None:
            self._list(directory)

    def _list_parent(self, path: str) -> None:
        parent = self.directories.get(path.rpartition("/")[0] or "/")
        if parent is not None:
            self._list(parent)

    def _list(self, directory: _Directory) -> bool:
        """Compare a directory's children with those known; walk into the new ones."""
        try:
            with os.scandir(directory.absolute) as entries:
                names = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
        except OSError:
            directory.links = _UNKNOWN_LINKS
            names = set()
        self._note_folder(directory, names)
        gone = directory.children.keys() - names
        new = names - directory.children.keys()
        for name in gone:
            self._forget(directory.children.pop(name).path)
        for name in new:
            directory.children[name] = place = discovery.classify(directory.place, name)
            self._add(place, f"{directory.absolute}/{name}")
        return bool(gone or new)

    def _note_folder(self, directory: _Directory, names: set[str]) -> None:
        """Take an unknown cgroup for the folder of an engine once it holds containers, and for ever after."""
        place = directory.place
        if place.found is None or place.found.engine != discovery.GENERIC_ENGINE:
            return
        if place.path in self._folders or any(map(discovery.is_container_name, names)):
            self._folders.add(place.path)
            directory.place = discovery.as_group(place)
            self.found.pop(place.path, None)
            for child in directory.children.values():
                self._forget(child.path)
            directory.children.clear()

    def _add(self, place: Place, absolute: str) -> None:
        if place.found is not None:
            self.found[place.path] = place
        if not place.is_parent:
            return
        self.directories[place.path] = directory = _Directory(absolute, place)
        try:
            status = os.stat(absolute)
        except OSError:
            return  # the next update finds out
        directory.links, directory.inode = status.st_nlink, status.st_ino
        if status.st_nlink != _CHILDLESS:
            self._list(directory)

    def _forget(self, path: str) -> None:
        self.found.pop(path, None)
        directory = self.directories.pop(path, None)
        if directory is not None:
            for child in directory.children.values():
                self._forget(child.path)


class Tree:
    """The workloads of several hierarchies, united by their path below the root."""

    def __init__(self, roots: Sequence[str]) -> None:
        """Take the absolute directories of the hierarchies; where they differ, the first one's word counts."""
        self._folders: set[str] = set()
        self._walks = [_Walk(root, self._folders) for root in roots]
        self._updates = 0
        self.places: dict[str, Place] = {}
        """Path -> place of every workload there is."""

    def update(self) -> bool:
        """Look for changes. Return whether `places` was rebuilt."""
        self._updates += 1
        if self._updates % _RELIST_EVERY == 0:
            for walk in self._walks:
                walk.invalidate_all()
        folders = len(self._folders)
        round_, turn = divmod(self._updates, _SERVICES_EVERY)
        of_turn = round_ % len(self._walks) if self._walks else 0
        has_changed = [walk.update(turn if place == of_turn else -1) for place, walk in enumerate(self._walks)]
        if not any(has_changed) and self._updates > 1:
            return False
        if len(self._folders) != folders:
            self._relist_folders()
        places: dict[str, Place] = {}
        for walk in reversed(self._walks):
            places.update(walk.found)
        self.places = {path: place for path, place in places.items() if path not in self._folders}
        return True

    def invalidate(self, path: str) -> None:
        """Tell that a cgroup was found gone, so that the directory above it is listed at the next update."""
        for walk in self._walks:
            walk.invalidate(path)

    def _relist_folders(self) -> None:
        """Have the other hierarchies classify again what is below a folder that one of them recognised."""
        for walk in self._walks:
            for path in self._folders:
                walk.relist(path)
