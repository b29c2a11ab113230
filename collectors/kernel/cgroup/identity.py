"""The identity of a cgroup's workload: the engine's id, the name users know, its state and its start."""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from collectors.kernel import procfs
from collectors.kernel.cgroup import processes
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.cgroup.processes import Process
from collectors.model.workloads import Kind, State, WorkloadId
from collectors.safety.sanitize import sanitize

_LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known about a workload apart from its counters."""

    id: WorkloadId
    name: str
    """Sanitized."""
    name_is_known: bool
    project: str | None = None
    process: Process | None = None
    """The first process; `None` when there is none, or none may be seen."""
    started_at: float | None = None
    network: str | None = None
    """The network namespace that is its own and not the host's, empty when it may not be seen; `None` without one."""


class Names:
    """Names that engines leave in files: read occasionally, for ids whose engine cannot be asked.

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
        self._names: dict[str, tuple[str, str | None]] = {}
        """Full id -> name and pod."""

    def refresh(self) -> None:
        """Read the files again. Missing and unreadable files give no names."""
        self._names = {**self._from_podman(), **self._from_kubernetes()}

    def find(self, container: str) -> tuple[str, str | None] | None:
        """Return a container's name and pod (`namespace/pod`) by its full id; `None` if no file names it."""
        return self._names.get(container)

    def _from_kubernetes(self) -> dict[str, tuple[str, str | None]]:
        try:
            links = os.listdir(self._kubernetes)
        except OSError:
            return {}
        names: dict[str, tuple[str, str | None]] = {}
        for link in links:
            stem, _, identity = link.removesuffix(".log").rpartition("-")
            parts = stem.split("_")
            if len(parts) == 3:
                names[identity] = (sanitize(parts[2]), sanitize(f"{parts[1]}/{parts[0]}"))
        return names

    def _from_podman(self) -> dict[str, tuple[str, str | None]]:
        try:
            containers = msgspec.json.decode(procfs.read_bytes(self._podman) or b"[]", type=list[_PodmanContainer])
        except msgspec.DecodeError:
            return {}
        return {container.id: (sanitize(container.names[0]), None) for container in containers if container.names}


class _PodmanContainer(msgspec.Struct):
    """The part of a storage record that names a container."""

    id: str
    names: list[str] = []


def identify(cgroup: Cgroup, directories: list[str], proc: str, host_network: str | None, names: Names) -> Identity:
    """Identify the workload of a cgroup.

    Args:
        cgroup: The classified cgroup.
        directories: Its directory in each hierarchy that has one, the most reliable first.
        proc: The path of procfs.
        host_network: Identity of the host's network namespace; `None` when unknown.
        names: Names that engines leave in files.

    Raises:
        ValueError: The cgroup is not a workload.
    """
    workload = cgroup.workload
    if workload is None:
        raise ValueError(f"{cgroup.path} is not a workload")
    process = processes.first_process(directories, proc, workload.kind)
    pid = process.pid if process is not None else None
    engine, own_id, project = workload.engine, workload.id, cgroup.project
    name, is_known = workload.name, workload.name_is_known
    if workload.kind is Kind.VM and pid is not None:
        guest = processes.guest(processes.command(proc, pid))
        own_id = guest.uuid if guest.uuid and engine == "qemu" else own_id
        name, is_known = (guest.name, True) if guest.name else (name, is_known)
    elif workload.is_ambiguous and pid is not None:
        engine = processes.engine_of(proc, pid) or engine
    name_and_pod = None if is_known else names.find(own_id)
    if name_and_pod is not None:
        name, is_known = name_and_pod[0], True
        project = name_and_pod[1] or project
    return Identity(
        id=WorkloadId(engine, sanitize(own_id, _LONGEST_PATH)),
        name=sanitize(name),
        name_is_known=is_known,
        project=sanitize(project) if project else None,
        process=process,
        started_at=None if process is None else processes.started_at(proc, process),
        network=None if pid is None else _own_network(workload.kind, pid, proc, host_network),
    )


def is_settled(cgroup: Cgroup, identity: Identity) -> bool:
    """Whether the id is final: the id of a machine, or the engine of a bare id, shows only in a process."""
    workload = cgroup.workload
    return identity.process is not None or workload is None or not (workload.kind is Kind.VM or workload.is_ambiguous)


def _own_network(kind: Kind, pid: int, proc: str, host_network: str | None) -> str | None:
    """Compare network namespaces. Where they may not be seen, containers are taken to have their own.

    A machine's traffic passes through its taps, in the host's namespace: only libvirt can count it.
    """
    if kind is Kind.VM:
        return None
    namespace = processes.network_namespace(proc, pid)
    if namespace is None or host_network is None:
        return "" if kind is Kind.CONTAINER else None
    return None if namespace == host_network else namespace


def state_of(identity: Identity, is_paused: bool) -> State:
    """Return the state as the kernel shows it; unknown for a cgroup without a process."""
    if is_paused:
        return State.PAUSED
    return State.RUNNING if identity.process is not None else State.UNKNOWN
