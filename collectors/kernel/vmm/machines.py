"""The virtual machines of this host by their VMM processes, joined with the cgroups they run in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from collectors.kernel.cgroup.discovery import GENERIC_ENGINE, Cgroup
from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import members, pids_below
from collectors.kernel.vmm.companions import is_alone
from collectors.kernel.vmm.placement import Place, Placement, as_machine, place
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.scan import VmmScan, shared_scan
from collectors.kernel.vmm.taps import InterfaceTables
from collectors.kernel.vmm.usage import ProcessUsage
from collectors.model.workloads import Sample, WorkloadId
from collectors.safety.sanitize import sanitize

_LONGEST_ID = 1024
_PLACE_EVERY = 5
"""Scans after which it is judged again whether a machine shares its cgroup; at once when machines begin or end."""


class Machine(NamedTuple):
    """A VMM process that runs now."""

    process: VmmProcess
    placement: Placement
    usage: ProcessUsage | None
    """`None` where another source measures it, or it is a part of a container."""
    identity: WorkloadId
    """Of its workload. Two processes that claim the same id have two: the younger one's is its own."""


class Machines:
    """Keeps the machines of this host.

    Args:
        hierarchy: The mounted cgroup trees.
        proc: The path of procfs.
        sys: The path of sysfs.
        scan: Finds the processes.
    """

    def __init__(
        self, hierarchy: Hierarchy, proc: str = "/proc", sys: str = "/sys", scan: VmmScan | None = None
    ) -> None:
        self._hierarchy = hierarchy
        self._proc, self._sys = proc, sys
        is_here = (proc, sys) == ("/proc", "/sys")
        self._scan = scan or (shared_scan() if is_here else VmmScan(proc, sys=sys))
        self._tables = InterfaceTables(proc)
        self._scans = 0
        """How often its scan had been made when it was last looked at."""
        self._machines: dict[int, Machine] = {}
        self._members: dict[str, frozenset[int]] = {}
        """The processes in and below cgroups, by path, as read in this scan."""
        self.adopted: dict[str, Cgroup] = {}
        """Path -> cgroup, of those that are a machine because nothing but its VMM runs in them."""
        self.folders: set[str] = set()
        """Paths of cgroups that no engine is known to have made, and that only hold cgroups of machines."""

    def follow(self, cgroups: Mapping[str, Cgroup], taken: Callable[[], Collection[WorkloadId]]) -> set[str]:
        """Look for machines that began or ended, if it is time to. Return the paths whose `adopted` changed.

        Args:
            cgroups: The cgroups that are workloads by their path.
            taken: Returns the ids of machines that their cgroup's path identifies.
        """
        processes = self._scan.update()
        if self._scan.scans == self._scans:
            return set()
        self._scans = self._scan.scans
        self._members.clear()
        for pid, machine in tuple(self._machines.items()):
            if processes.get(pid) != machine.process:
                self._drop(pid)
        has_changed = processes.keys() != self._machines.keys()
        used = set(taken()) if processes else set()
        for process in sorted(processes.values(), key=lambda process: (process.start_ticks, process.pid)):
            self._place(process, cgroups, used, has_changed or (self._scans + process.pid) % _PLACE_EVERY == 0)
        return self._adopt(cgroups)

    def read(self) -> list[tuple[Machine, tuple[Sample, ...]]]:
        """Read all machines; no samples of those without `usage`. One that has ended is left out, and forgotten."""
        self._tables.forget()
        readings: list[tuple[Machine, tuple[Sample, ...]]] = []
        for pid, machine in tuple(self._machines.items()):
            samples = machine.usage.read() if machine.usage else ()
            if samples is None:
                self._drop(pid)
                self._scan.forget(pid)
            else:
                readings.append((machine, samples))
        return readings

    def close(self) -> None:
        """Close all files."""
        for pid in tuple(self._machines):
            self._drop(pid)

    def _drop(self, pid: int) -> None:
        if (usage := self._machines.pop(pid).usage) is not None:
            usage.close()

    def _place(self, process: VmmProcess, cgroups: Mapping[str, Cgroup], used: set[WorkloadId], is_due: bool) -> None:
        known = self._machines.get(process.pid)
        placement = known.placement if known and not is_due else place(process, cgroups, self._is_alone)
        identity, substitute = (WorkloadId(engine, sanitize(own, _LONGEST_ID)) for engine, own in process.identities)
        if placement.place is not Place.OF_MACHINE:
            identity = substitute if identity in used else identity
            used.add(identity)
        usage = known.usage if known else None
        if usage is None and not _is_measured_elsewhere(process, placement):
            usage = ProcessUsage(process, self._tables, self._proc, self._sys)
        self._machines[process.pid] = Machine(process, placement, usage, identity)

    def _is_alone(self, path: str, process: VmmProcess) -> bool:
        if path not in self._members:
            self._members[path] = frozenset(pids_below(find_directories(self._hierarchy, path).all))
        pids = self._members[path]
        if process.pid not in pids or len(pids & self._scan.processes.keys()) > 1:
            return False
        return is_alone(pids, process.pid, path.endswith(".service"), self._proc)

    def _adopt(self, cgroups: Mapping[str, Cgroup]) -> set[str]:
        before, self.adopted, self.folders = self.adopted, {}, set()
        for machine in self._machines.values():
            where, path = machine.placement
            if where is Place.WHOLE_GROUP and path is not None:
                self.adopted[path] = as_machine(path, machine.process, machine.identity[:2], cgroups.get(path))
                above = path.rpartition("/")[0]
                if self._is_folder(cgroups.get(above)):
                    self.folders.add(above)
        paths = before.keys() | self.adopted.keys()
        return {path for path in paths if before.get(path) != self.adopted.get(path)}

    def _is_folder(self, cgroup: Cgroup | None) -> bool:
        """Whether a cgroup is a workload for no other reason than that nobody knows what it is, and has no process."""
        workload = None if cgroup is None else cgroup.workload
        if cgroup is None or workload is None or workload.engine != GENERIC_ENGINE:
            return False
        return not any(members(directory) for directory in find_directories(self._hierarchy, cgroup.path).all)


def _is_measured_elsewhere(process: VmmProcess, placement: Placement) -> bool:
    is_by_manager = placement.place is Place.OF_MACHINE and process.facts.is_measured_by_manager
    return is_by_manager or placement.place is Place.OF_CONTAINER
