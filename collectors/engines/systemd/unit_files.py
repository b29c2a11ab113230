"""Which services are enabled. Listing unit files makes PID 1 read every one of them, so it is done once and on changes.

systemd emits UnitFilesChanged after `systemctl enable`, `disable`, `mask` and the like, and Reloading before and after
a daemon-reload (org.freedesktop.systemd1(5)). A unit file copied by hand counts, for systemd too, after a reload.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager
from typing import Any

from collectors.engines.systemd.bus import SystemBus

_ENABLED = frozenset({"enabled", "enabled-runtime", "linked", "linked-runtime"})
"""Unit file states of a service that is meant to be started."""


class EnabledServices:
    """The names of the enabled services.

    Args:
        bus: An open connection. Its signals are received together with the answers to other calls, so at least one
            call must have been answered since a change for the change to be seen.
    """

    def __init__(self, bus: SystemBus) -> None:
        self._bus = bus
        self._changes: deque[Any] = deque()
        self._names: frozenset[str] | None = None

    def watching(self) -> AbstractContextManager[object]:
        """Return a context in which changes are noticed.

        Raises:
            SourceError: systemd does not send signals to this user.
        """
        return self._bus.signals(("UnitFilesChanged", "Reloading"), self._changes)

    def names(self) -> frozenset[str]:
        """Return unit names with `.service`, as systemd spells them; they are not sanitized.

        Raises:
            SourceError: systemd refused, or did not answer within `ANSWER_S`.
        """
        if self._names is None or self._changes:
            self._changes.clear()
            self._names = None
            files = self._bus.call("ListUnitFilesByPatterns", "asas", ([], ["*.service"]))[0]
            self._names = frozenset(str(path).rpartition("/")[2] for path, state in files if state in _ENABLED)
        return self._names
