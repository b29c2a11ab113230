"""The shim of containerd that serves a container, as its command line tells it.

containerd starts it as `containerd-shim-runc-v2 -namespace NS -id ID -address SOCKET` (containerd's runtime v2).
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes, read_process_stat

_NAME = b"containerd-shim"
_OWN_SPACES = ("pid", "user")


class Shim(NamedTuple):
    """Where containerd can be asked about the containers of a shim."""

    namespace: str
    address: str
    """Path of containerd's socket."""


def shim_of(proc: str, pid: int) -> Shim | None:
    """Return the shim that is the parent of a container's first process; `None` without one that can be believed.

    Any program can call itself a shim. One that counts runs as root, and in the namespaces of this process: not in a
    container.
    """
    stat = read_process_stat(proc, pid)
    parent = 0 if stat is None else stat.parent_pid
    words = (read_bytes(f"{proc}/{parent}/cmdline") or b"").split(b"\0")[:-1] if parent else []
    if not words or not words[0].rpartition(b"/")[2].startswith(_NAME) or not _is_of_host(proc, parent):
        return None
    options = dict(pairwise(words))
    namespace, address = (options.get(key, b"").decode("utf-8", "replace") for key in (b"-namespace", b"-address"))
    return Shim(namespace, address) if namespace and address else None


def _is_of_host(proc: str, pid: int) -> bool:
    try:
        if os.stat(f"{proc}/{pid}").st_uid != 0:
            return False
        return all(
            os.readlink(f"{proc}/{pid}/ns/{space}") == os.readlink(f"{proc}/self/ns/{space}") for space in _OWN_SPACES
        )
    except OSError:
        return False
