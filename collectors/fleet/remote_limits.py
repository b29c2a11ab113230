"""Limits of the workloads of another host: planned, set, read back and taken back by the vmtop there.

Each end keeps what is its own: engines' values never leave their host, and what is set is the plan that was shown, by
its number. What the host says of it is bounded, and of the limits that were asked about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from collectors.engines.ssh_target import over
from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Ask, PlanAnswer
from collectors.fleet.remote_actions import at_home, neighbours
from collectors.model.actions import Result
from collectors.model.errors import SourceDown
from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import Plan, PlannedChange, Use
from collectors.model.limits import Amount, Limit, LimitKey, Setting, Way, is_amount
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import ANSWER_S

_LONGEST, _LONGEST_COMMAND = 1000, 4000
_MOST = 16
"""Warnings, and commands, of a change."""
_PLAN_S = 3 * ANSWER_S
"""Seconds for a look and two readings of the limits there."""
_CHANGE_S = 6 * ANSWER_S
"""Seconds for one limit: looks, readings before and after, the engine itself, and until the value shows."""


class RemoteLimits:
    """Sets them; see `SetsElsewhere`.

    Args:
        host: The host.
        conversation: Questions to it.
    """

    def __init__(self, host: HostSpec, conversation: Conversation) -> None:
        self._host = host
        self._conversation = conversation
        self._numbers = itertools.count(1)

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        limits = self._conversation.ask(list[Limit], Ask.LIMITS, workload=at_home(workload))
        return {limit.key: self._limit(limit) for limit in limits}

    def plan(
        self,
        workload: Workload,
        changes: Mapping[LimitKey, Amount | None],
        use: Use,
        way: Way,
        workloads: Iterable[Workload],
    ) -> Plan:
        number = next(self._numbers)
        answer = self._conversation.ask(
            PlanAnswer,
            Ask.LIMITS_PLAN,
            _PLAN_S,
            workload=at_home(workload),
            workloads=neighbours(workload, workloads),
            changes=dict(changes),
            use=use,
            is_kept=way.is_kept,
            plan=number,
        )
        planned = tuple(map(self._change, answer.changes))
        if [(change.key, change.new) for change in planned] != list(changes.items()):
            raise self._lie("plans other limits than those that were asked for")
        if answer.kind in (Result.DONE, Result.ALREADY):
            raise self._lie("says that it has done what was only planned")
        objection, remedy = sanitize(answer.objection, _LONGEST), sanitize(answer.remedy, _LONGEST)
        return Plan(workload, answer.seen, planned, way, objection, remedy, answer.kind, number)

    def apply(self, plan: Plan) -> tuple[ChangeOutcome, ...]:
        return self._outcomes(Ask.LIMITS_SET, plan)

    def undo(self, applied: Applied) -> tuple[ChangeOutcome, ...]:
        return self._outcomes(Ask.LIMITS_UNDO, applied.plan)

    def _outcomes(self, ask: Ask, plan: Plan) -> tuple[ChangeOutcome, ...]:
        outcomes = self._conversation.send_once(
            list[ChangeOutcome],
            ask,
            _CHANGE_S * len(plan.changes),
            workload=at_home(plan.workload),
            plan=plan.number,
        )
        keys = [outcome.change.key for outcome in outcomes]
        if not keys or len(set(keys)) < len(keys) or not {change.key for change in plan.changes}.issuperset(keys):
            raise self._lie("answers for other limits than those that were to be set")
        return tuple(map(self._outcome, outcomes))

    def _outcome(self, outcome: ChangeOutcome) -> ChangeOutcome:
        change = self._change(outcome.change)
        before, after = (limit and self._limit(limit) for limit in (outcome.before, outcome.after))
        if any(limit is not None and limit.key is not change.key for limit in (before, after)):
            raise self._lie("answers with another limit")
        return outcome._replace(
            change=change,
            sentence=f"{self._host.name}: {sanitize(outcome.sentence, _LONGEST)}",
            remedy=sanitize(outcome.remedy, _LONGEST),
            before=before,
            after=after,
        )

    def _change(self, change: PlannedChange) -> PlannedChange:
        setting, login = change.setting, self._host.target.command
        amounts = (change.new, setting.amount if setting is not None else None)
        if change.now.key is not change.key or not all(is_amount(change.key, amount) for amount in amounts):
            raise self._lie(f"answers with an amount that no limit {change.key} can have")
        return change._replace(
            now=self._limit(change.now),
            setting=None if setting is None else Setting({}, setting.amount),
            warnings=tuple(sanitize(warning, _LONGEST) for warning in change.warnings[:_MOST]),
            commands=tuple(over(login, sanitize(command, _LONGEST_COMMAND)) for command in change.commands[:_MOST]),
            objection=sanitize(change.objection, _LONGEST),
        )

    def _limit(self, limit: Limit) -> Limit:
        if not is_amount(limit.key, limit.value) or not is_amount(LimitKey.MEMORY, limit.most):
            raise self._lie(f"answers with an amount that no limit {limit.key} can have")
        return limit._replace(objection=sanitize(limit.objection, _LONGEST), settings={})

    def _lie(self, words: str) -> SourceDown:
        return SourceDown(f"the vmtop on {self._host.name} {words}")
