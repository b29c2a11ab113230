"""A transient scope of systemd for vmtop and the command, by its D-Bus (org.freedesktop.systemd1(5)).

vmtop goes into the scope too: it lasts as long as either of them, so that the counters can be read after the command's
end, and systemd removes it whatever happens to vmtop. The scope is delegated: groups below it are vmtop's to make.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence

from collectors.engines.systemd.bus import SystemBus, system_bus, user_bus
from collectors.kernel.cgroup.hierarchy import SYSTEMD, UNIFIED, Hierarchy
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.processes import members
from collectors.model.errors import SourceError
from collectors.running.own_group import PREFIX, own_paths
from collectors.safety.redact import redact_words
from collectors.safety.sanitize import sanitize

BOOTED = "/run/systemd/system"
"""Is there if systemd is the first process (sd_booted(3))."""
_PATH = "/org/freedesktop/systemd1"
_DELEGATED = ("user.delegate", "trusted.delegate")
_JOB_S = 10.0
_MOVED_S = 1.0
_POLL_S = 0.01
_USER_MANAGER = "/user@"


class NoScope(Exception):
    """There is no scope; the message says why, and is empty where systemd does not run."""


def enter_scope(pids: Sequence[int], words: Sequence[str], hierarchy: Hierarchy) -> str:
    """Move processes, this one among them, into a new scope, and return its name.

    Raises:
        NoScope: systemd does not run, refuses or does not answer, a limit would no longer hold, or vmtop has been given
            a group in which it is alone, or is itself measured by another vmtop.
    """
    path = _own_path(hierarchy)
    if not os.path.isdir(BOOTED) or f"/{PREFIX}" in path or is_given(hierarchy, path, pids):
        raise NoScope("")
    if lost := lost_limit(path, Limits(hierarchy)):
        raise NoScope(f"not in a scope of systemd: {lost} would not hold there")
    name = f"{PREFIX}{os.getpid()}.scope"
    properties = _properties(pids, words, slice_of(path, is_user=os.geteuid() != 0))
    try:
        with system_bus() if os.geteuid() == 0 else user_bus() as bus:
            _start(bus, name, properties)
    except SourceError as error:
        raise NoScope(f"not in a scope of systemd: {sanitize(error.reason)}") from error
    deadline = time.monotonic() + _MOVED_S
    while not _own_path(hierarchy).endswith(f"/{name}"):
        if time.monotonic() > deadline:
            raise NoScope("not in a scope of systemd: it made one without moving this process there")
        time.sleep(_POLL_S)
    return name


def is_given(hierarchy: Hierarchy, path: str, pids: Collection[int]) -> bool:
    """Return whether systemd has delegated a group of v2 to the processes in it, and there are no others.

    Source: https://systemd.io/CGROUP_DELEGATION/; it marks such a group with an attribute.
    """
    directory = f"{hierarchy.v2}{path}"
    if hierarchy.v2 is None or not set(members(directory)) <= set(pids):
        return False
    for name in _DELEGATED:
        try:
            if os.getxattr(directory, name) == b"1":
                return True
        except OSError:
            continue
    return False


def slice_of(path: str, is_user: bool) -> str:
    """Return the innermost slice that a group is in, by its path; empty where the manager should choose.

    Args:
        path: A path below the root of the tree.
        is_user: Whether the manager of a user is asked: it has the slices below its own unit.
    """
    if is_user:
        _, manager, path = path.partition(_USER_MANAGER)
        if not manager:
            return ""
    return next((part for part in reversed(path.split("/")) if part.endswith(".slice")), "")


def lost_limit(path: str, limits: Limits) -> str:
    """Return which limit of a group would not hold in a scope next to it; empty if none."""
    parts = path.split("/")
    depth = max((number for number, part in enumerate(parts) if part.endswith(".slice")), default=0)
    outer = "/".join(parts[: depth + 1])
    if limits.memory_bytes(path) != limits.memory_bytes(outer):
        return f"the memory limit of {sanitize(path)}"
    if limits.cores(path) != limits.cores(outer):
        return f"the CPU limit of {sanitize(path)}"
    return ""


def _own_path(hierarchy: Hierarchy) -> str:
    paths = own_paths()
    keys = [UNIFIED] if "memory" not in hierarchy.mounts else ["memory", SYSTEMD, UNIFIED]
    return next((paths[key] for key in keys if paths.get(key)), "")


def _properties(pids: Sequence[int], words: Sequence[str], slice_name: str) -> list[tuple[str, tuple[str, object]]]:
    accounting = ("MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting")
    return [
        ("Description", ("s", sanitize(f"vmtop run {' '.join(redact_words(words))}"))),
        ("PIDs", ("au", list(pids))),
        ("Delegate", ("b", True)),
        ("CollectMode", ("s", "inactive-or-failed")),
        *((name, ("b", True)) for name in accounting),
        *([("Slice", ("s", slice_name))] if slice_name else []),
    ]


def _start(bus: SystemBus, name: str, properties: list[tuple[str, tuple[str, object]]]) -> None:
    body: tuple[object, ...] = (name, "fail", properties, [])
    result = bus.await_job(_PATH, "StartTransientUnit", "ssa(sv)a(sa(sv))", body, _JOB_S)
    if result != "done":
        raise SourceError(f"the job of {name} ended with {result or 'no answer'}")
