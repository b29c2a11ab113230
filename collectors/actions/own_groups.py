"""Where vmtop and all that it was started from run: the shell, sudo, tmux and the login above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from collectors.safety.permissions import read_if_allowed

_PARENT = re.compile(r"^PPid:\s*(\d+)$", re.MULTILINE)
_MOST = 100
"""Ancestors. A chain that was read while processes ended and their numbers were used anew could be a ring."""


def own_groups(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the paths of this process's control groups."""
    return _groups(proc / "self")


def ancestors_groups(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the paths of the control groups of all processes above this one, less its own."""
    return frozenset(group for pid in _ancestors(proc) for group in _groups(proc / pid)) - own_groups(proc)


def _ancestors(proc: Path) -> Iterator[str]:
    """Yield the parent, its parent, and so on to the first process, as far as this user, or container, may see."""
    pid = "self"
    for _ in range(_MOST):
        found = _PARENT.search(read_if_allowed(proc / pid / "status"))
        if found is None or found[1] == "0":
            return
        pid = found[1]
        yield pid


def _groups(process: Path) -> frozenset[str]:
    lines = read_if_allowed(process / "cgroup").splitlines()
    return frozenset(line.split(":", 2)[2] for line in lines if line.count(":") >= 2)
