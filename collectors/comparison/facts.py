"""Reads the slow facts of workloads, one workload at a time. Blocks; a fact that cannot be read carries the reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from collectors.comparison import isolation_summary, os_release
from collectors.comparison.machine_facts import of_machine
from collectors.comparison.overhead import EngineProcesses, ProcessUsage, cpu_of, find_engines, find_shim, memory_of
from collectors.engines.access import EngineAccess, ReadFacts
from collectors.engines.connections import EngineConnections
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.isolation import Isolation, read_isolation
from collectors.kernel.qemu_memory import read_guest_memory
from collectors.kernel.vmm.details import machine_pid
from collectors.kernel.vmm.process import find
from collectors.model.errors import NotInTime, SourceError
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Kind, Workload, WorkloadId

log = logging.getLogger(__name__)
FactsByWorkload = dict[WorkloadId, dict[str, Fact]]


class EngineAnswer(NamedTuple):
    """An engine's facts about a workload."""

    facts: dict[str, Fact]
    reason: str = ""
    """Why there are none; empty when the engine answered."""


class EngineAnswers:
    """Queries each engine over one connection.

    Args:
        connections: Access to the engines.
        may_write: Whether writable connections may be used.
        stack: Closes the connections.
    """

    def __init__(self, connections: EngineConnections, may_write: bool, stack: ExitStack) -> None:
        self._connections = connections
        self._may_write = may_write
        self._stack = stack
        self._readers: dict[EngineAccess, ReadFacts | str] = {}

    def of(self, workload: Workload) -> EngineAnswer:
        """Return the engine's facts about a workload, or the reason why there are none. Blocks."""
        reader = self._reader(self._connections.of(workload))
        if isinstance(reader, str):
            return EngineAnswer({}, reader)
        try:
            return EngineAnswer(reader(workload))
        except NotInTime as error:
            self._readers[self._connections.of(workload)] = error.reason  # the next workload would wait as long
            return EngineAnswer({}, error.reason)
        except SourceError as error:
            return EngineAnswer({}, error.reason)

    def _reader(self, access: EngineAccess) -> ReadFacts | str:
        """Return the function that reads facts, or the reason why there is none."""
        if access not in self._readers:
            try:
                self._readers[access] = self._stack.enter_context(access.facts(self._may_write))
            except SourceError as error:
                log.info("an engine is not asked for facts: %s", error.reason)
                self._readers[access] = error.reason
        return self._readers[access]


