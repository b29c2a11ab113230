"""A group for the command in the cgroup v2 tree, below vmtop's own.

A group with processes cannot hand controllers down to groups below it ("no internal processes", kernel
Documentation/admin-guide/cgroup-v2.rst). Where only vmtop is in its group, it moves into a leaf of its own for the
time; where others are there too, they are left alone, and the kernel counts only CPU time for the command's group.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

from collectors.kernel.cgroup.processes import members
from collectors.kernel.procfs import read_bytes
from collectors.running.own_group import empty, has_other_runs, move, remove, remove_stale, write

_WANTED = ("cpu", "memory", "io", "pids")
_SWITCHED_ON = "user.vmtop.switched-on"
"""Attribute of a group (Linux 5.7 and newer): what a vmtop has switched on there, for the last one to put back."""


class UnifiedLeaf:
    """The command's group in the v2 tree.

    Args:
        own: The directory of vmtop's own group.
        name: What the new group is called.
        movable: The processes that may be moved with vmtop: it and the command that is held.

    Raises:
        OSError: The group cannot be made.
    """

    def __init__(self, own: str, name: str, movable: Collection[int]) -> None:
        self.directory = f"{own}/{name}"
        self.note = ""
        """Why the kernel does not count everything; empty if it does."""
        self._own = own
        self._aside = f"{own}/{name}-vmtop"
        self._has_moved = False
        self._switched_on: tuple[str, ...] = ()
        remove_stale(own)
        os.mkdir(self.directory)
        try:
            self._hand_down(movable)
        except BaseException:
            self.close()
            raise

    @property
    def controllers(self) -> frozenset[str]:
        """The controllers that count for the group."""
        return _words(f"{self.directory}/cgroup.controllers")

    def close(self) -> bool:
        """Move what is left in it to vmtop's group, remove it, and put back what was changed.

        Returns whether it is gone.

        What is left goes where it would have been without a group of its own.
        """
        target = self._aside if self._has_moved else self._own
        empty(self.directory, target)
        is_gone = remove(self.directory)
        self._put_back()
        if self._has_moved and empty(self._aside, self._own):
            self._has_moved = False
        if not self._has_moved:
            remove(self._aside)
        return is_gone

    def _hand_down(self, movable: Collection[int]) -> None:
        """Switch on the controllers that count."""
        available = _words(f"{self._own}/cgroup.controllers")
        absent = [name for name in _WANTED if name in available and name not in self.controllers]
        if not absent:
            return
        others = 0 if self._is_root() else len(set(members(self._own)) - set(movable))
        if not others and not self._is_root():
            self._step_aside(movable)
        # In a group with processes cpu and pids could be switched on, but then no process could go below.
        refused = absent if others else self._switch_on(absent)
        if refused:
            reason = f"{others} other process{'' if others == 1 else 'es'} are in the group of vmtop itself"
            self.note = (
                f"the kernel does not count {_and(refused)} for the command alone: "
                f"{reason if others else 'it refuses these controllers'}"
            )

    def _switch_on(self, names: Collection[str]) -> list[str]:
        """Switch controllers on, one at a time; return those that the kernel refused."""
        done, refused = [], []
        for name in names:
            try:
                write(f"{self._own}/cgroup.subtree_control", f"+{name}")
                done.append(name)
            except OSError:
                refused.append(name)
        if done:
            with suppress(OSError):
                noted = sorted({*self._noted(), *done})
                os.setxattr(self._own, _SWITCHED_ON, " ".join(noted).encode())
            self._switched_on = (*self._switched_on, *done)
        return refused

    def _step_aside(self, movable: Collection[int]) -> None:
        os.mkdir(self._aside)
        self._has_moved = True
        move(movable, self._aside)

    def _put_back(self) -> None:
        """Switch off what was switched on, unless another vmtop relies on it: the last one does it then."""
        own_names = (os.path.basename(self.directory), os.path.basename(self._aside))
        names = {*self._noted(), *self._switched_on}
        if not names or has_other_runs(self._own, own_names):
            return
        for name in names:
            with suppress(OSError):
                write(f"{self._own}/cgroup.subtree_control", f"-{name}")
        with suppress(OSError):
            os.removexattr(self._own, _SWITCHED_ON)

    def _noted(self) -> list[str]:
        try:
            return os.getxattr(self._own, _SWITCHED_ON).decode("ascii", "replace").split()
        except OSError:
            return []

    def _is_root(self) -> bool:
        """Return whether it is the root of the whole tree, which has no type and may have processes and controllers."""
        return not os.path.exists(f"{self._own}/cgroup.type")


def kill_all(directory: str) -> bool:
    """Have the kernel end all processes of a group at once; return whether it can (Linux 5.14 and newer)."""
    try:
        write(f"{directory}/cgroup.kill", "1")
    except OSError:
        return False
    return True


def _words(path: str) -> frozenset[str]:
    return frozenset((read_bytes(path) or b"").decode("ascii", "replace").split())


def _and(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
