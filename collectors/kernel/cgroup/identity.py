"""Who a cgroup's workload is: the engine's id, the name users know, its state and its start."""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from collectors.kernel import procfs
from collectors.kernel.cgroup import processes
from collectors.kernel.cgroup.discovery import Place
from collectors.model.workloads import Kind, State, WorkloadId
from collectors.safety.sanitize import sanitize

_LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a workload apart from its counters."""

    id: WorkloadId
    name: str
    """Sanitized."""
    name_is_known: bool
    project: str | None = None
    pid: int | None = None
    """The first process; `None` when there is none, or none may be seen."""
    started_at: float | None = None
    network: str | None = None
    """The network namespace that is its own and not the host's, empty when it may not be seen; `None` without one."""


class Names:
    """Names that engines leave in files: read once in a while, for the ids that no engine explains.

    Kubernetes names a container in a link `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`,
    Podman in `containers.json` of its storage.
    """

    def __init__(
        self,
        kubernetes: str = "/var/log/containers",
        podman: str = "/var/lib/containers/storage/overlay-containers/containers.json",
    ) -> None:
        self._kubernetes = kubernetes
        self._podman = podman
        self._known: dict[str, tuple[str, str | None]] = {}

    def refresh(self) -> None:
        """Read the files again. Missing and unreadable ones name nothing."""
        self._known = {**self._from_podman(), **self._from_kubernetes()}

    def find(self, container: str) -> tuple[str, str | None] | None:
        """Return name and pod (`namespace/pod`) of a container by its full id."""
        return self._known.get(container)

    def _from_kubernetes(self) -> dict[str, tuple[str, str | None]]:
        try:
            links = os.listdir(self._kubernetes)
        except OSError:
            return {}
        known: dict[str, tuple[str, str | None]] = {}
        for link in links:
            stem, _, identity = link.removesuffix(".log").rpartition("-")
            parts = stem.split("_")
            if len(parts) == 3:
                known[identity] = (sanitize(parts[2]), sanitize(f"{parts[1]}/{parts[0]}"))
        return known

    def _from_podman(self) -> dict[str, tuple[str, str | None]]:
        try:
            listed = msgspec.json.decode(procfs.read_bytes(self._podman) or b"[]", type=list[_PodmanContainer])
        except msgspec.DecodeError:
            return {}
        return {container.id: (sanitize(container.names[0]), None) for container in listed if container.names}


class _PodmanContainer(msgspec.Struct):
    """The part of a storage record that names a container."""

    id: str
    names: list[str] = []


def identify(place: Place, directories: list[str], proc: str, host_network: str | None, names: Names) -> Identity:
    """Find out who a workload is.

    Args:
        place: Its judged path.
        directories: Its directory in each hierarchy that has one, the most telling first.
        proc: Where procfs is.
        host_network: Identity of the host's network namespace; `None` when unknown.
        names: Names that engines left in files.

    Raises:
        ValueError: The place is not a workload.
    """
    found = place.found
    if found is None:
        raise ValueError(f"{place.path} is no workload")
    pid = processes.first_pid(directories)
    engine, own_id, name, known, project = found.engine, found.id, found.name, found.name_is_known, place.project
    if found.kind is Kind.VM and pid is not None:
        guest = processes.guest(processes.command(proc, pid))
        own_id = guest.uuid if guest.uuid and engine == "qemu" else own_id
        name, known = (guest.name, True) if guest.name else (name, known)
    elif found.is_ambiguous and pid is not None:
        engine = processes.engine_of(proc, pid) or engine
    named = None if known else names.find(own_id)
    if named is not None:
        name, known = named[0], True
        project = named[1] or project
    return Identity(
        id=WorkloadId(engine, sanitize(own_id, _LONGEST_PATH)),
        name=sanitize(name),
        name_is_known=known,
        project=sanitize(project) if project else None,
        pid=pid,
        started_at=None if pid is None else processes.started_at(proc, pid),
        network=None if pid is None else _own_network(found.kind, pid, proc, host_network),
    )


def is_settled(place: Place, identity: Identity) -> bool:
    """Whether the id can no longer turn out to be another: machines and bare ids show theirs only in a process."""
    found = place.found
    return identity.pid is not None or found is None or not (found.kind is Kind.VM or found.is_ambiguous)


def _own_network(kind: Kind, pid: int, proc: str, host_network: str | None) -> str | None:
    """Compare network namespaces. Where they may not be seen, containers are taken to have their own.

    A machine's traffic passes through its taps, in the host's namespace: only libvirt can tell it.
    """
    if kind is Kind.VM:
        return None
    own = processes.network_namespace(proc, pid)
    if own is None or host_network is None:
        return "" if kind is Kind.CONTAINER else None
    return None if own == host_network else own


def state_of(identity: Identity, is_paused: bool) -> State:
    """Tell the state from what the kernel shows. A cgroup without a process says nothing."""
    if is_paused:
        return State.PAUSED
    return State.RUNNING if identity.pid is not None else State.UNKNOWN
