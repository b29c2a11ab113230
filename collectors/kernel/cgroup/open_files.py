"""A group's directories and kept files. A kept descriptor makes a reading four times as cheap as an opened one."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy
from collectors.kernel.procfs import read_bytes

BUFFER = 16384
"""More than memory.stat of any kernel so far (5 KiB); io.stat of many devices takes a second call."""
_RESERVED = 256
"""Descriptors left to the other sources, the log and the screen."""
_WANTED = 1 << 18
"""Descriptors asked for where the user may: seven for each of 10,000 groups, and as many again."""
_SELDOM_KEPT = 1 << 14
"""Files that are read seldom are kept below this descriptor: the kernel holds a page for each that is open."""
_GONE = (errno.ENODEV, errno.ENOENT)
"""What a kept descriptor answers after rmdir, also when a directory of the same name was made since."""
_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


class GroupGone(Exception):
    """The cgroup was removed between finding and reading it."""


def raise_file_limit() -> None:
    """Raise the limits of open files: the soft one to the hard one, and both where this user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in ((max(hard, _WANTED),) * 2, (hard, hard)):
        if soft >= wanted[0]:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, wanted)
        except (ValueError, OSError):
            continue  # what cannot be kept open is opened for each reading
        return


@cache
def _highest_kept() -> int:
    """Return the descriptor number from which on files are not kept: the other sources need some too."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED


@cache
def seldom_kept() -> int:
    """Return the descriptor number below which also files that are read seldom are kept."""
    return min(_SELDOM_KEPT, _highest_kept() * 3 // 4)


class OpenFile:
    """A file read again and again from its start. One that is not there reads as `None` until `reopen`.

    Args:
        path: Of the file; `None` for one that cannot exist.
        below: It is kept open only on a descriptor below this number, and else opened for each reading.
    """

    __slots__ = ("_below", "_is_unkept", "_path", "descriptor")

    def __init__(self, path: str | None, below: int | None = None) -> None:
        self._path = path
        self._below = below
        self.descriptor = -1
        """-1 while it is not kept open."""
        self._is_unkept = False
        self.reopen()

    def __bool__(self) -> bool:
        return self.descriptor >= 0 or self._is_unkept

    @property
    def is_possible(self) -> bool:
        """Whether the file may come to be: it has a path."""
        return self._path is not None

    def reopen(self) -> None:
        """Open the file if it is not open; the kernel makes files as controllers are enabled."""
        if self._path is None or self:
            return
        try:
            self.descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._is_unkept = error.errno in _EXHAUSTED
            return
        if self.descriptor >= (self._below or _highest_kept()):
            os.close(self.descriptor)
            self.descriptor, self._is_unkept = -1, True

    def read(self) -> bytes | None:
        """Return the content now; `None` when there is none.

        Raises:
            GroupGone: The cgroup was removed.
        """
        if self.descriptor < 0:
            return read_bytes(self._path) if self._is_unkept and self._path else None
        try:
            text = os.pread(self.descriptor, BUFFER, 0)
            while len(text) and len(text) % BUFFER == 0:
                more = os.pread(self.descriptor, BUFFER, len(text))
                if not more:
                    break
                text += more
        except OSError as error:
            if error.errno in _GONE:
                raise GroupGone(self._path) from error
            return None  # EOPNOTSUPP: pressure is switched off
        return text

    def inode(self) -> int:
        """Return the inode of the open file, which a new directory of the same name does not have; else 0."""
        if self.descriptor >= 0:
            return os.fstat(self.descriptor).st_ino
        try:
            return os.stat(self._path).st_ino if self._is_unkept and self._path else 0
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self._is_unkept = False


class BatchRead:
    """Reads some files in one go.

    Args:
        files: Those that are there.
    """

    __slots__ = ("_are_kept", "_descriptors", "_files")

    def __init__(self, files: Sequence[OpenFile]) -> None:
        self._files = files
        self._descriptors = [file.descriptor for file in files]
        self._are_kept = min(self._descriptors, default=-1) >= 0

    def read(self) -> list[bytes | None]:
        """Return what stands in each; `None` for one that could not be read.

        Raises:
            GroupGone: The group was removed.
        """
        if self._are_kept:
            pread = os.pread
            try:
                return [pread(descriptor, BUFFER, 0) for descriptor in self._descriptors]
            except OSError:
                pass  # one at a time tells which one failed, and how
        return [file.read() for file in self._files]

    def read_whole(self) -> list[bytes | None]:
        """Do the same from now on one at a time, which reads also files that are longer than the buffer.

        Raises:
            GroupGone: The group was removed.
        """
        self._are_kept = False
        return self.read()


@dataclass(frozen=True, slots=True)
class CgroupDirs:
    """Where one group's directories are, in the hierarchies that have it."""

    path: str
    hierarchy: Hierarchy
    found: dict[str, str]
    """Controller or `UNIFIED` -> directory."""

    @property
    def unified(self) -> str | None:
        """The directory in the v2 tree."""
        return self.found.get(UNIFIED)

    @property
    def all(self) -> list[str]:
        """Every directory once, the v2 one first."""
        return list(dict.fromkeys(self.found.values()))

    def v1_file(self, controller: str, name: str) -> str | None:
        """Return the path of a v1 controller's file; `None` when v1 does not have the controller or the group."""
        home = self.found.get(controller)
        return f"{home}/{name}" if home else None

    def file(self, controller: str, v1_name: str, v2_name: str) -> str | None:
        """Return the path of a controller's file, in v1 if the controller is mounted there, else in v2."""
        if controller in self.hierarchy.mounts:
            return self.v1_file(controller, v1_name)
        return f"{self.unified}/{v2_name}" if self.unified else None


def find_homes(hierarchy: Hierarchy, path: str) -> CgroupDirs:
    """Look for a group's directory in every hierarchy."""
    mounts = {UNIFIED: hierarchy.v2, **hierarchy.mounts}
    places = {key: f"{root}{path}" for key, root in mounts.items() if root}
    return CgroupDirs(path, hierarchy, {key: place for key, place in places.items() if os.path.isdir(place)})
