"""Details of one workload from its engine and the kernel, and what could not be read."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.engines.access import EngineAccess
from collectors.engines.connections import EngineConnections
from collectors.kernel.details import KernelDetails
from collectors.model.details import Details, Table
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize


class DetailsReader:
    """Reads the details of one workload repeatedly, from one thread. Rates need a second reading.

    Args:
        connections: Access to the engines.
        root: Where the cgroup trees are mounted.
        proc: Where procfs is mounted.
    """

    def __init__(self, connections: EngineConnections, root: str = "/sys/fs/cgroup", proc: str = "/proc") -> None:
        self._kernel = KernelDetails(root, proc)
        self._connections = connections
        self._readers: dict[EngineAccess, Callable[[Workload], list[Table]]] = {}

    def read(self, workload: Workload) -> Details:
        """Read all details. Blocks as long as the engine takes. Never raises `SourceError`: see `Details.problems`."""
        try:
            elsewhere = self._connections.of(workload).details_elsewhere(workload)
        except SourceError as error:
            return Details(time.monotonic_ns(), (), (_sentence(error),))
        return self._read_here(workload) if elsewhere is None else elsewhere

    def _read_here(self, workload: Workload) -> Details:
        tables: list[Table] = []
        problems: list[str] = []
        for read_tables in (self._engine_tables(workload), self._kernel.tables):
            try:
                tables += read_tables(workload)
            except SourceError as error:
                problems.append(_sentence(error))
            except OSError as error:
                problems.append(f"a kernel file cannot be read: {sanitize(str(error))}")
        return Details(time.monotonic_ns(), tuple(tables), tuple(problems))

    def _engine_tables(self, workload: Workload) -> Callable[[Workload], list[Table]]:
        """Return the reader of the workload's engine; it keeps counters for its rates."""
        access = self._connections.of(workload)
        if access not in self._readers:
            self._readers[access] = access.details()
        return self._readers[access]


def _sentence(error: SourceError) -> str:
    return error.reason + (f"; fix: {error.remedy}" if error.remedy else "")