class FactsReader:
    """Reads facts; rates need two readings, `begin` and `read_all`.

    Args:
        connections: Access to the engines.
        may_write: Whether to query guest agents: libvirt does not allow that on read-only connections.
        root: Where the cgroup trees are mounted.
        proc: Where procfs is mounted.
    """

    def __init__(
        self,
        connections: EngineConnections,
        may_write: bool = True,
        root: str = "/sys/fs/cgroup",
        proc: str = "/proc",
    ) -> None:
        self._connections = connections
        self._may_write = may_write
        self._proc = proc
        self._hierarchy = detect(root, proc)
        self._shims: dict[WorkloadId, ProcessUsage | None] = {}
        self._engines = EngineProcesses((), 0)
        self._engines_now = EngineProcesses((), 0)

    def begin(self, workloads: Iterable[Workload]) -> None:
        """Take the first reading of the counters."""
        for workload in workloads:
            if workload.kind is Kind.CONTAINER and workload.state.is_active:
                self._shims[workload.id] = find_shim(self._pid(workload), self._proc)
        self._engines = find_engines(len(self._shims), self._proc)

    def read_all(
        self, workloads: Sequence[Workload], tell: Callable[[int], None] = lambda done: None
    ) -> FactsByWorkload:
        """Return the facts of workloads; calls `tell` with the number of finished workloads after each one."""
        containers = sum(1 for workload in workloads if workload.kind is Kind.CONTAINER and workload.is_here)
        self._engines_now = find_engines(containers, self._proc)
        facts = {}
        with ExitStack() as stack:
            answers = EngineAnswers(self._connections, self._may_write, stack)
            for done, workload in enumerate(workloads, 1):
                facts[workload.id] = self._read(workload, answers)
                tell(done)
        return facts

    def memory_overheads(self, workloads: Sequence[Workload]) -> dict[WorkloadId, Fact]:
        """Return `memory_overhead_bytes` of machines and containers on this host. No engine is asked."""
        here = [workload for workload in workloads if workload.is_here and workload.state.is_active]
        engines = find_engines(sum(workload.kind is Kind.CONTAINER for workload in here), self._proc)
        found = {}
        for workload in here:
            if workload.kind is Kind.CONTAINER:
                found[workload.id] = memory_of(find_shim(self._pid(workload), self._proc), engines)
            elif workload.kind is Kind.VM:
                found[workload.id] = self._held(self._pid(workload))["memory_overhead_bytes"]
        return found

    def _read(self, workload: Workload, answers: EngineAnswers) -> dict[str, Fact]:
        """Return the facts of a workload, by the keys of `ROWS`."""
        if not workload.is_here:
            there = workload.id.host or workload.endpoint
            return {"isolation": unknown(f"it runs on {there}: this can only be read there")}
        pid = self._pid(workload) if workload.state.is_active else None
        answer = answers.of(workload)
        if workload.kind is Kind.VM:
            return self._of_machine(workload, pid, answer) | self._held(pid)
        if workload.kind is Kind.CONTAINER:
            return self._container(workload, pid, answer)
        return {
            **{key: fact for key, fact in answer.facts.items() if key == "startup_running_seconds"},
            "isolation": isolation_summary.of_service(self._walls(pid), answer.facts),
            "system": os_release.of_host(),
            "memory_overhead_bytes": Fact(0.0, "it runs directly on the kernel"),
            "cpu_overhead_percent": Fact(0.0, "it runs directly on the kernel"),
            "size_bytes": unknown("a service uses the host's files"),
        }

    def _pid(self, workload: Workload) -> int | None:
        if not workload.cgroup:
            return machine_pid(workload, self._proc)
        directories = find_directories(self._hierarchy, workload.cgroup).all
        first = first_process(directories, self._proc, workload.kind)
        return first.pid if first is not None else None

    def _walls(self, pid: int | None) -> Isolation | None:
        return None if pid is None else read_isolation(pid, self._proc)

    def _of_machine(self, workload: Workload, pid: int | None, answer: EngineAnswer) -> dict[str, Fact]:
        """Return what the machine's manager says, or else what its process shows."""
        process = find(pid, self._proc) if answer.reason and pid is not None else None
        return _of_domain(answer) if process is None else of_machine(process, self._walls(pid), self._proc)

    def _held(self, pid: int | None) -> dict[str, Fact]:
        memory = None if pid is None else read_guest_memory(pid, self._proc)
        if memory is None:
            return {"memory_overhead_bytes": unknown("the mappings of its VMM process cannot be read: this needs root")}
        how = f"/proc/{pid}/smaps: resident size minus the guest's resident memory"
        return {"memory_overhead_bytes": Fact(float(memory.overhead), how)}

    def _container(self, workload: Workload, pid: int | None, answer: EngineAnswer) -> dict[str, Fact]:
        shim, walls = find_shim(pid, self._proc), self._walls(pid)
        engines = self._engines_now
        before = self._shims.get(workload.id), self._engines
        return {
            "isolation": isolation_summary.of_container(walls, answer.facts),
            "system": os_release.of_container(pid, workload.image, self._proc),
            "size_bytes": answer.facts.get("size_bytes")
            or unknown(answer.reason or "its engine does not report its size"),
            "memory_overhead_bytes": memory_of(shim, engines),
            "cpu_overhead_percent": cpu_of(before, (shim, engines)),
            **isolation_summary.walls_of(walls, answer.facts),
        }


def _of_domain(answer: EngineAnswer) -> dict[str, Fact]:
    if answer.reason:
        return dict.fromkeys(("isolation", "system", "size_bytes"), unknown(answer.reason))
    return answer.facts
