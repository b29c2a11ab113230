"""Opens the log of a workload."""

from __future__ import annotations

from collectors.engines.connections import EngineConnections
from collectors.model.logs import Log
from collectors.model.workloads import Workload


def open_log(workload: Workload, connections: EngineConnections) -> Log:
    """Open the log of a workload: the engine's for a container, the console's for a domain, the journal for a service.

    Raises:
        SourceError: There is no log, or it cannot be read; with a remedy if there is one.
    """
    return connections.of(workload).open_log(workload)
