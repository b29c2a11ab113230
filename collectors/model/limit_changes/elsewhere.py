"""Setting limits on another host: what the access to it has to offer in place of `EngineLimits`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import Plan, Use
from collectors.model.limits import Amount, EngineLimits, Limit, LimitKey, Way
from collectors.model.workloads import Workload


@runtime_checkable
class SetsElsewhere(Protocol):
    """Reads and sets limits of the workloads of another host, through the vmtop there: its rules and its log apply.

    Engines' own values stay there: limits and settings come without them. Every call blocks, within a time of its own.
    """

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Return its limits. Raises as `EngineLimits.read`."""

    def plan(
        self,
        workload: Workload,
        changes: Mapping[LimitKey, Amount | None],
        use: Use,
        way: Way,
        workloads: Iterable[Workload],
    ) -> Plan:
        """Return what changes would mean there; what the host objects to is an objection of the plan.

        Args:
            workload: The workload.
            changes: The new amounts, `None` for no limit.
            use: What the workload uses.
            way: How they are set; how a command reaches the workload there, the host knows itself.
            workloads: All current ones; those of its host are told to it.

        Raises:
            SourceError: The host cannot be asked.
        """

    def apply(self, plan: Plan) -> tuple[ChangeOutcome, ...]:
        """Set what was planned, and return how the host says that it ended.

        Raises:
            SourceDown: It is not known whether the host did it.
            SourceError: Nothing was done.
        """

    def undo(self, applied: Applied) -> tuple[ChangeOutcome, ...]:
        """Take back what `apply` set, from what the host remembers of it. Raises as `apply`."""


AnyLimits = EngineLimits | SetsElsewhere
"""What sets the limits of a workload."""
