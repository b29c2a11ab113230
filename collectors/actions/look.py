"""What an action would meet: the state that the engine reports, what depends on the workload, what protects it."""

from __future__ import annotations

from collections.abc import Collection

from collectors.actions.dependents import DependentsFinder
from collectors.actions.nested_workloads import below
from collectors.actions.protection import Protection
from collectors.actions.runner import LOOK_S, Runner
from collectors.model.actions import Look
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.sampling.timeout import ANSWER_S

LOOK_ELSEWHERE_S = ANSWER_S
"""Seconds for the answer of another host, which may have to be logged in to first."""


class Looker:
    """Looks at workloads before they are acted on. Each call blocks and reads procfs.

    Args:
        runner: Asks the engines.
        protection: Knows what is protected on this host.
    """

    def __init__(self, runner: Runner, protection: Protection) -> None:
        self._runner = runner
        self.protection = protection
        self._dependents = DependentsFinder()

    def look(self, workload: Workload, workloads: Collection[Workload], timeout_s: float = LOOK_S) -> Look:
        """Return what an action would meet; what cannot be asked is `Look.problem`.

        Args:
            workload: The workload to act on.
            workloads: All current workloads.
            timeout_s: Seconds for the engine's answer, on this host.
        """
        try:
            if workload.id.host:
                return self._runner.look_elsewhere(workload, workloads, LOOK_ELSEWHERE_S)
            return self.complete(workload, workloads, Look(self._runner.look(workload, timeout_s)))
        except SourceError as error:
            failed = Look(None, problem=error.reason)
            return failed if workload.id.host else self.complete(workload, workloads, failed)

    def complete(self, workload: Workload, workloads: Collection[Workload], look: Look) -> Look:
        """Add to what the engine of a workload of this host reports what this host knows."""
        nested = below(workload, workloads)
        dependents = self._dependents.find(workload, look.seen, workloads)
        protected = self.protection.reason(workload, look.seen, nested, dependents)
        return look._replace(nested=nested, dependents=dependents, protected=protected)
