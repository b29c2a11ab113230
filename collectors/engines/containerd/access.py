"""Access to single containers of containerd."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.engines.access import EngineAccess
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.workloads import Workload


class ContainerdAccess(EngineAccess):
    """What can be done with a container on demand. Its output goes to whoever started it: there is no log."""

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.containerd.actions import ContainerdActions

        return ContainerdActions()

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.container_entry import open_console

        return open_console(workload, command)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        from collectors.engines.container_entry import run_command

        return run_command(workload, command)
