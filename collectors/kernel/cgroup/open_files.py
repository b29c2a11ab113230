"""A group's directories and open files. Reading an open descriptor is four times as fast as opening the file."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy
from collectors.kernel.procfs import read_bytes

BUFFER = 16384
"""More than memory.stat of any kernel so far (5 KiB); io.stat of many devices takes a second call."""
_RESERVED = 256
"""Descriptors left for the other sources, the log and the screen."""
_REQUESTED = 1 << 18
"""Descriptors requested where the user may raise the limit: seven for each of 10,000 groups, doubled and rounded up."""
_SLOW_KEPT = 1 << 14
"""Slow files stay open only below this descriptor number: the kernel holds a page for each open file."""
_GONE = (errno.ENODEV, errno.ENOENT)
"""The errors of an open descriptor after rmdir, even if a directory of the same name was created since."""
_EXHAUSTED = (errno.EMFILE, errno.ENFILE)


class GroupGone(Exception):
    """The cgroup was removed between finding and reading it."""


def raise_file_limit() -> None:
    """Raise the limits of open files: both where this user may, otherwise the soft one to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((max(hard, _REQUESTED),) * 2, (hard, hard)):
        if soft >= limits[0]:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        except (ValueError, OSError):
            continue  # what cannot be kept open is opened for each reading
        return


@cache
def highest_kept() -> int:
    """Return the descriptor number from which files are not kept open: the other sources need descriptors too."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED


@cache
def slow_file_bound() -> int:
    """Return the descriptor number below which slow files are kept open."""
    return min(_SLOW_KEPT, highest_kept() * 3 // 4)


class OpenFile:
    """A file that is read repeatedly from its start. A missing file reads as `None` until `reopen`.

    Args:
        path: The path of the file; `None` for a file that cannot exist.
        bound: The file is kept open only on a descriptor below this number, and otherwise opened for each reading.
    """

    __slots__ = ("_bound", "_is_unkept", "_path", "descriptor")

    def __init__(self, path: str | None, bound: int | None = None) -> None:
        self._path = path
        self._bound = bound
        self.descriptor = -1
        """-1 while it is not kept open."""
        self._is_unkept = False
        self.reopen()

    def __bool__(self) -> bool:
        return self.descriptor >= 0 or self._is_unkept

    @property
    def is_possible(self) -> bool:
        """Whether the file may exist later: it has a path."""
        return self._path is not None

    def reopen(self) -> None:
        """Open the file if it is not open; the kernel creates files as controllers are enabled."""
        if not self:
            self._is_unkept = self._open()

    def _open(self) -> bool:
        """Open the file where it may be kept; return whether it exists without being kept."""
        if self._path is None:
            return False
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return error.errno in _EXHAUSTED
        if descriptor >= (self._bound or highest_kept()):
            os.close(descriptor)
            return True
        self.descriptor = descriptor
        return False

    def read(self) -> bytes | None:
        """Return the current content; `None` when there is none.

        Raises:
            GroupGone: The cgroup was removed.
        """
        if self.descriptor < 0:
            return self._read_unkept() if self._is_unkept and self._path else None
        try:
            text = os.pread(self.descriptor, BUFFER, 0)
            while len(text) and len(text) % BUFFER == 0:
                chunk = os.pread(self.descriptor, BUFFER, len(text))
                if not chunk:
                    break
                text += chunk
        except OSError as error:
            if error.errno in _GONE:
                raise GroupGone(self._path) from error
            return None  # EOPNOTSUPP: pressure is switched off
        return text

    def _read_unkept(self) -> bytes | None:
        text = read_bytes(self._path or "")
        if text is None and not os.path.exists(self._path or ""):
            raise GroupGone(self._path)
        return text

    def inode(self) -> int:
        """Return the file's inode, which differs in a new directory of the same name; 0 when the file is missing."""
        if self.descriptor >= 0:
            return os.fstat(self.descriptor).st_ino
        try:
            return os.stat(self._path).st_ino if self._is_unkept and self._path else 0
        except OSError:
            return 0

    def keep(self, is_kept: bool) -> bool:
        """Keep a file open if possible, or else open it for each reading from now on. It must exist.

        Returns:
            Whether it is kept open.
        """
        if is_kept and self.descriptor < 0:
            self._open()
        elif not is_kept and self.descriptor >= 0:
            self.close()
        self._is_unkept = self.descriptor < 0
        return self.descriptor >= 0

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self._is_unkept = False


def keep_hottest(files: Iterable[OpenFile], count: int) -> int:
    """Keep the first so many of the files that exist open, and let go of the others; return how many are kept."""
    kept = 0
    for file in files:
        if file and file.keep(kept < count):
            kept += 1
    return kept


class BatchRead:
    """Reads several files together.

    Args:
        files: The files; all exist.
    """

    __slots__ = ("_are_kept", "_descriptors", "_files")

    def __init__(self, files: Sequence[OpenFile]) -> None:
        self._files = files
        self._descriptors = [file.descriptor for file in files]
        self._are_kept = min(self._descriptors, default=-1) >= 0

    def read(self) -> list[bytes | None]:
        """Return the content of each; `None` for a file that could not be read.

        Raises:
            GroupGone: The group was removed.
        """
        if self._are_kept:
            pread = os.pread
            try:
                return [pread(descriptor, BUFFER, 0) for descriptor in self._descriptors]
            except OSError:
                pass  # reading one at a time shows which one failed, and how
        return [file.read() for file in self._files]

    def read_whole(self) -> list[bytes | None]:
        """Read the files one at a time from now on, which also reads those that are longer than the buffer.

        Raises:
            GroupGone: The group was removed.
        """
        self._are_kept = False
        return self.read()


@dataclass(frozen=True, slots=True)
class CgroupDirs:
    """The directories of one group, in the hierarchies that have it."""

    path: str
    hierarchy: Hierarchy
    directories: dict[str, str]
    """Controller or `UNIFIED` -> directory."""

    @property
    def unified(self) -> str | None:
        """The directory in the v2 tree; `None` if v2 does not have the group."""
        return self.directories.get(UNIFIED)

    @property
    def all(self) -> list[str]:
        """Every directory once, the v2 one first."""
        return list(dict.fromkeys(self.directories.values()))

    def v1_file(self, controller: str, name: str) -> str | None:
        """Return the path of a v1 controller's file; `None` when v1 does not have the controller or the group."""
        directory = self.directories.get(controller)
        return f"{directory}/{name}" if directory else None

    def file(self, controller: str, v1_name: str, v2_name: str) -> str | None:
        """Return the path of a controller's file, in v1 if the controller is mounted there, else in v2."""
        if controller in self.hierarchy.mounts:
            return self.v1_file(controller, v1_name)
        return f"{self.unified}/{v2_name}" if self.unified else None


def find_directories(hierarchy: Hierarchy, path: str) -> CgroupDirs:
    """Look for a group's directory in every hierarchy."""
    mounts = {UNIFIED: hierarchy.v2, **hierarchy.mounts}
    directories = {key: f"{root}{path}" for key, root in mounts.items() if root}
    existing = {key: directory for key, directory in directories.items() if os.path.isdir(directory)}
    return CgroupDirs(path, hierarchy, existing)
