"""The identity of a cgroup's workload: the engine's id, the name users know, its state and its start."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.kernel.cgroup import processes
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.container_names import POD, Names
from collectors.kernel.lxc_monitors import LxcOwner, monitor_of, owner_of
from collectors.kernel.nspawn_supervisors import machine_directories, machine_of, supervisor_of
from collectors.kernel.oci import description as oci
from collectors.kernel.oci.description import Description
from collectors.kernel.procfs import Process
from collectors.model.workloads import Kind, State, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name

_LONGEST_PATH = 1024
_WITH_MONITOR = frozenset({"podman", "cri-o"})
"""Engines whose containers run below a conmon."""
_INFRA = "-infra"
"""The end of the name of the container that holds a pod's network; before it are the first digits of the pod's id."""


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
    image: str | None = None
    """A container's image, sanitized, where its files name it."""
    is_sandbox: bool = False
    """Whether it only holds what the containers of its pod share."""
    network: str | None = None
    """The network namespace that is its own and not the host's, empty when it may not be seen; `None` without one."""

    @property
    def pid(self) -> int | None:
        """The id of the first process; `None` when there is none, or none may be seen."""
        return None if self.process is None else self.process.pid


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
    own_directories = machine_directories(directories) if workload.engine == "nspawn" else directories
    process = workload.process or processes.first_process(own_directories, proc, workload.kind)
    pid = process.pid if process is not None else None
    engine, own_id, project = workload.engine, workload.id, cgroup.project
    name, is_known = workload.name, workload.name_is_known
    if workload.kind is Kind.VM and workload.process is None and pid is not None:
        guest = processes.guest(processes.command(proc, pid))
        own_id = guest.uuid if guest.uuid and engine == "qemu" else own_id
        name, is_known = (guest.name, True) if guest.name else (name, is_known)
    elif engine == "lxc" and pid is not None:
        engine, own_id, name, own_project = _lxc_owner(proc, pid, workload.id, name, names)
        project = own_project or project
    elif cgroup.is_payload and pid is not None:
        own_id = name = _machine_name(proc, pid) or name
        is_known = True
    elif workload.is_ambiguous and pid is not None:
        engine = processes.engine_of(proc, pid) or engine
    described = _described(engine, own_id, proc, process, project, names, workload.process is not None)
    project = described.pod or project
    name, is_known = (described.name, True) if described.name else (name, is_known)
    name_and_pod = None if is_known else names.find(own_id, cgroup.path)
    if not is_known and name_and_pod is None and pid is not None and engine in _WITH_MONITOR:
        name_and_pod = processes.monitor_name(proc, pid, own_id)
    if name_and_pod is not None:
        name, is_known = name_and_pod[0], True
        project = name_and_pod[1] or project
    return Identity(
        id=WorkloadId(engine, sanitize(own_id, _LONGEST_PATH)),
        name=sanitize_name(name),
        name_is_known=is_known,
        project=sanitize_name(project) if project else None,
        process=process,
        started_at=None if process is None else processes.started_at(proc, process),
        image=sanitize(described.image) if described.image else None,
        is_sandbox=described.is_sandbox or _is_infra(engine, name, project),
        network=None if pid is None else _own_network(workload.kind, pid, proc, host_network),
    )


def _described(
    engine: str, identity: str, proc: str, process: Process | None, project: str | None, names: Names, is_machine: bool
) -> Description:
    """Describe a container that a bundle or the kubelet's files may name, or a machine that is a pod of Kata's."""
    link = names.link(identity)
    if engine not in oci.ENGINES and link is None and not is_machine:
        return Description()
    pid = process.pid if process is not None else None
    found = oci.describe(proc, pid, identity, link)
    pod = found.pod or names.pod(project)
    own = (pod or "").rpartition("/")[2]
    if is_machine:
        return Description(own if pod != project else None, pod)
    if found.is_sandbox and found.pod is None and not (project or "").startswith(POD):
        return Description(pod=pod)
    return found._replace(name=f"{own}/pause" if found.is_sandbox and own != pod else found.name, pod=pod)


def _is_infra(engine: str, name: str, project: str | None) -> bool:
    """Return whether a container is called like the infra container of a pod of Podman's."""
    return engine == "podman" and name.endswith(_INFRA) and project == f"pod {name.removesuffix(_INFRA)}"


def _lxc_owner(proc: str, pid: int, path_id: str, path_name: str, names: Names) -> LxcOwner:
    """Return who runs a container of LXC; plain LXC, under the name in its path, where its monitor may not be seen."""
    monitor = monitor_of(proc, pid)
    if monitor is None:
        return LxcOwner("lxc", path_id, path_name)
    owner = owner_of(monitor, proxmox=names.proxmox)
    hostname = names.proxmox_hostname(owner.id) if owner.engine == "proxmox" else None
    return owner._replace(name=hostname) if hostname else owner


def is_machine(proc: str, directories: list[str]) -> bool | None:
    """Return whether systemd-nspawn runs what is in a cgroup called `payload`; `None` without a process."""
    first = processes.first_process(directories, proc)
    return None if first is None else supervisor_of(proc, first.pid) is not None


def _machine_name(proc: str, pid: int) -> str:
    supervisor = supervisor_of(proc, pid)
    return "" if supervisor is None else machine_of(proc, supervisor)


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
