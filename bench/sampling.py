"""What a reading of cgroups costs, beside a loop that only calls `pread` on the same files."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from bench.interval_kept import kept
from bench.made_cgroups import cgroups
from bench.measure import Result, Say, paired, spread
from collectors.kernel.cgroup import fast_files, group
from collectors.kernel.cgroup.fast_files import FastFiles
from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from collectors.kernel.cgroup.open_files import BUFFER
from collectors.kernel.cgroup.slow_files import SlowFiles
from collectors.kernel.cgroup.source import CgroupSource

TITLE = "Reading cgroups"
ABOUT = """
Empty cgroups, made for this in every hierarchy. The loop reads every file that vmtop reads of a busy group at a tick:
those of each tick in full, a fifth of the slow ones. Each is another file, on an open descriptor as far as the limit of
open files lets vmtop keep one, else opened, read and closed, which takes three times as long. vmtop is measured in
three ways, in turn with the loop, in CPU time of the thread; a round is five ticks, so that each group has had its slow
reading. All busy: vmtop is set to read all of them in full. Idle beside a busy one: it reads what can change without
CPU time, but has to look at each group, as if a counter of their folder moved at each tick. All idle: it looks at the
folder. What is left of the growth is the limit of open files: at 10,000 groups it leaves one or two descriptors for
each. The interval is that between the frames of a recording by the screen, which reads, derives, paints and writes
them, over the half minute after the first one: until then, the files of all groups are found and opened, which takes
about a millisecond a group. It was set to 1 s, so that it is not doubled because of the time that readings take. With
BPF (`--bpf`) the groups stand beside a busy one, too; everything of each is read at every sixtieth tick, and the mean
is that of sixty.
"""
SIZES = (10, 100, 1000, 5000, 10_000)
_KEPT_AT = (5000, 10_000)
_BEAT = 5
_NEVER = 1 << 40
Held = tuple[int, str]
"""A file: the descriptor on which it is open, -1 for none, and its path."""
_WARM_UP = 25
"""Readings in which groups without a process are still searched for one."""
_SETTLES = 2
"""Rounds after which groups rest, or are awake."""


class Costs(NamedTuple):
    """CPU time of a reading in seconds."""

    busy: float
    beside: float
    idle: float


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure every size."""
    results: list[Result] = []
    costs: dict[int, Costs] = {}
    for size in SIZES:
        say(f"reading {size:,} cgroups")
        with cgroups(size) as name:
            rows, costs[size] = _measure(size)
            results += rows
            if size == 1000:
                results += _with_bpf(size, name)
            if size in _KEPT_AT:
                results.append(kept(folder / f"kept-{size}.vmtop.gz"))
    for words, index in (("busy", 0), ("idle beside a busy one", 1), ("idle", 2)):
        growth = (costs[10_000][index] / 10_000) / (costs[100][index] / 100)
        results.append(
            Result(
                f"cost of a cgroup at 10,000 compared with 100, all {words}",
                f"{growth:.2f} times ({_descriptors()})",
                "at most 1 (linear growth)",
                growth <= 1.05,
            )
        )
    return results


def _descriptors() -> str:
    return f"{resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,} open files are allowed here"


def _measure(size: int) -> tuple[list[Result], Costs]:
    source = CgroupSource()
    source.open(lambda: None)
    for _ in range(_WARM_UP):
        source.read()
    source._shares.share_out(source._groups.values())
    source._shares.adapt = lambda groups, new: None  # type: ignore[method-assign]  # the loop has these descriptors, too
    every, slow = _files(source)

    def idle() -> float:
        began = time.thread_time()
        for _ in range(_BEAT):
            source.read()
        return (time.thread_time() - began) / _BEAT

    def beside() -> float:
        with mock.patch.object(source._folders, "read", return_value={}):
            return idle()

    def busy() -> float:
        with mock.patch.object(fast_files, "AT_LEAST_EVERY", 1), mock.patch.object(group, "_WHOLE_EVERY", _BEAT):
            return beside()

    results, costs = [], []
    for words, read, most in (("busy", busy, 1.5), ("idle beside a busy one", beside, 1.2), ("idle", idle, 1.2)):
        for _ in range(_SETTLES):
            read()
        ours, theirs, ratio = paired(read, lambda: _bare(every, slow), 7 if size <= 1000 else 3)
        where = _where(source) if size == 1000 and read is idle else ""
        text = f"{ours.middle * 1e3:.1f} ms against {theirs.middle * 1e3:.1f}: {ratio.text()} times{where}"
        mark, reached = (f"at most {most} times", ratio.middle <= most) if size == 1000 else ("-", True)
        results.append(Result(f"a tick of {size:,} cgroups, all {words}, CPU, against pread", text, mark, reached))
        costs.append(ours.middle)
    source.close()
    return results, Costs(*costs)


