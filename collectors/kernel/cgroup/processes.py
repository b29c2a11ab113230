"""The processes of a cgroup, from /proc: their pids, start times and command lines.

All functions return `None`, or nothing, for a process that has ended or that this user may not read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes, read_process_stat

_DEPTH = 6
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_OFFSETS_READ = 5
"""Times that two clocks are compared; the comparison that took the shortest time counts."""
_CUT_OFF_S = 1.5
"""The second that the kernel truncates, and the drift of the two clocks before it reports a new value."""


class Guest(NamedTuple):
    """A virtual machine as its QEMU process's command line describes it; `None` where it does not."""

    uuid: str | None
    name: str | None


def members(directory: str) -> list[int]:
    """Return the pids directly in a cgroup. A threaded v2 cgroup has none."""
    return pids_in(read_bytes(f"{directory}/cgroup.procs") or b"")


def pids_in(text: bytes) -> list[int]:
    """Return the pids in the text of a `cgroup.procs`."""
    return [int(word) for word in text.split() if word.isdigit() and word != b"0"]  # 0: of another pid namespace


def folders(directory: str, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the directories of a cgroup and all below it, outermost first."""
    yield directory
    if depth == 0 or _is_leaf(directory):
        return
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        yield from folders(f"{directory}/{name}", depth - 1)


def _is_leaf(directory: str) -> bool:
    """Whether a cgroup has no cgroup below it, by the link count of kernfs: ten times as fast as a listing."""
    try:
        return os.stat(directory).st_nlink == 2
    except OSError:
        return True


def first_pid(directories: Iterable[str]) -> int | None:
    """Return the lowest pid in or below one cgroup, given its directory in each hierarchy.

    The first hierarchy with any of its processes is used: QEMU's are spread differently over each v1 hierarchy.
    """
    for directory in directories:
        for folder in folders(directory):
            if pids := members(folder):
                return min(pids)
    return None


def pids_below(directories: Iterable[str]) -> list[int]:
    """List all processes in or below one cgroup, given its directory in each hierarchy; see `first_pid`."""
    for directory in directories:
        if pids := [pid for folder in folders(directory) for pid in members(folder)]:
            return pids
    return []


def one_per_network(proc: str, pids: Iterable[int]) -> list[int]:
    """Return one of the processes for each network namespace, and all whose namespace may not be seen."""
    first: dict[str, int] = {}
    unseen: list[int] = []
    for pid in pids:
        if (network := network_namespace(proc, pid)) is None:
            unseen.append(pid)
        else:
            first.setdefault(network, pid)
    return [*first.values(), *unseen]


def started_at(proc: str, pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; exact to a clock tick (10 ms)."""
    stat = read_process_stat(proc, pid)
    booted = booted_at(proc)
    return None if stat is None or booted is None else booted + stat.start_ticks / _TICKS_PER_SECOND


def booted_at(proc: str) -> float | None:
    """Return when the kernel that wrote a procfs was started, in seconds since 1970.

    `btime` of /proc/stat has whole seconds only; for the running kernel, the clocks supply the fraction.
    """
    text = read_bytes(f"{proc}/stat") or b""
    start = text.find(b"\nbtime ")
    fields = text[start + 7 :].split(None, 1) if start >= 0 else []
    return _refined(int(fields[0])) if fields and fields[0].isdigit() else None


@lru_cache(maxsize=4)
def _refined(btime: int) -> float:
    """Add the fraction of a second that the kernel truncated.

    Cached while `btime` is the same: a value that differed at every reading would make workloads look changed.
    """
    exact = min((_clock_offset() for _ in range(_OFFSETS_READ)), key=lambda offset: offset.uncertainty_s).offset_s
    return exact if abs(exact - btime) < _CUT_OFF_S else float(btime)


class _Offset(NamedTuple):
    uncertainty_s: float
    offset_s: float


def _clock_offset() -> _Offset:
    """Return the wall clock less the time since the boot; on a busy host this process may have to wait between them."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    now = time.time()
    after = time.clock_gettime(time.CLOCK_BOOTTIME)
    return _Offset(after - before, now - (before + after) / 2)


def command(proc: str, pid: int) -> list[bytes]:
    """Return the words of a process's command line; empty for a zombie and for a kernel thread."""
    return (read_bytes(f"{proc}/{pid}/cmdline") or b"").split(b"\0")[:-1]


def guest(command_line: list[bytes]) -> Guest:
    """Read the machine's UUID and name from QEMU's command line: `-uuid X`, `-name guest=N,...` or `-name N`."""
    uuid = name = None
    for option, value in pairwise(command_line):
        text = value.decode("utf-8", "replace")
        if option in (b"-uuid", b"--uuid"):
            uuid = text.lower()
        elif option in (b"-name", b"--name"):
            # QEMU doubles a comma that belongs to the value
            name_option = text.replace(",,", "\0").split(",")[0].replace("\0", ",")
            name = name_option.removeprefix("guest=")
    return Guest(uuid, name)


def engine_of(proc: str, pid: int) -> str | None:
    """Return the engine that started a container's first process, by its parent's program; `None` when unknown."""
    stat = read_process_stat(proc, pid)
    parent = None if stat is None else stat.parent_pid
    words = command(proc, parent) if parent else []
    if not words:
        return None
    program = words[0].rpartition(b"/")[2]
    if program.startswith(b"containerd-shim"):
        return "docker" if b"moby" in words else "containerd"
    return {b"conmon": "podman", b"dockerd": "docker"}.get(program)


def network_namespace(proc: str, pid: int | str) -> str | None:
    """Return the identity of a process's network namespace, `net:[4026531840]`; `None` if this user may not see it."""
    try:
        return os.readlink(f"{proc}/{pid}/ns/net")
    except OSError:
        return None


def host_network_namespace(proc: str) -> str | None:
    """Return the identity of the host's network namespace; vmtop's own where process 1 cannot be seen."""
    return network_namespace(proc, 1) or network_namespace(proc, "self")
