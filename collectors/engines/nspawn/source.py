"""systemd-nspawn: the images of machines, and which of them do not run. Running machines are read from the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable

from collectors.engines.nspawn.machines import IMAGES, LOCKS, REGISTERED, is_in_use, list_images, registered
from collectors.model.errors import SourceAbsent
from collectors.model.wording import counted
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.sampling.source import SourceReading

_PROGRAMS = ("/usr/bin/systemd-nspawn", "/bin/systemd-nspawn")


class NspawnSource:
    """Lists the images in one folder. Neither machined nor systemd is asked: that would start machined.

    Args:
        images: The folder.
        registered: machined's state.
        locks: nspawn's locks.
    """

    name = "nspawn"
    interval_s = 5.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = True

    def __init__(self, images: str = IMAGES, registered: str = REGISTERED, locks: str = LOCKS) -> None:
        self._images, self._registered, self._locks = images, registered, locks
        self.storage_folder = images

    def open(self, wake: Callable[[], None]) -> None:
        """Look whether nspawn is here."""
        if not any(map(os.path.exists, _PROGRAMS)):
            raise SourceAbsent("systemd-nspawn is not installed on this host")

    def read(self) -> SourceReading:
        """List the images; the state of those that run is the kernel's to tell."""
        try:
            images = list_images(self._images)
        except PermissionError:
            hidden = f"images in {self._images} cannot be seen"
            return SourceReading({}, {}, detail="no right", unseen=hidden, remedy=as_root())
        known = registered(self._registered)
        workloads = {}
        for name, path in images.items():
            runs = name in known or is_in_use(path, self._locks)
            identity = WorkloadId("nspawn", name)
            state = State.UNKNOWN if runs else State.STOPPED
            workloads[identity] = Workload(
                identity, Kind.CONTAINER, sanitize_name(name), state, image=sanitize(path), is_listed=True
            )
        return SourceReading(workloads, {}, detail=counted(len(workloads), "image"))

    def close(self) -> None:
        """Nothing is kept open."""
