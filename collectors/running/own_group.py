"""In which directory of each cgroup tree this process is, and the few writes that groups need."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from collectors.kernel.cgroup.hierarchy import SYSTEMD, UNIFIED, Hierarchy
from collectors.kernel.cgroup.processes import folders, members
from collectors.kernel.procfs import read_bytes

PREFIX = "vmtop-run-"
"""Groups that vmtop makes are called so, and by the pid of their vmtop."""
_OF_VMTOP = re.compile(rf"{PREFIX}(\d+)")
_DEPTH = 32
"""Levels of groups that a command may make below its own; more are left to the kernel's own order."""
_PATIENCE_S = 1.0
"""Seconds for processes that are on their way out of a group."""
_POLL_S = 0.01


def own_paths(proc: str = "/proc", pid: int | str = "self") -> dict[str, str]:
    """Return a process's path in each tree, by controller or `UNIFIED`; the root is empty."""
    paths: dict[str, str] = {}
    for line in (read_bytes(f"{proc}/{pid}/cgroup") or b"").decode("utf-8", "surrogateescape").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        keys = [UNIFIED] if number == "0" and not controllers else controllers.split(",")
        paths.update(dict.fromkeys(keys, "" if path == "/" else path))
    return paths


def own_directories(hierarchy: Hierarchy) -> dict[str, str]:
    """Return the directory that this process is in, by controller or `UNIFIED`, in the trees where it can be found.

    In a container the path may be that of the host while the mount shows only a part of the tree: a directory counts
    if this process is listed in it. The tree of systemd's own (`name=systemd`) is left out.
    """
    paths, pid = own_paths(), os.getpid()
    found: dict[str, str] = {}
    for key, mount in hierarchy.mounts.items():
        if key == SYSTEMD or key not in paths:
            continue
        for directory in (f"{mount}{paths[key]}", mount):
            if pid in members(directory):
                found[key] = directory
                break
    return found


def write(path: str, text: str) -> None:
    """Write into a file of the kernel.

    Raises:
        OSError: The kernel refuses.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def pids_of(directory: str) -> list[int]:
    """Return the processes in a group and in all below it."""
    return [pid for folder in folders(directory, _DEPTH) for pid in members(folder)]


def move(pids: Iterable[int], directory: str) -> None:
    """Move processes into a group; those that have ended meanwhile are passed over.

    Raises:
        OSError: The kernel refuses.
    """
    for pid in pids:
        with suppress(ProcessLookupError):
            write(f"{directory}/cgroup.procs", str(pid))


def empty(directory: str, target: str) -> bool:
    """Move everything out of a group, and out of those below it; return whether it is empty then."""
    for _ in _turns():
        if not (pids := pids_of(directory)):
            return True
        try:
            move(pids, target)
        except OSError:
            return False
    return False


def remove(directory: str) -> bool:
    """Remove a group and those below it, which have to be empty; return whether it is gone."""
    for _ in _turns():  # a process that was just killed holds its group for a moment
        for folder in reversed(list(folders(directory, _DEPTH))):
            with suppress(OSError):
                os.rmdir(folder)
        if not os.path.isdir(directory):
            return True
        if pids_of(directory):
            return False
    return False


def remove_stale(directory: str) -> None:
    """Remove the empty groups below one that an earlier vmtop left because it was killed."""
    with suppress(OSError):
        for name in os.listdir(directory):
            match = _OF_VMTOP.match(name)
            if match and not os.path.exists(f"/proc/{match[1]}") and not pids_of(f"{directory}/{name}"):
                for folder in reversed(list(folders(f"{directory}/{name}", _DEPTH))):
                    with suppress(OSError):
                        os.rmdir(folder)


def has_other_runs(directory: str, own_names: Collection[str]) -> bool:
    """Return whether a group below one belongs to another vmtop, by the names of this one's groups."""
    try:
        return any(_OF_VMTOP.match(name) and name not in own_names for name in os.listdir(directory))
    except OSError:
        return False


def _turns() -> Iterator[None]:
    """Yield until the patience with processes that are on their way is over."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        yield
        if time.monotonic() > deadline:
            return
        time.sleep(_POLL_S)
