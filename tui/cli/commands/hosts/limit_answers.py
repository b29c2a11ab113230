"""Limits that a vmtop on another host asks for: plans, and what they have set, stay here with the engines' values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from collectors.actions.limits.setter import Setter
from collectors.actions.look import Looker
from collectors.actions.runner import Runner
from collectors.engines.connections import EngineConnections
from collectors.fleet.questions import Ask, PlanAnswer, Question
from collectors.model.errors import SourceError
from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import Plan, PlannedChange
from collectors.model.limits import Limit, LimitError, Setting, Way, parse_amount, write_amount
from collectors.model.workloads import Workload

_LOCKED = "read_only is set in the configuration there"
_MOST = 64
"""Plans, and changes that can be taken back, that are remembered: the newest."""


class LimitAnswers:
    """Answers what is asked about limits.

    Args:
        connections: Access to the engines of this host.
        runner: Its log, and whether actions are locked.
        looker: Looks at workloads before they are touched, and knows what is protected.
    """

    def __init__(self, connections: EngineConnections, runner: Runner, looker: Looker) -> None:
        self._connections = connections
        self._runner = runner
        self._setter = Setter(runner, looker, connections.limits, _LOCKED)
        self._plans: dict[int, Plan] = {}
        self._applied: dict[int, Applied] = {}
        self.replies: Mapping[Ask, Callable[[Question, Workload], Any]] = {
            Ask.LIMITS: self._read,
            Ask.LIMITS_PLAN: self._plan,
            Ask.LIMITS_SET: self._set,
            Ask.LIMITS_UNDO: self._undo,
        }
        """By question; each raises `SourceError` where there is no answer, and then nothing was done."""

    @property
    def are_remembered(self) -> bool:
        """Whether there is something that may yet be set, or taken back."""
        return bool(self._plans or self._applied)

    def _read(self, question: Question, workload: Workload) -> list[Limit]:
        return [_outlined(limit) for limit in self._setter.read_limits(workload).values()]

    def _plan(self, question: Question, workload: Workload) -> PlanAnswer:
        connections = self._connections
        way = Way(question.is_kept, connections.needs_id(workload), connections.command_address(workload))
        try:
            changes = {key: parse_amount(key, write_amount(key, amount)) for key, amount in question.changes.items()}
        except LimitError as error:
            raise SourceError(str(error)) from error
        plan = self._setter.plan(workload, changes, question.use, way, question.workloads)
        if self._runner.is_locked and not plan.objection:
            plan = replace(plan, objection=_LOCKED)
        _remember(self._plans, question.plan, plan)
        planned = tuple(map(_change_outlined, plan.changes))
        return PlanAnswer(plan.seen, planned, plan.objection, plan.remedy, plan.kind)

    def _set(self, question: Question, workload: Workload) -> list[ChangeOutcome]:
        plan = self._plans.pop(question.plan, None)
        if plan is None or plan.workload.id != workload.id:
            raise SourceError("the vmtop there no longer knows what was planned", "plan it again")
        applied = self._setter.apply(plan)
        _remember(self._applied, question.plan, applied)
        return list(map(_outcome_outlined, applied.outcomes))

    def _undo(self, question: Question, workload: Workload) -> list[ChangeOutcome]:
        applied = self._applied.get(question.plan)
        if applied is None or applied.plan.workload.id != workload.id:
            reason = "the vmtop there no longer knows what it was before"
            raise SourceError(reason, "set the old value, which is in the action log")
        return list(map(_outcome_outlined, self._setter.undo(applied).outcomes))


def _remember(kept: dict[int, Any], number: int, value: Any) -> None:
    kept[number] = value
    for oldest in list(kept)[:-_MOST]:
        kept.pop(oldest, None)


def _outlined(limit: Limit) -> Limit:
    """Return a limit without the engine's own values."""
    return limit._replace(settings={})


def _change_outlined(change: PlannedChange) -> PlannedChange:
    setting = change.setting
    return change._replace(now=_outlined(change.now), setting=None if setting is None else Setting({}, setting.amount))


def _outcome_outlined(outcome: ChangeOutcome) -> ChangeOutcome:
    before, after = (limit and _outlined(limit) for limit in (outcome.before, outcome.after))
    return outcome._replace(change=_change_outlined(outcome.change), before=before, after=after)
