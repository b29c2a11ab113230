"""Where the use of a VMM process is counted: by which cgroup, or by the process itself. Pure.

Each process is counted exactly once, in one of the four ways of `Place`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from collectors.kernel.cgroup.discovery import Cgroup, DiscoveredWorkload, Role, classify_path
from collectors.kernel.procfs import Process
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.workloads import Kind


class Place(Enum):
    """What a VMM process is to the workload around it."""

    OF_MACHINE = "of a machine"
    """The cgroup is a machine's by its path, as libvirt and Proxmox VE make it: the machine is listed already."""
    OF_CONTAINER = "of a container"
    """It runs inside a container, which is the workload."""
    WHOLE_GROUP = "the whole group"
    """Nothing else runs in the cgroup, such as a unit: the cgroup is the machine."""
    BY_PROCESS = "by process"
    """It shares its cgroup, or is in none: it is measured by its process, and the cgroup includes it."""


class Placement(NamedTuple):
    """A place, and the path of the cgroup that it is about; `None` where there is no workload around the process."""

    place: Place
    path: str | None


def place(process: VmmProcess, cgroups: Mapping[str, Cgroup], is_alone: Callable[[str, VmmProcess], bool]) -> Placement:
    """Return where a process is counted.

    Args:
        process: The VMM process.
        cgroups: The cgroups that are workloads by their path.
        is_alone: Whether nothing but a machine's own processes runs in and below the cgroup of a path.
    """
    around = _innermost(process, cgroups)
    workload = cgroups[around].workload if around is not None else None
    if workload is not None and workload.kind is Kind.VM:
        return Placement(Place.OF_MACHINE, around)
    if workload is not None and workload.kind is Kind.CONTAINER and workload.id != process.id:
        return Placement(Place.OF_CONTAINER, around)
    own = process.cgroup
    is_unit = around is not None and around.endswith((".service", ".scope"))
    candidates = (around, own) if is_unit else (own, around)
    whole = next((path for path in candidates if path and path != "/" and is_alone(path, process)), None)
    return Placement(Place.BY_PROCESS, around) if whole is None else Placement(Place.WHOLE_GROUP, whole)


def is_in_container(process: VmmProcess) -> bool:
    """Return whether a process is in a container, by the paths of its cgroups: the container is the workload then."""
    workloads = (classify_path(path).workload for path in process.cgroups)
    return any(one is not None and one.kind is Kind.CONTAINER and one.id != process.id for one in workloads)


def _innermost(process: VmmProcess, cgroups: Mapping[str, Cgroup]) -> str | None:
    paths = (above for path in process.cgroups for above in _and_above(path) if above in cgroups)
    return max(paths, key=len, default=None)


def _and_above(path: str) -> Iterator[str]:
    while len(path) > 1:
        yield path
        path = path.rpartition("/")[0]


def as_machine(path: str, process: VmmProcess, identity: tuple[str, str], known: Cgroup | None) -> Cgroup:
    """Describe a cgroup that is a machine, as nothing but its VMM runs in it.

    Args:
        path: The cgroup's path.
        process: The VMM process.
        identity: The engine and the id of the machine.
        known: What the path alone says of the cgroup, if that makes it a workload.
    """
    cgroup = known or classify_path(path)
    engine, own_id = identity
    workload = DiscoveredWorkload(
        engine,
        own_id,
        Kind.VM,
        process.name,
        process.name_is_known,
        process=Process(process.pid, process.start_ticks),
    )
    encloser = cgroup.encloser if cgroup.path == path and cgroup.workload is not None else cgroup.service
    project = process.facts.project or cgroup.project
    return Cgroup(path, Role.LEAF, workload, project, cgroup.service, encloser if encloser != path else None)
