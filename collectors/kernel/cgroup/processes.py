"""What /proc tells about the processes of a cgroup: which they are, when they began, what they were started as.

All functions answer `None`, or nothing, for a process that has gone or may not be looked at.
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
"""A whole second that the kernel cuts off, and what the two clocks drift apart before it says a new one."""


class Guest(NamedTuple):
    """What the command line of a QEMU process says about its machine."""

    uuid: str | None
    name: str | None


def members(directory: str) -> list[int]:
    """List the processes directly in a cgroup. A threaded v2 cgroup has none of its own."""
    return pids_in(read_bytes(f"{directory}/cgroup.procs") or b"")


def pids_in(text: bytes) -> list[int]:
    """Return the processes that a `cgroup.procs` names."""
    return [int(word) for word in text.split() if word.isdigit() and word != b"0"]  # 0: of another pid namespace


def folders(directory: str, depth: int = _DEPTH) -> Iterator[str]:
    """Walk a cgroup and all below it, outermost first."""
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
    """Whether a cgroup has no other below: kernfs counts them in the links. A tenth of the price of a listing."""
    try:
        return os.stat(directory).st_nlink == 2
    except OSError:
        return True


def first_pid(directories: Iterable[str]) -> int | None:
    """Return the lowest pid in or below one cgroup, given its directory in each hierarchy.

    The first hierarchy that knows any of its processes answers: QEMU's are spread differently over each of v1's.
    """
    for directory in directories:
        for folder in folders(directory):
            if pids := members(folder):
                return min(pids)
    return None


def started_at(proc: str, pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; exact to a clock tick (10 ms)."""
    stat = read_process_stat(proc, pid)
    booted = booted_at(proc)
    return None if stat is None or booted is None else booted + stat.start_ticks / _TICKS_PER_SECOND


def booted_at(proc: str) -> float | None:
    """Return when the kernel that wrote a procfs began, in seconds since 1970.

    `btime` of /proc/stat has whole seconds only; of the running kernel the clocks tell the rest.
    """
    text = read_bytes(f"{proc}/stat") or b""
    at = text.find(b"\nbtime ")
    words = text[at + 7 :].split(None, 1) if at >= 0 else []
    return _refined(int(words[0])) if words and words[0].isdigit() else None


@lru_cache(maxsize=4)
def _refined(btime: int) -> float:
    """Add the part of a second that the kernel cut off.

    Kept for as long as the kernel says the same: a value that moved with every look would make workloads look changed.
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


def guest(words: list[bytes]) -> Guest:
    """Read the machine's UUID and name from QEMU's command line: `-uuid X`, `-name guest=N,...` or `-name N`."""
    uuid = name = None
    for option, value in pairwise(words):
        text = value.decode("utf-8", "replace")
        if option in (b"-uuid", b"--uuid"):
            uuid = text.lower()
        elif option in (b"-name", b"--name"):
            # QEMU doubles a comma that belongs to the value
            first = text.replace(",,", "\0").split(",")[0].replace("\0", ",")
            name = first.removeprefix("guest=")
    return Guest(uuid, name)


def engine_of(proc: str, pid: int) -> str | None:
    """Tell which engine started a container's first process, by what its parent is; `None` when that does not show."""
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
    """Return the identity of a process's network namespace, `net:[4026531840]`; `None` without the right to see it."""
    try:
        return os.readlink(f"{proc}/{pid}/ns/net")
    except OSError:
        return None


def host_network_namespace(proc: str) -> str | None:
    """Return the identity of the host's network namespace; the own one stands in where process 1 may not be seen."""
    return network_namespace(proc, 1) or network_namespace(proc, "self")