def _with_bpf(size: int, name: str) -> list[Result]:
    """Measure a tick of the groups below a slice alone, of which BPF tells that nothing has moved."""
    what, mark = (
        f"a tick of {size:,} cgroups, all idle beside a busy one, with BPF, CPU, against pread",
        "at most 0.2 times",
    )
    host = detect()
    trees = {key: f"{root}/{name}" for key, root in host.mounts.items()}
    source = CgroupSource(has_bpf=True, hierarchy=Hierarchy(host.mode, trees))
    source.open(lambda: None)
    for _ in range(_WARM_UP + group.ANYWAY_EVERY):
        reading = source.read()
    if "BPF" not in reading.detail.split(", "):
        source.close()
        return [Result(what, reading.unseen, mark, False)]
    every, slow = _files(source)
    ticks = group.ANYWAY_EVERY

    def quiet() -> float:
        began = time.thread_time()
        with mock.patch.object(source._folders, "read", return_value={}):
            for _ in range(ticks):
                source.read()
        return (time.thread_time() - began) / ticks

    def unread() -> float:
        with mock.patch.object(group, "_SLOW_EVERY", _NEVER), mock.patch.object(group, "ANYWAY_EVERY", _NEVER):
            return quiet()

    ours, theirs, ratio = paired(quiet, lambda: _bare(every, slow), 7)
    least = spread([unread() for _ in range(3)]).middle
    source.close()
    return [
        Result(
            what,
            f"{ours.middle * 1e3:.1f} ms against {theirs.middle * 1e3:.1f}: {ratio.text()} times",
            mark,
            ratio.middle <= 0.2,
        ),
        Result(
            "of which finding that no group has moved; the slow files of a fifth of them, and all of a sixtieth",
            f"{least * 1e3:.1f} ms, {least / size * 1e6:.0f} us a group; {(ours.middle - least) * 1e3:.1f} ms",
        ),
    ]


def _bare(every: list[Held], slow: list[Held]) -> float:
    """Return the CPU seconds of a tick that only reads files."""
    began = time.thread_time()
    for turn in range(_BEAT):
        for file in (*every, *slow[turn::_BEAT]):
            with contextlib.suppress(OSError):  # a group of this host has gone meanwhile
                bare_read(*file)
    return (time.thread_time() - began) / _BEAT


def _where(source: CgroupSource) -> str:
    """Tell which calls of the kernel a reading of resting groups is made of: what is left is vmtop's own."""
    spent: dict[str, float] = {}
    real = {name: getattr(os, name) for name in ("pread", "stat", "open")}

    def timed(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **words: Any) -> Any:
            began = time.thread_time()
            try:
                return real[name](*arguments, **words)
            finally:
                spent[name] = spent.get(name, 0.0) + time.thread_time() - began

        return call

    for name in real:
        setattr(os, name, timed(name))
    try:
        for _ in range(_BEAT):
            source.read()
    finally:
        for name, function in real.items():
            setattr(os, name, function)
    return ", of which " + ", ".join(f"{name} {cost / _BEAT * 1e3:.1f}" for name, cost in spent.items())


def _files(source: CgroupSource) -> tuple[list[Held], list[Held]]:
    """Return what a source reads of its groups: what is read at each tick, and what on the slow beat.

    Each file is another one, on the descriptor that the source has of it, or without one where it has none: both read
    the same under the same limit of open files.
    """
    every: list[Held] = []
    slow: list[Held] = []
    for one in source._groups.values():
        every += _held(one._fast_files)
        slow += _held(one._slow_files)
        if one._process_io is not None:
            every += [(-1, path) for kept in one._process_io._members.values() if (path := kept._path)]
    return _readable(every), _readable(slow)


def _held(of: FastFiles | SlowFiles) -> list[Held]:
    return [(file.descriptor, file._path) for file in of._files if file and file._path]


def _readable(files: list[Held]) -> list[Held]:
    """Leave out what cannot be read, as pressure that is switched off."""
    found = []
    for file in files:
        with contextlib.suppress(OSError):
            bare_read(*file)
            found.append(file)
    return found


def bare_read(descriptor: int, path: str) -> bytes:
    """Read a file in the least calls: one on an open descriptor, three by its path.

    Args:
        descriptor: An open descriptor of the file; -1: there is none.
        path: Where the file is.

    Raises:
        OSError: It cannot be read.
    """
    if descriptor >= 0:
        return os.pread(descriptor, BUFFER, 0)
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(opened, BUFFER)
    finally:
        os.close(opened)
