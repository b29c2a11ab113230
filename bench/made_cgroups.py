"""Cgroups that a measurement makes: gone when it ends, however it ends, or else when the next one begins."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.ending import ended_by_signals, of_dead_runs
from collectors.kernel.cgroup.hierarchy import detect

_NAME = "vmtop-bench-{}.slice"


def hierarchies() -> list[str]:
    """Return the directories of this host's hierarchies, that of v2 first."""
    hierarchy = detect()
    return [root for root in dict.fromkeys([hierarchy.v2, *hierarchy.mounts.values()]) if root]


@contextlib.contextmanager
def cgroups(count: int, roots: Iterable[str] | None = None) -> Iterator[str]:
    """Make so many cgroups in every hierarchy, below a slice of our own; remove them at the end.

    A signal that ends the process becomes the end of this first. What runs left that were killed is removed too.

    Args:
        count: How many.
        roots: The directories of the hierarchies; those of this host by default.
    """
    roots = hierarchies() if roots is None else list(roots)
    sweep(roots)
    name = _NAME.format(os.getpid())
    with ended_by_signals():
        try:
            for root in roots:
                for path in (f"{root}/{name}", *(f"{root}/{name}/w{number}.service" for number in range(count))):
                    os.mkdir(path)
            yield name
        finally:
            for root in roots:
                _remove(Path(root) / name)


def sweep(roots: Iterable[str], name: str = _NAME) -> list[Path]:
    """Remove the groups of runs that are no more; return them.

    One in which a process is, or that somebody else may not remove, stays.

    Args:
        roots: The directories of the hierarchies.
        name: What they are called there, with `{}` for the process id of the run.
    """
    found = []
    for root in roots:
        for slice_directory in of_dead_runs(Path(root), name):
            with contextlib.suppress(OSError):
                _remove(slice_directory)
                found.append(slice_directory)
    return found


def _remove(slice_directory: Path) -> None:
    """Remove a slice and the groups in it, whose files go with them; nothing if it is gone."""
    with contextlib.suppress(FileNotFoundError):
        for entry in [*os.scandir(slice_directory)]:
            if entry.is_dir(follow_symlinks=False):
                os.rmdir(entry.path)
        os.rmdir(slice_directory)
