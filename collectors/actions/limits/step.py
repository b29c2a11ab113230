"""One limit on its way to the engine: what it has to be before, and whether the plan still fits. Pure."""

from __future__ import annotations

from typing import NamedTuple

from collectors.actions.limits.plan import inert_commands
from collectors.actions.targets import is_full_id
from collectors.model.limit_changes.outcomes import ChangeOutcome
from collectors.model.limit_changes.plans import Plan, PlannedChange, shown
from collectors.model.limits import EngineLimits, Limit, LimitError, Setting, is_same
from collectors.model.workloads import Kind, Workload


class Step(NamedTuple):
    """One limit that is about to be set."""

    change: PlannedChange
    setting: Setting
    expected: Limit
    """What it has to be for that."""
    also: Limit | None = None
    """What it may be as well: an undo does not know whether what it takes back was done."""
    needs_run: bool = True

    def differs(self, before: Limit) -> str:
        """Return how the limit differs from what was expected, as a clause; empty if it does not."""
        for expected in (self.expected, self.also):
            if expected is not None and _agree(before, expected):
                return ""
        return f"it is {shown(before)} now, and was {shown(self.expected)}"

    def would_send_otherwise(self, workload: Workload, limits: EngineLimits, before: Limit) -> str:
        """Return why what was planned would now change something else, such as swap; an undo is not planned anew."""
        if self.also is not None:
            return ""
        try:
            is_as_planned = limits.setting(workload, before, self.change.new).values == self.setting.values
        except LimitError as error:
            return str(error)
        return "" if is_as_planned else "what goes with it, such as a period or swap, has changed since it was shown"

    def has_restored(self, after: Limit) -> bool:
        """Whether the engine has its own value again, where that is no amount, such as a share."""
        return self.also is not None and not self.also.is_measured and after.settings == self.also.settings

    def is_forced(self, plan: Plan) -> bool:
        """Whether it is sent although the value is there: what is kept for the next start may be another one."""
        return plan.way.is_kept


def _agree(before: Limit, expected: Limit) -> bool:
    if not (before.is_measured and expected.is_measured):
        return before.is_measured == expected.is_measured
    return is_same(before.key, before.value, expected.value)


def back_step(plan: Plan, limits: EngineLimits, outcome: ChangeOutcome) -> Step:
    """Return the step that takes back a change which was sent."""
    assert outcome.before is not None  # noqa: S101  # the caller looked
    old, key = outcome.before, outcome.change.key
    sent = outcome.change.setting
    setting = limits.back(plan.workload, old)
    expected = outcome.after or Limit(key, sent.amount if sent is not None else None)
    change = outcome.change._replace(
        now=expected,
        new=old.value,
        setting=setting,
        warnings=(),
        commands=inert_commands(plan.workload, limits, key, setting, plan.way),
    )
    is_unique = is_full_id(plan.workload.id.id) or plan.workload.kind is Kind.SERVICE
    return Step(change, setting, expected, old, needs_run=not is_unique)
