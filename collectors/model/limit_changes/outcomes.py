"""How setting limits ended: by limit, with the old and the new value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from collectors.model.actions import Result
from collectors.model.limit_changes.plans import Plan, PlannedChange
from collectors.model.limits import Amount, Limit

GRAVEST_FIRST = (
    Result.FAILED,
    Result.UNKNOWN,
    Result.DENIED,
    Result.REFUSED,
    Result.CHANGED,
    Result.GONE,
    Result.TIMED_OUT,
    Result.DONE,
    Result.ALREADY,
)


class ChangeOutcome(NamedTuple):
    """How one change ended."""

    change: PlannedChange
    result: Result
    sentence: str
    """What happened; begins with the workload's name."""
    remedy: str = ""
    before: Limit | None = None
    """The limit just before it was sent; `None` when nothing was sent, so that there is nothing to take back."""
    after: Limit | None = None
    """What was read back; `None` when nothing could be."""
    seconds: float = 0.0

    @property
    def old(self) -> Amount | None:
        """The amount before; see `Limit.value`."""
        return (self.before or self.change.now).value


@dataclass(slots=True, eq=False)
class Applied:
    """What became of a plan. `Setter.undo` takes it back, once."""

    plan: Plan
    outcomes: tuple[ChangeOutcome, ...]
    is_undo: bool = False
    """Whether it was itself an undo."""
    is_undone: bool = False
    """Whether it has been taken back, so that it is not done again."""

    @property
    def result(self) -> Result:
        """The gravest of the results."""
        results = {outcome.result for outcome in self.outcomes}
        return next((result for result in GRAVEST_FIRST if result in results), Result.ALREADY)

    @property
    def can_be_undone(self) -> bool:
        """Whether something was sent that an undo can take back."""
        return not (self.is_undo or self.is_undone) and any(outcome.before is not None for outcome in self.outcomes)
