"""How full the file system is on which an engine keeps its images and disks."""

from __future__ import annotations

import os
import time

from collectors.sampling.source import Source, Storing

_LIFE_S = 10.0
"""Seconds for which a value is kept: a disk does not fill faster than an alert would be of use."""


class Storage:
    """Asks the kernel now and then. On the source's own thread: the file system may be one that hangs."""

    def __init__(self) -> None:
        self._percent: float | None = None
        self._asked_at: float | None = None

    def percent(self, source: Source) -> float | None:
        """Return the use in percent as `df` computes it; `None` if there is no such place, or it cannot be reached."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= _LIFE_S:
            self._percent = _used(source.storage_folder) if isinstance(source, Storing) else None
            self._asked_at = now
        return self._percent


def _used(folder: str) -> float | None:
    if not folder:
        return None
    try:
        room = os.statvfs(folder)
        used = room.f_blocks - room.f_bfree
        return 100 * used / (used + room.f_bavail) if used + room.f_bavail else None
    except OSError:  # it is not visible from here, as in a container, or not for this user
        return None
