"""Opens a console in a workload, or runs a command in it."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.engines.connections import EngineConnections
from collectors.model.console import Console, RunningCommand
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, State, Workload


def open_console(workload: Workload, connections: EngineConnections, command: Sequence[str] = ()) -> Console:
    """Open a shell in a container, or the console of a domain. Blocks.

    Args:
        workload: Where to open it.
        connections: Access to the engines.
        command: Words of a command to run in place of the shell.

    Raises:
        SourceError: There is no console, with the reason.
    """
    _check(workload)
    return connections.of(workload).open_console(workload, command)


def run_command(workload: Workload, command: Sequence[str], connections: EngineConnections) -> RunningCommand:
    """Run a command in a container, without a terminal and without input. Blocks.

    Raises:
        SourceError: It cannot be run, with the reason.
    """
    _check(workload)
    return connections.of(workload).run_command(workload, command)


def _check(workload: Workload) -> None:
    if workload.kind is Kind.SERVICE:
        raise SourceAbsent(f"{workload.name} is a service of this host: it has no shell of its own")
    if workload.state not in (State.RUNNING, State.BLOCKED):
        raise SourceAbsent(f"{workload.name} is {workload.state}: there is nothing to connect to")
