"""The control group of a command: in the v2 tree, in those of v1 controllers, or in both."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.kernel.cgroup.processes import pids_below
from collectors.running.own_group import PREFIX, empty, move, own_directories, remove, remove_stale, write
from collectors.running.unified_leaf import UnifiedLeaf, kill_all

_V1 = ("memory", "cpuacct", "cpu", "blkio", "pids")
_PATIENCE_S = 5.0
"""Seconds for killed processes to be gone."""
_POLL_S = 0.01


class NoGroup(Exception):
    """No group can be made; the message says why."""


class RunGroup:
    """Makes the groups, and removes them with `close`.

    Args:
        hierarchy: The trees of this host.
        pid: The command that is held: it is moved into the group.

    Raises:
        NoGroup: This user may not make one in any tree.
    """

    def __init__(self, hierarchy: Hierarchy, pid: int) -> None:
        self.notes: list[str] = []
        """What the kernel does not count, a sentence each."""
        self._pid = pid
        self._name = f"{PREFIX}{os.getpid()}"
        self._unified: UnifiedLeaf | None = None
        self._v1: dict[str, str] = {}
        """Directory of a group -> the directory of vmtop's own in that tree."""
        own = own_directories(hierarchy)
        self.own_directories = own
        """The directories of vmtop's own group before this, by controller or `UNIFIED`."""
        directories: dict[str, str] = {}
        refusal = "no cgroup tree lists this process"
        try:
            for key in (*_V1, UNIFIED):
                if key in own:
                    try:
                        directories[key] = self._made(key, own[key])
                    except OSError as error:
                        refusal = f"{key if key != UNIFIED else 'cgroup v2'}: {error.strerror or error}".lower()
            if not directories:
                raise NoGroup(refusal)
            for directory in dict.fromkeys(directories.values()):
                move([pid], directory)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise NoGroup(f"the command may not be moved into it: {error.strerror or error}".lower()) from error
            raise
        if self._unified is not None and not self._v1 and self._unified.note:
            self.notes.append(self._unified.note)
        if self._v1 and (absent := [key for key in ("memory", "cpuacct") if key in own and key not in directories]):
            self.notes.append(f"no group could be made for {' and '.join(absent)} ({refusal})")
        self.directories = CgroupDirs("", hierarchy, directories)

    @property
    def name(self) -> str:
        """Where the group is, as a path: below the group that vmtop was in."""
        return next(iter(dict.fromkeys(self.directories.directories.values())), "")

    def pids(self) -> list[int]:
        """Return the processes in the group and in all below it."""
        return pids_below(self.directories.all)

    def kill(self) -> int:
        """End what is in the group at once; return how many processes are left."""
        unified = self.directories.unified
        is_killed = unified is not None and kill_all(unified)
        deadline = time.monotonic() + _PATIENCE_S
        while (pids := self.pids()) and time.monotonic() < deadline:
            if not is_killed:
                kill_each(pids, self.pids)
            time.sleep(_POLL_S)
        return len(pids)

    def close(self) -> bool:
        """Remove the groups. What is left in them goes back to vmtop's own; return whether all are gone."""
        is_gone = True
        for directory, own in self._v1.items():
            empty(directory, own)
            is_gone = remove(directory) and is_gone
        if self._unified is not None:
            is_gone = self._unified.close() and is_gone
        self._v1, self._unified = {}, None
        return is_gone

    def _made(self, key: str, own: str) -> str:
        directory = f"{own}/{self._name}"
        if key == UNIFIED:
            self._unified = UnifiedLeaf(own, self._name, {os.getpid(), self._pid})
            return self._unified.directory
        if directory not in self._v1:  # two controllers may share a tree
            remove_stale(own)
            os.mkdir(directory)
            self._v1[directory] = own
            with suppress(OSError):  # before Linux 5.11 a limit above holds below only with it; after, always
                write(f"{directory}/memory.use_hierarchy", "1")
        return directory


def kill_each(pids: Collection[int], members: Callable[[], Collection[int]]) -> None:
    """Kill processes through descriptors: one that has got the pid of a process that ended is no member.

    Args:
        pids: The processes.
        members: Returns those that may be killed, as of now.
    """
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            continue
        with suppress(OSError):
            if pid in members():
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)
