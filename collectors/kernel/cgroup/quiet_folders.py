"""Folders in which no group can have changed, by what the kernel counts for all that is in them.

What is charged to a group is charged to all that are around it: CPU time and tasks that wait (kernel
kernel/sched/cpuacct.c, kernel/cgroup/rstat.c, kernel/sched/psi.c), memory (mm/page_counter.c; v1 lets groups be left
out by `memory.use_hierarchy`), block I/O (block/blk-cgroup.c, and v1's `_recursive` files). As long as none of these
counters of a folder moves, the groups in it need not be read.

Memory alone can also fall, so that one group's growth could hide the shrinking of another. Growing takes CPU time, and
all are read once a minute anyway.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Set

from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.cgroup.open_files import CgroupDirs, GroupGone, OpenFile, find_directories
from collectors.kernel.procfs import read_bytes

_WORTH = 8
"""Groups from which on a folder is read, too: its files are as many as are read of two or three idle groups."""
_TOTALS = re.compile(rb"total=\d+")


class QuietFolder:
    """One folder. Its counters are read one after the other until one has moved.

    Args:
        hierarchy: The mounted trees.
        path: The folder below their roots.
    """

    __slots__ = ("_counted", "_files", "at_ns", "unchanged")

    def __init__(self, hierarchy: Hierarchy, path: str) -> None:
        directories = find_directories(hierarchy, path)
        unified = directories.unified
        names = ("cpu.pressure", "memory.pressure", "io.pressure")
        paths = (
            directories.file("memory", "memory.usage_in_bytes", "memory.current"),
            f"{unified}/cpu.stat" if unified else None,
            # of groups that the v2 tree does not have, such as libvirt's on a hybrid host
            directories.v1_file("cpuacct", "cpuacct.usage"),
            *(f"{unified}/{name}" for name in names if unified),
            directories.file("blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat"),
            directories.v1_file("blkio", "blkio.throttle.io_serviced_recursive"),
            directories.file("memory", "memory.stat", "memory.stat"),
        )
        files = [OpenFile(one) for one in paths]
        counts_all = files[0] and (files[1] or files[2]) and not _leaves_groups_out(directories)
        self._files = [file for file in files if file] if counts_all else []
        if not counts_all:
            for file in files:
                file.close()
        self._counted: list[object] = [None] * len(self._files)
        """What each file had; `None`: unknown, as it was not read."""
        self.at_ns = 0
        """When it was read (CLOCK_MONOTONIC)."""
        self.unchanged = 0
        """For how many readings nothing has moved; 0: something has, or may have."""

    def read(self) -> None:
        """See whether anything has moved, before the groups in it are read: what moves meanwhile shows next time."""
        self.at_ns = time.monotonic_ns()
        try:
            self.unchanged = self.unchanged + 1 if self._is_unchanged() else 0
        except GroupGone:
            self.close()

    def _is_unchanged(self) -> bool:
        """Read the files until one has moved. What follows it is unknown, and has to be read twice."""
        is_unchanged = bool(self._files)
        for index, file in enumerate(self._files):
            known, counted = self._counted[index], _counted(file)
            self._counted[index] = counted
            if counted is None or counted != known:
                is_unchanged = False
                if counted is None or known is not None:
                    self._counted[index + 1 :] = [None] * (len(self._files) - index - 1)
                    break
        return is_unchanged

    @property
    def is_over(self) -> bool:
        """Whether it tells nothing any more, as after it was removed; there may be another one at its path."""
        return not self._files

    def close(self) -> None:
        """Close its files."""
        for file in self._files:
            file.close()
        self._files = []
        self.unchanged = 0


class QuietFolders:
    """The folders of all groups of a source."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._hierarchy = hierarchy
        self._paths: frozenset[str] = frozenset()
        self._folders: dict[str, QuietFolder] = {}
        self._of: dict[str, QuietFolder] = {}

    def read(self, paths: Set[str]) -> Mapping[str, QuietFolder]:
        """Read all folders that are worth it, and return those that tell of groups.

        Args:
            paths: The paths of all groups, which are read afterwards.

        Returns:
            The folder of each group that one tells of, by the group's path.
        """
        if paths != self._paths:
            self._paths = frozenset(paths)
            self._follow()
        for folder in self._folders.values():
            folder.read()
        return self._of

    def _follow(self) -> None:
        """Look for the innermost folder around each group that holds enough of them."""
        held = Counter(folder for path in self._paths for folder in _around(path))
        innermost = {path: next((one for one in _around(path) if held[one] >= _WORTH), None) for path in self._paths}
        wanted = {folder for folder in innermost.values() if folder is not None}
        for path in [path for path, folder in self._folders.items() if path not in wanted or folder.is_over]:
            self._folders.pop(path).close()
        for path in wanted - self._folders.keys():
            self._folders[path] = QuietFolder(self._hierarchy, path)
        self._of = {path: self._folders[folder] for path, folder in innermost.items() if folder is not None}

    def close(self) -> None:
        """Close all files."""
        for folder in self._folders.values():
            folder.close()
        self._folders.clear()
        self._of.clear()


def _around(path: str) -> Iterator[str]:
    """Yield the folders around a group, from the inside outwards, without the root, which does not count memory."""
    while folder := path.rpartition("/")[0]:
        yield folder
        path = folder


def _counted(file: OpenFile) -> object:
    """Return what a file has counted; `None` if it cannot be read. The averages of pressure fade by themselves."""
    text = file.read()
    return _TOTALS.findall(text) if text is not None and text.startswith(b"some ") else text


def _leaves_groups_out(directories: CgroupDirs) -> bool:
    """Whether memory of the groups in a folder is not charged to it, as v1 allowed before Linux 5.11."""
    switch = directories.v1_file("memory", "memory.use_hierarchy")
    return switch is not None and (read_bytes(switch) or b"1").strip() != b"1"
