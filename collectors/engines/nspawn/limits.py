"""Limits of machines of systemd-nspawn: those of the unit that runs them, or of the scope that machined made."""

from __future__ import annotations

import shlex

from collectors.engines.nspawn.machines import Way as Start
from collectors.engines.nspawn.machines import unit_of, way_of
from collectors.engines.systemd.limits import SCOPE_INTERFACE, SERVICE_INTERFACE, SystemdLimits
from collectors.model.errors import SourceAbsent
from collectors.model.limits import Lasts, Way
from collectors.model.workloads import Workload

_NOT_KEPT = "its scope is made anew with each start: set it without --persist, or run it as systemd-nspawn@{0}.service"


class NspawnLimits(SystemdLimits):
    """Sets properties of a machine's unit."""

    def __init__(self, workload: Workload) -> None:
        self.interface = SERVICE_INTERFACE if way_of(workload) is Start.UNIT else SCOPE_INTERFACE

    def unit(self, workload: Workload) -> str:
        """Return the unit of a machine.

        Raises:
            SourceAbsent: It was started by hand and shares the unit of whoever did.
        """
        way = way_of(workload)
        if way is Start.UNIT:
            return unit_of(workload)
        scope = (workload.cgroup or "").rpartition("/")[2]
        if way is Start.BARE or not scope.endswith(".scope"):
            raise SourceAbsent(
                f"{workload.name} was started by hand, without a unit of its own that could be limited",
                "start it with machinectl start, or with systemd-run --scope",
            )
        return scope

    def argument(self, workload: Workload) -> str:
        """Return the unit's name, quoted for a shell."""
        return shlex.quote(self.unit(workload))

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """A scope ends with its machine; a unit's lasts as a service's."""
        return super().lasts(workload, way) if way_of(workload) is Start.UNIT else Lasts.RUN

    def cannot_keep(self, workload: Workload) -> str:
        """Return why a scope's are not kept."""
        return "" if way_of(workload) is Start.UNIT else _NOT_KEPT.format(workload.id.id)
