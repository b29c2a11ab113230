"""Which cgroup version this host runs, and where each controller is mounted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum

UNIFIED = "unified"
"""Key of the cgroup v2 mount among the controllers."""
SYSTEMD = "name=systemd"
CONTROLLERS = ("cpu", "cpuacct", "memory", "blkio", "pids", "cpuset", "freezer", "hugetlb", SYSTEMD)
_COUNTED = frozenset({"cpu", "cpuacct", "memory", "blkio", "pids"})
"""A v1 mount of one of these makes a host with a v2 mount a hybrid. net_cls alone (as some VPNs use it) does not."""
_WALKED = (UNIFIED, "memory", "cpuacct", "cpu", "pids", SYSTEMD)
_HUGETLB_CHARGED = "memory_hugetlb_accounting"
"""Mount option of cgroup v2 (Linux 6.7 and newer): memory.current includes hugepages."""
_LOCAL_EVENTS = "memory_localevents"
"""Mount option of cgroup v2: memory.events counts what happened in the group itself only, as v1 does."""
_INITIAL_NAMESPACE = "cgroup:[4026531835]"
"""PROC_CGROUP_INIT_INO of include/linux/proc_ns.h: the same on every kernel."""


class Mode(StrEnum):
    """Which cgroup version supplies the numbers."""

    V2 = "v2"
    HYBRID = "hybrid"
    """v1 controllers, with a v2 tree next to them that counts CPU time and pressure."""
    V1 = "v1"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The mounted cgroup trees."""

    mode: Mode
    mounts: dict[str, str] = field(default_factory=dict)
    """Controller (or `UNIFIED`) -> absolute directory of its tree, without a slash at the end."""
    is_private: bool = False
    """Whether only a part of the host's tree is visible: the own cgroup namespace."""
    is_hugetlb_charged: bool = False
    """Whether hugepages are in the memory that is charged; as a rule they are not."""
    has_local_events: bool = False
    """Whether a group's memory events leave out those of the groups below it: always so on v1, by an option on v2."""

    def v1(self, controller: str) -> str | None:
        """Return the root of a v1 controller's tree; `None` when v1 does not have it."""
        return self.mounts.get(controller)

    @property
    def v2(self) -> str | None:
        """The root of the v2 tree, if there is one."""
        return self.mounts.get(UNIFIED)

    @property
    def walked(self) -> tuple[str, ...]:
        """The trees in which workloads are looked for, each once."""
        return tuple(dict.fromkeys(self.mounts[key] for key in _WALKED if key in self.mounts))


def detect(root: str = "/sys/fs/cgroup", proc: str = "/proc") -> Hierarchy:
    """Find the cgroup trees at or below a directory.

    The mount table is asked first. A directory that is not a mount, such as a captured tree, is judged by its layout.
    """
    root = root.rstrip("/")
    mounts, visible_roots, v2_options = _mounts_below(root, _read(f"{proc}/self/mountinfo"))
    if not mounts:
        mounts = _layout(root)
    is_private = bool(visible_roots) and _is_private(visible_roots, proc)
    has_v1_memory = "memory" in mounts
    return Hierarchy(
        _mode(mounts),
        mounts,
        is_private,
        is_hugetlb_charged=not has_v1_memory and _HUGETLB_CHARGED in v2_options,
        has_local_events=has_v1_memory or _LOCAL_EVENTS in v2_options,
    )


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def decode_path(path: str) -> str:
    """Undo the octal escapes of mountinfo: space, tab, newline, backslash."""
    for escaped, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(escaped, character)
    return path


def _mounts_below(root: str, mountinfo: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the cgroup mounts at or below a directory, the root of the part that each shows, and the options of v2."""
    mounts: dict[str, str] = {}
    visible_roots: list[str] = []
    v2_options: list[str] = []
    for line in mountinfo.splitlines():
        mount_part, _, filesystem_part = line.partition(" - ")
        mount, filesystem = mount_part.split(), filesystem_part.split()
        if len(mount) < 5 or len(filesystem) < 3 or filesystem[0] not in ("cgroup", "cgroup2"):
            continue
        point = decode_path(mount[4])
        if point != root and not point.startswith(root + "/"):
            continue
        options = filesystem[2].split(",")
        if filesystem[0] == "cgroup2":
            controllers, v2_options = [UNIFIED], options
        else:
            controllers = [option for option in options if option in CONTROLLERS]
        mounts.update(dict.fromkeys(controllers, point))  # a later mount on the same point hides the earlier
        if controllers:
            visible_roots.append(mount[3])
    return mounts, visible_roots, v2_options


def _layout(root: str) -> dict[str, str]:
    """Guess the trees from a directory's layout, by the names under which distributions mount them."""
    if os.path.exists(f"{root}/cgroup.controllers"):
        return {UNIFIED: root}
    mounts: dict[str, str] = {}
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return mounts
    for name in names:
        directory = f"{root}/{name}"
        if not os.path.exists(f"{directory}/cgroup.procs"):
            continue
        if os.path.exists(f"{directory}/cgroup.controllers"):
            mounts[UNIFIED] = directory
        elif name == "systemd":
            mounts[SYSTEMD] = directory
        else:
            mounts.update({part: directory for part in name.split(",") if part in CONTROLLERS})
    return mounts


def _mode(mounts: dict[str, str]) -> Mode:
    has_v1 = not _COUNTED.isdisjoint(mounts)
    if UNIFIED in mounts:
        return Mode.HYBRID if has_v1 else Mode.V2
    return Mode.V1 if has_v1 else Mode.NONE


def _is_private(visible_roots: list[str], proc: str) -> bool:
    """Return whether the mounts show only a part of the host's tree.

    Seen from a private namespace, a mount that reaches further up has a root that begins with `/..`.
    """
    try:
        namespace = os.readlink(f"{proc}/self/ns/cgroup")
    except OSError:
        namespace = _INITIAL_NAMESPACE
    if namespace == _INITIAL_NAMESPACE:
        return any(root != "/" and not root.startswith("/..") for root in visible_roots)
    return any(not root.startswith("/..") for root in visible_roots)
