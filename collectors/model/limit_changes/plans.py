"""What a change of limits would mean: what is there now, what is sent, what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from collectors.model.actions import Observed, Result
from collectors.model.limits import LIVE_ONLY, Amount, Lasts, Limit, LimitKey, Setting, Way, is_same, write_amount
from collectors.model.workloads import Workload


class Use(NamedTuple):
    """What a workload uses, for warnings; `None` is not measured."""

    memory_bytes: float | None = None
    """As a rule: p95 of a span of time, or what it uses now."""
    memory_most_bytes: float | None = None
    cpu_cores: float | None = None
    cpu_most_cores: float | None = None
    pids: float | None = None
    over: str = "now"
    """When that was measured, after "it uses ...": `now`, `p95 of the last 10 min`."""


NO_USE = Use()


class PlannedChange(NamedTuple):
    """One limit that would change."""

    key: LimitKey
    now: Limit
    new: Amount | None
    """What was asked for."""
    setting: Setting | None
    """What would be sent; `None` when there is an objection before that."""
    warnings: tuple[str, ...] = ()
    """What it may lead to, as sentences."""
    commands: tuple[str, ...] = ()
    """The same with the engine's own tool, quoted for a shell."""
    lasts: Lasts = Lasts.RUN
    objection: str = ""
    """Why it is not done, as a clause with what to do; empty if it would be."""

    @property
    def has_effect(self) -> bool:
        """Whether what is read back afterwards differs from what is there now."""
        return self.setting is not None and not (
            self.now.is_measured and is_same(self.key, self.now.value, self.setting.amount)
        )

    @property
    def words(self) -> str:
        """What changes: `memory=1GiB (was 512MiB)`."""
        new = self.setting.amount if self.setting is not None else self.new
        return f"{self.key}={write_amount(self.key, new)} (was {shown(self.now)})"


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes of the limits of one workload, for the run that was seen."""

    workload: Workload
    seen: Observed | None
    """`None` when the engine could not be asked; there is an objection then."""
    changes: tuple[PlannedChange, ...]
    way: Way = LIVE_ONLY
    objection: str = ""
    """Why none of it is done: its state, its protection, its engine."""
    remedy: str = ""
    kind: Result = Result.REFUSED
    """What kind of refusal it is: also one of the engine's, before anything was sent."""
    number: int = 0
    """Under which the workload's own host remembers it; 0 for one of this host."""

    @property
    def refusal(self) -> str:
        """Why nothing of it is done, with the first reason if there are several; empty if it would be."""
        return self.objection or next((change.objection for change in self.changes if change.objection), "")

    def refusal_of(self, change: PlannedChange) -> str:
        """Why one of its changes is not done, as a clause; empty if all of them would be."""
        if own := change.objection or self.objection:
            return own
        others = [str(other.key) for other in self.changes if other.objection]
        return f"{' and '.join(others)} cannot be set with it" if others else ""


def shown(limit: Limit) -> str:
    """Return the amount of a limit for people; one that is not measured is not "none"."""
    return write_amount(limit.key, limit.value) if limit.is_measured else "not known"
