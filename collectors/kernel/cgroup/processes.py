"""The processes of a cgroup, from /proc: their pids, start times and command lines.

All functions return `None`, or nothing, for a process that has ended or that this user may not read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from collectors.kernel.cgroup.discovery import is_nested_workload
from collectors.kernel.procfs import Process, read_bytes, read_process_stat
from collectors.model.workloads import Kind

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


def folders(directory: str, depth: int = _DEPTH, skips: Callable[[str], bool] = lambda name: False) -> Iterator[str]:
    """Yield the directories of a cgroup and all below it, outermost first.

    Args:
        directory: The cgroup's directory in one hierarchy.
        depth: How many levels below it are looked at.
        skips: Whether to leave out a cgroup below it, and what is below that, by its name.
    """
    yield directory
    if depth == 0 or _is_leaf(directory):
        return
    try:
        with os.scandir(directory) as entries:
            names = sorted(
                entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and not skips(entry.name)
            )
    except OSError:
        return
    for name in names:
        yield from folders(f"{directory}/{name}", depth - 1, skips)


def _is_leaf(directory: str) -> bool:
    """Whether a cgroup has no cgroup below it, by the link count of kernfs: ten times as fast as a listing."""
    try:
        return os.stat(directory).st_nlink == 2
    except OSError:
        return True


def first_process(directories: Iterable[str], proc: str, kind: Kind = Kind.CONTAINER) -> Process | None:
    """Return the process of a workload that started first; of a virtual machine, its QEMU process.

    The pid does not show it: pids start from the bottom again after `kernel.pid_max`. Zombies, which have no namespaces
    any more, count only when there is nothing else, and processes of workloads nested in it do not count.

    Args:
        directories: The workload's cgroup in each hierarchy. The first one with any of its processes is used: QEMU's
            are spread differently over each v1 hierarchy.
        proc: The path of procfs.
        kind: What the workload is. A machine's TPM and file system daemons start before its QEMU.
    """
    for directory in directories:
        pids = [pid for folder in folders(directory, skips=is_nested_workload) for pid in members(folder)]
        if pids:
            in_order = _by_start(proc, pids)
            machines = (process for process in in_order if guest(command(proc, process.pid)).uuid)
            return next(machines, in_order[0]) if kind is Kind.VM else in_order[0]
    return None


def _by_start(proc: str, pids: list[int]) -> list[Process]:
    """Sort processes by their start: first those that run, then zombies, then those that may not be seen."""
    stats = {pid: read_process_stat(proc, pid) for pid in pids}
    alive = [(stat.is_zombie, stat.start_ticks, pid) for pid, stat in stats.items() if stat is not None]
    unseen = sorted(pid for pid, stat in stats.items() if stat is None)
    return [*(Process(pid, ticks) for _, ticks, pid in sorted(alive)), *(Process(pid, None) for pid in unseen)]


def pids_below(directories: Iterable[str]) -> list[int]:
    """List all processes in or below one cgroup, given its directory in each hierarchy; see `first_process`."""
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


def started_at(proc: str, process: Process) -> float | None:
    """Return when a process began, in seconds since 1970; exact to a clock tick (10 ms)."""
    booted = booted_at(proc) if process.start_ticks is not None else None
    return None if process.start_ticks is None or booted is None else booted + process.start_ticks / _TICKS_PER_SECOND


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


def monitor_name(proc: str, pid: int, container: str) -> tuple[str, str | None] | None:
    """Return a container's name, and its pod as `namespace/pod`, from the command line of its conmon.

    `conmon -c ID -n NAME` is the parent of the first process for Podman and CRI-O, and every user may see it. CRI-O's
    names are `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`.

    Args:
        proc: The path of procfs.
        pid: The container's first process.
        container: Its full id: a container can only be named by its own monitor.
    """
    stat = read_process_stat(proc, pid)
    words = command(proc, stat.parent_pid) if stat is not None and stat.parent_pid else []
    options = dict(pairwise(word.decode("utf-8", "replace") for word in words))
    name = options.get("-n", "")
    if not words or words[0].rpartition(b"/")[2] != b"conmon" or options.get("-c") != container or not name:
        return None
    parts = name.split("_")
    return (parts[1], f"{parts[3]}/{parts[2]}") if parts[0] == "k8s" and len(parts) == 6 else (name, None)


def network_namespace(proc: str, pid: int | str) -> str | None:
    """Return the identity of a process's network namespace, `net:[4026531840]`; `None` if this user may not see it."""
    try:
        return os.readlink(f"{proc}/{pid}/ns/net")
    except OSError:
        return None


def host_network_namespace(proc: str) -> str | None:
    """Return the identity of the host's network namespace; vmtop's own where process 1 cannot be seen."""
    return network_namespace(proc, 1) or network_namespace(proc, "self")
