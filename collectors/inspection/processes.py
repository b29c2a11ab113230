"""The processes of this host or of one workload, and which workload each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from collectors.analysis.rates import Moment
from collectors.engines.connections import EngineConnections
from collectors.engines.demo.processes import SimulatedProcesses
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import pids_below
from collectors.kernel.processes.details import ProcessDetailsReader
from collectors.kernel.processes.listing import ProcessListing
from collectors.kernel.processes.texts import ProcessTexts
from collectors.kernel.vmm.details import machine_pid
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.scan import shared_scan
from collectors.model.errors import SourceError
from collectors.model.processes import Process, ProcessId, ProcessPass, ProcessView, ReadsProcesses
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.safety.sanitize import sanitize


def process_reader(
    connections: EngineConnections,
    moment: Callable[[], Moment | None],
    workload: Callable[[], Workload | None] = lambda: None,
) -> ReadsProcesses:
    """Return the reader of processes: of a workload's own host, or in the demo of simulated ones.

    Args:
        connections: Connections to the engines.
        moment: Returns the newest moment; `None` before the first frame.
        workload: Returns the workload as it is now; returns `None` for the whole host.
    """
    return SimulatedProcesses(moment, workload) if connections.is_simulated else _OnItsHost(connections, workload)


def has_process_list(workload: Workload) -> bool:
    """Return whether a workload may have processes on a host that runs vmtop: its cgroup's, or the one that runs it."""
    is_active_vm = workload.kind is Kind.VM and workload.state.is_active
    return not workload.endpoint and (bool(workload.cgroup) or is_active_vm)


class _OnItsHost:
    """Reads the processes of a workload where it runs: on this host, or on another one by the vmtop there."""

    def __init__(self, connections: EngineConnections, workload: Callable[[], Workload | None]) -> None:
        self._connections = connections
        self._workload = workload
        self._here = ProcessReader(workload)
        self._elsewhere: ReadsProcesses | None = None

    def read(
        self,
        is_due: bool,
        wanted: Callable[[ProcessPass], Iterable[Process]],
        subject: Callable[[ProcessPass], tuple[Process | None, bool]],
    ) -> ProcessView:
        """Read what a page shows; see `ReadsProcesses`."""
        workload = self._workload()
        if workload is None or not workload.id.host:
            return self._here.read(is_due, wanted, subject)
        if self._elsewhere is None:
            self._elsewhere = self._connections.of(workload).processes(self._workload)
        if self._elsewhere is None:
            raise SourceError(f"vmtop has no way to {workload.id.host}: its processes are not known here")
        return self._elsewhere.read(is_due, wanted, subject)


class ProcessReader:
    """Reads the processes of a workload, or of the whole host, repeatedly; from one thread at a time.

    Args:
        workload: Returns the workload as it is now; returns `None` for the whole host.
        root: Where the cgroup trees are mounted.
        proc: Where procfs is mounted.
    """

    def __init__(
        self,
        workload: Callable[[], Workload | None] = lambda: None,
        root: str = "/sys/fs/cgroup",
        proc: str = "/proc",
    ) -> None:
        self._workload = workload
        self._hierarchy = detect(root, proc)
        self._proc = proc
        self._listing = ProcessListing(proc)
        self._texts = ProcessTexts(proc)
        self._details = ProcessDetailsReader(proc)
        self._newest: ProcessPass | None = None

    def read_all(self) -> ProcessPass:
        """Make a pass over the processes.

        Raises:
            SourceError: They cannot be listed.
        """
        workload = self._workload()
        pids = None
        if workload is not None:
            pids = self._pids(workload)
        try:
            newest = self._listing.read(pids)
        except OSError as error:
            raise SourceError(f"processes cannot be listed: {sanitize(str(error))}") from error
        self._texts.forget_others(newest.processes)
        self._newest = newest
        return newest

    def _pids(self, workload: Workload) -> list[int]:
        """Return the processes of its cgroup, or the one that runs it.

        Raises:
            SourceError: It has neither on this host.
        """
        if workload.cgroup:
            return pids_below(find_directories(self._hierarchy, workload.cgroup).all)
        pid = machine_pid(workload, self._proc)
        if pid is None:
            raise SourceError("this workload has no control group on this host: its processes are not known")
        return [pid]

    def read(
        self,
        is_due: bool,
        wanted: Callable[[ProcessPass], Iterable[Process]],
        subject: Callable[[ProcessPass], tuple[Process | None, bool]],
    ) -> ProcessView:
        """Read what a page shows; see `ReadsProcesses`."""
        newest = self.read_all() if is_due or self._newest is None else self._newest
        texts = self._texts.read(wanted(newest))
        process, is_vm = subject(newest)
        details = None if process is None else self._details.read(process, is_vm)
        return ProcessView(newest, texts, details)


class Owners:
    """Finds the workload of a process: the machine that it runs, or by its control groups the innermost one around it.

    Args:
        workloads: Those of the newest frame; the ones of other hosts than the processes' are ignored.
        machines: The processes that run machines, by pid.
        host: The other host that the processes are of; empty for this one.
    """

    def __init__(
        self,
        workloads: Iterable[Workload] = (),
        machines: Mapping[int, VmmProcess] | None = None,
        host: str = "",
    ) -> None:
        workloads = [workload for workload in workloads if workload.id.host == host and not workload.endpoint]
        if machines is None:
            machines = {} if host else shared_scan().processes
        self._by_process = _by_process(workloads, machines)
        self._by_path = {workload.cgroup: workload for workload in workloads if workload.cgroup not in (None, "", "/")}
        self._cached: dict[tuple[str, ...], Workload | None] = {}

    def of(self, process: Process) -> Workload | None:
        """Return a process's workload; `None` when it belongs to none."""
        if process.id in self._by_process:
            return self._by_process[process.id]
        try:
            return self._cached[process.cgroups]
        except KeyError:
            found = self._cached[process.cgroups] = self._find(process.cgroups)
            return found

    def _find(self, paths: Sequence[str]) -> Workload | None:
        candidates = (prefix for path in paths for prefix in _prefixes(path) if prefix in self._by_path)
        nearest = max(candidates, key=len, default=None)
        return None if nearest is None else self._by_path[nearest]


def _by_process(workloads: Iterable[Workload], machines: Mapping[int, VmmProcess]) -> dict[ProcessId, Workload]:
    """Return the machines that have no control group of their own, by the processes that run them."""
    alone = {workload.id: workload for workload in workloads if workload.kind is Kind.VM and not workload.cgroup}
    if not alone:
        return {}
    return {
        ProcessId(machine.pid, machine.start_ticks): alone[WorkloadId(*identity)]
        for machine in machines.values()
        for identity in machine.identities
        if WorkloadId(*identity) in alone
    }


def _prefixes(path: str) -> Iterable[str]:
    while len(path) > 1:
        yield path
        path = path.rpartition("/")[0]


def below(process: Process, workload: Workload) -> str:
    """Return the control group of a process below its workload's, such as `/libvirt/vcpu0`; empty if it is the same."""
    own = workload.cgroup or ""
    inside = [path[len(own) :] for path in process.cgroups if own and path.startswith(f"{own}/")]
    return max(inside, key=len, default="")
