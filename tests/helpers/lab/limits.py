"""Limits of real workloads: set as `vmtop set` does, and read where the kernel keeps them."""

from __future__ import annotations

from pathlib import Path

from collectors.actions.limits.setter import Setter
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.engines.connections import EngineConnections
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.model.actions import Result
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limit_changes.plans import Plan
from collectors.model.limits import LIVE_ONLY, Amount, LimitKey, Way
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tui.cli.sampling import gather

MIB = 1 << 20


class LimitsLab:
    """A setter for some sources.

    Args:
        specs: The sources.
    """

    def __init__(self, *specs: SourceSpec) -> None:
        self.specs = [SourceSpec("host"), SourceSpec("cgroup"), *specs]
        self.log = ActionLog()
        self._connections = EngineConnections(self.specs)
        runner = Runner(self._connections.actions, self.log, "tester")
        self.setter = Setter(runner, Looker(runner, Protection()), self._connections.limits)

    def find(self, name: str) -> Workload:
        """Return the only workload of a name."""
        readings = gather(self.specs).readings.values()
        (found,) = [reading.workload for reading in readings if reading.workload.name == name]
        return found

    def value(self, workload: Workload, key: LimitKey) -> Amount | None:
        """Return what the engine has now; it has to be measured."""
        limit = self.setter.read_limits(workload)[key]
        assert limit.is_measured, key
        return limit.value

    def plan(self, workload: Workload, key: LimitKey, amount: Amount | None, way: Way = LIVE_ONLY) -> Plan:
        """Return the plan for one limit."""
        return self.setter.plan(workload, {key: amount}, way=way)

    def set(self, workload: Workload, key: LimitKey, amount: Amount | None, way: Way = LIVE_ONLY) -> Applied:
        """Set one limit, which has to succeed."""
        applied = self.setter.apply(self.plan(workload, key, amount, way))
        assert applied.result is Result.DONE, applied.outcomes
        return applied

    def undo(self, applied: Applied) -> None:
        """Take it back, which has to succeed."""
        undone = self.setter.undo(applied)
        assert undone.result is Result.DONE, undone.outcomes


def group_file(workload: Workload, controller: str, v1_name: str, v2_name: str) -> str:
    """Return the text of a file of a workload's control group; a number above all that a host has is `max`."""
    assert workload.cgroup is not None
    path = find_directories(detect(), workload.cgroup).file(controller, v1_name, v2_name)
    assert path is not None, (controller, workload.cgroup)
    text = Path(path).read_text().strip()
    return "max" if text.isdecimal() and int(text) >= 1 << 62 else text
