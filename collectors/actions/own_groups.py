"""The control groups of vmtop and of its ancestors: the shell, sudo, tmux and the login that started it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from collectors.safety.permissions import read_if_allowed

_PARENT = re.compile(r"^PPid:\s*(\d+)$", re.MULTILINE)
_ANCESTORS_AT_MOST = 100
"""Ancestors. If process ids are reused while the chain is read, it could be a ring."""


def own_groups(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the paths of this process's control groups."""
    return _groups(proc / "self")


def ancestors_groups(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the paths of the control groups of all ancestors of this process, without its own."""
    return frozenset(group for pid in _ancestors(proc) for group in _groups(proc / pid)) - own_groups(proc)


def own_and_ancestors(proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Return `self` and the process ids of this process's ancestors, nearest first."""
    return ("self", *_ancestors(proc))


def _ancestors(proc: Path) -> Iterator[str]:
    """Yield the process ids of the ancestors, nearest first, as far as this user or container can see them."""
    pid = "self"
    for _ in range(_ANCESTORS_AT_MOST):
        parent = _PARENT.search(read_if_allowed(proc / pid / "status"))
        if parent is None or parent[1] == "0":
            return
        pid = parent[1]
        yield pid


def _groups(process: Path) -> frozenset[str]:
    lines = read_if_allowed(process / "cgroup").splitlines()
    return frozenset(line.split(":", 2)[2] for line in lines if line.count(":") >= 2)
