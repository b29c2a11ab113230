"""A service of Podman that its socket starts for a call, and that ends a few seconds after the last one.

vmtop would keep it running by asking every two seconds, or with a stream of events. Podman writes each change of a
container's state to its database: as long as that file stays the same, there is nothing to ask.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from collectors.engines.podman.sockets import ROOTS_SOCKET
from collectors.kernel import procfs
from collectors.safety.peers import Peer

SELDOM_S = 60.0
"""Seconds between two lists while the database stays the same: health, which is not in it, may have changed."""
BLIND_S = 15.0
"""The same where the service is outside of this process namespace, and so most likely its database too."""
_SERVICE = b"podman"
_DATABASES = ("db.sql", "libpod/db.sql", "libpod/bolt_state.db")
"""Below Podman's storage: SQLite, of Podman 4.8 and later, and BoltDB."""
_IN_STORAGE = 3
"""How many folders a container's own, `<driver>-containers/<id>/userdata`, is below the storage."""

_ROOTS = "/var/lib/containers/storage"
"""Root's storage, unless root's settings say otherwise; a container tells."""

Version = tuple[tuple[int, int], ...]


class OnDemand:
    """When to ask such a service."""

    def __init__(self, storage: str = "", seldom_s: float = SELDOM_S) -> None:
        self._storage = storage
        self._seldom_s = seldom_s
        self._asked_at: float | None = None
        self._version: Version = ()
        self.since_ns = time.time_ns()
        """The events before it are known; in nanoseconds since 1970."""

    def is_due(self) -> bool:
        """Return whether to ask now: the last time was long ago, or something has changed since."""
        is_long_ago = self._asked_at is None or time.monotonic() - self._asked_at >= self._seldom_s
        return is_long_ago or self._version != self._read_version()

    def begin(self) -> None:
        """Note that it is asked now: a change from now on counts as a new one."""
        self._asked_at, self._version = time.monotonic(), self._read_version()

    def learn(self, static_folder: str) -> None:
        """Learn where the storage is from a container's `StaticDir`."""
        if static_folder.startswith("/"):
            self._storage = static_folder.rstrip("/").rsplit("/", _IN_STORAGE)[0]

    def _read_version(self) -> Version:
        found = []
        for name in _DATABASES if self._storage else ():
            with suppress(OSError):
                status = os.lstat(f"{self._storage}/{name}")
                found.append((status.st_mtime_ns, status.st_ino))
        return tuple(found)


def on_demand(socket: Path, peer: Peer, proc: str = "/proc") -> OnDemand | None:
    """Return when to ask the service at a socket; `None` where the service listens itself, so that it runs anyway."""
    if peer.pid and (procfs.read_bytes(f"{proc}/{peer.pid}/comm") or b"").strip() == _SERVICE:
        return None
    return OnDemand(_ROOTS if str(socket) == ROOTS_SOCKET else "", SELDOM_S if peer.pid else BLIND_S)
