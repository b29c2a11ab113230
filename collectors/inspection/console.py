"""Opens a console in a workload."""

from __future__ import annotations

from collectors.engines.connections import EngineConnections
from collectors.model.console import Console
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, State, Workload


def open_console(workload: Workload, connections: EngineConnections) -> Console:
    """Open a shell in a container, or the console of a domain. Blocks.

    Raises:
        SourceError: There is no console, with the reason.
    """
    if workload.kind is Kind.SERVICE:
        raise SourceAbsent(f"{workload.name} is a service of this host: it has no shell of its own")
    if workload.state not in (State.RUNNING, State.BLOCKED):
        raise SourceAbsent(f"{workload.name} is {workload.state}: there is nothing to connect to")
    return connections.of(workload).open_console(workload)
