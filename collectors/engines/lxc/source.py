"""LXC: the containers in its folders, and which of them are stopped. Running ones are read from the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable

from collectors.engines.lxc.containers import (
    Container,
    active_containers,
    configured_folders,
    containers_in,
    own_folder,
)
from collectors.kernel.lxc_monitors import DEFAULT_PATH, Monitor
from collectors.kernel.lxc_monitors import owner_of as engine_of
from collectors.model.errors import SourceAbsent
from collectors.model.wording import counted
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.sampling.source import SourceReading

_MOST = 10_000


class LxcSource:
    """Lists the containers of the system's folder, this user's, and those in which one runs.

    Args:
        folder: The system's folder of containers.
        proc: The path of procfs.
    """

    name = "lxc"
    interval_s = 2.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = True

    def __init__(self, folder: str = DEFAULT_PATH, proc: str = "/proc") -> None:
        self._folder = self.storage_folder = folder
        self._proc = proc
        self._folders: set[str] = set()
        """Where containers are looked for; a folder in which one ran is looked at until the source is closed."""

    def open(self, wake: Callable[[], None]) -> None:
        """Look whether LXC is here."""
        if not os.path.isdir(self._folder):
            raise SourceAbsent(f"LXC is not installed on this host: there is no {self._folder}")
        self._folders = {self._folder, own_folder(), *configured_folders()}

    def read(self) -> SourceReading:
        """List the folders; whether a container runs shows in one file of the kernel."""
        active = {one for one in active_containers(self._proc) if _engine(one) == "lxc"}
        self._folders.update(one.folder for one in active)
        found, refused = set(active), []
        for folder in sorted(self._folders):
            try:
                found.update(one for one in containers_in(folder) if _engine(one) == "lxc")
            except PermissionError:
                refused.append(folder)
            except OSError:
                continue  # a folder that is not there has no containers
        workloads = (_workload(one, one in active or one.is_hidden) for one in sorted(found)[:_MOST])
        by_id = {workload.id: workload for workload in workloads}
        hidden = ", ".join(map(sanitize, refused))
        return SourceReading(
            by_id,
            {},
            detail=counted(len(by_id), "container"),
            engines=frozenset() if refused else frozenset({"lxc"}),
            unseen=f"stopped containers in {hidden} cannot be seen" if refused else "",
            remedy=as_root() if refused else "",
        )

    def close(self) -> None:
        """Nothing is kept open."""


def _engine(container: Container) -> str:
    """Return who runs what is in a place, if it is root's: LXD and Incus keep their containers as LXC does."""
    return engine_of(Monitor(container.folder, container.name, 0)).engine


def _workload(container: Container, may_run: bool) -> Workload:
    """Describe a container; the state of one that runs, or may run, is the kernel's to tell."""
    return Workload(
        WorkloadId("lxc", sanitize(container.id, 1024)),
        Kind.CONTAINER,
        sanitize_name(container.name),
        State.UNKNOWN if may_run else State.STOPPED,
        is_listed=True,
    )
