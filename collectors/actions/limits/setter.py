"""Reads, plans, sets and takes back limits, each on the workload and the run that were seen, and checks the effect.

The old value is remembered before anything is sent. Once the engine has accepted a value, an error of reading it back
is "outcome unknown", never "not done", and the change can still be taken back. Everything is logged with both values.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from collectors.actions.limits.elsewhere import result_of, set_elsewhere, undo_elsewhere
from collectors.actions.limits.plan import impossible, plan_change
from collectors.actions.limits.step import Step, back_step
from collectors.actions.look import Looker
from collectors.actions.runner import Runner
from collectors.model.actions import Observed, Outcome, Result
from collectors.model.errors import SourceAbsent, SourceDown, SourceError
from collectors.model.limit_changes.elsewhere import AnyLimits, SetsElsewhere
from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import NO_USE, Plan, Use, shown
from collectors.model.limits import (
    LIVE_ONLY,
    Amount,
    EngineLimits,
    Limit,
    LimitKey,
    Way,
    is_same,
    write_amount,
)
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.sampling.timeout import ANSWER_S, call_with_timeout

log = logging.getLogger(__name__)

_POLL_S = 0.2
_NOT_DONE = "not done"
_BUSY = "its limits are being set already"


class Setter:
    """Sets limits through the engines. Every call blocks.

    Args:
        runner: Its lock, its log, its user and whom it tells; what it is doing meanwhile.
        looker: Looks at workloads before they are touched, and knows what is protected.
        limits_of: Finds what sets the limits of a workload; raises `SourceError` where nothing does.
        locked: Why nothing is set while the runner is locked, as a clause with what to do.
    """

    def __init__(
        self,
        runner: Runner,
        looker: Looker,
        limits_of: Callable[[Workload], AnyLimits],
        locked: str = "actions are locked: L unlocks them",
    ) -> None:
        self._runner = runner
        self._looker = looker
        self._limits_of = limits_of
        self._locked = locked
        self._lock = threading.Lock()
        self._busy: set[WorkloadId] = set()

    def read_limits(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Return the limits of a workload as its engine has them now.

        Raises:
            SourceError: They cannot be read, or not by vmtop.
        """
        if (elsewhere := self._elsewhere(workload)) is not None:
            return elsewhere.read(workload)
        return call_with_timeout(ANSWER_S, lambda: self._engine(workload).read(workload))

    def plan(
        self,
        workload: Workload,
        changes: Mapping[LimitKey, Amount | None],
        use: Use = NO_USE,
        way: Way = LIVE_ONLY,
        workloads: Collection[Workload] = (),
    ) -> Plan:
        """Return what changes would mean. Changes nothing; never raises `SourceError`.

        Args:
            workload: The workload.
            changes: The new amounts, `None` for no limit.
            use: What the workload uses.
            way: How they are set.
            workloads: All current workloads, for its protection.
        """
        try:
            if (elsewhere := self._elsewhere(workload)) is not None:
                return elsewhere.plan(workload, changes, use, way, workloads)
            limits = self._engine(workload)
            look = self._looker.look(workload, workloads, ANSWER_S)
            if look.seen is None:
                call_with_timeout(ANSWER_S, lambda: limits.read(workload))  # whose error has a remedy and its kind
                return impossible(workload, changes, way, look.problem or "its engine does not answer")
            if objection := _state_objection(workload, look.seen):
                return impossible(workload, changes, way, objection, seen=look.seen)
            now = call_with_timeout(ANSWER_S, lambda: limits.read(workload))
        except SourceAbsent as error:
            return impossible(workload, changes, way, error.reason, error.remedy)
        except SourceError as error:
            return impossible(workload, changes, way, error.reason, error.remedy, result_of(error))
        has_vcpus = workload.kind is Kind.VM and LimitKey.VCPUS in changes
        planned = tuple(
            plan_change(workload, limits, now, key, new, way, use, has_vcpus and key is LimitKey.CPU)
            for key, new in changes.items()
        )
        protected = f"it is protected: {look.protected} (allow_protected makes exceptions)" if look.protected else ""
        return Plan(workload, look.seen, planned, way, protected)

    def apply(self, plan: Plan) -> Applied:
        """Set the limits of a plan one after the other, unless there is an objection to any of them."""
        if refusal := self._refusal(plan.workload):
            return self._refuse(plan, refusal)
        if plan.refusal:
            return self._refuse(plan, "", plan.remedy, plan.kind)
        if not self._reserve(plan.workload):
            return self._refuse(plan, _BUSY)
        try:
            if (elsewhere := self._elsewhere(plan.workload)) is not None:
                return Applied(plan, self._recorded(plan, "set", lambda: set_elsewhere(elsewhere, plan)))
            steps = [Step(change, change.setting, change.now) for change in plan.changes if change.setting is not None]
            return Applied(plan, self._run(plan, steps, "set"))
        finally:
            self._busy.discard(plan.workload.id)

    def undo(self, applied: Applied) -> Applied:
        """Put the limits back as they were before, once: an undo is not undone."""
        plan = applied.plan
        if refusal := _undo_refusal(applied) or self._refusal(plan.workload):
            return self._refuse_undo(plan, refusal)
        if not self._reserve(plan.workload):
            return self._refuse_undo(plan, _BUSY)
        try:
            if refusal := _undo_refusal(applied):  # by another thread meanwhile
                return self._refuse_undo(plan, refusal)
            if (elsewhere := self._elsewhere(plan.workload)) is not None:
                outcomes = self._recorded(plan, "undo", lambda: undo_elsewhere(elsewhere, applied))
                applied.is_undone = any(outcome.before is not None for outcome in outcomes)
                return Applied(plan, outcomes, is_undo=True)
            limits = self._engine(plan.workload)
            steps = [back_step(plan, limits, outcome) for outcome in reversed(applied.outcomes) if outcome.before]
            outcomes = self._run(plan, steps, "undo")
            applied.is_undone = any(outcome.before is not None for outcome in outcomes)
            return Applied(plan, outcomes, is_undo=True)
        except SourceError as error:
            return self._refuse_undo(plan, error.reason, error.remedy, result_of(error))
        finally:
            self._busy.discard(plan.workload.id)

    def _elsewhere(self, workload: Workload) -> SetsElsewhere | None:
        """Return what has the limits of a workload of another host set there; `None` for one of this host."""
        limits = self._limits_of(workload) if workload.id.host else None
        return limits if isinstance(limits, SetsElsewhere) else None

    def _engine(self, workload: Workload) -> EngineLimits:
        limits = self._limits_of(workload)
        assert not isinstance(limits, SetsElsewhere)  # noqa: S101  # the caller looked
        return limits

    def _recorded(
        self, plan: Plan, verb: str, work: Callable[[], tuple[ChangeOutcome, ...]]
    ) -> tuple[ChangeOutcome, ...]:
        """Return how another host ended it, which is in its own log, too."""
        began_wall = time.time()
        return tuple(self._record(plan, outcome, verb, began_wall) for outcome in work())

    def _reserve(self, workload: Workload) -> bool:
        """Return whether nobody else is setting the workload's limits; they are reserved then."""
        with self._lock:
            if workload.id in self._busy:
                return False
            self._busy.add(workload.id)
            return True

    def _refusal(self, workload: Workload) -> str:
        if self._runner.is_locked:
            return self._locked
        other = self._runner.running().get(workload.id)
        return f"its {other.request.verb} is still in progress" if other is not None else ""

    def _refuse(self, plan: Plan, reason: str, remedy: str = "", kind: Result = Result.REFUSED) -> Applied:
        """Refuse all of it, for a reason or for the plan's own; a change with an objection of its own says that."""
        outcomes = []
        for change in plan.changes:
            words = f"{_NOT_DONE}: {change.objection or reason or plan.refusal_of(change)}"
            outcome = ChangeOutcome(change, kind, f"{plan.workload.name}: {change.key} {words}", remedy)
            outcomes.append(self._record(plan, outcome, "set", time.time()))
        return Applied(plan, tuple(outcomes))

    def _refuse_undo(self, plan: Plan, reason: str, remedy: str = "", kind: Result = Result.REFUSED) -> Applied:
        outcomes = []
        for change in plan.changes:
            words = f"{plan.workload.name}: {change.key} {_NOT_DONE}: {reason}"
            outcomes.append(self._record(plan, ChangeOutcome(change, kind, words, remedy), "undo", time.time()))
        return Applied(plan, tuple(outcomes), is_undo=True)

    def _run(self, plan: Plan, steps: list[Step], verb: str) -> tuple[ChangeOutcome, ...]:
        """Set one limit after the other; after a failure that is not the engine's refusal, none of the rest."""
        outcomes: list[ChangeOutcome] = []
        stopped = ""
        for step in steps:
            began, began_wall = time.monotonic(), time.time()
            refused = _end(plan, step, Result.REFUSED, f"{_NOT_DONE}: {stopped}")
            outcome = refused if stopped else self._set(plan, step)
            if outcome.result in (Result.UNKNOWN, Result.GONE, Result.CHANGED, Result.DENIED) and not stopped:
                stopped = f"{step.change.key} went wrong before it"
            outcome = outcome._replace(seconds=time.monotonic() - began)
            outcomes.append(self._record(plan, outcome, verb, began_wall))
        return tuple(outcomes)

    def _set(self, plan: Plan, step: Step) -> ChangeOutcome:
        workload = plan.workload
        try:
            limits = self._engine(workload)
            assert plan.seen is not None  # noqa: S101  # a plan without it has an objection
            seen = self._runner.look(workload, ANSWER_S)
            if changed := _difference(plan.seen, seen, step.needs_run):
                return _end(plan, step, Result.CHANGED, f"{_NOT_DONE}: {changed}")
            before = call_with_timeout(ANSWER_S, lambda: limits.read(workload)).get(step.change.key)
            if before is None:
                return _end(plan, step, Result.CHANGED, f"{_NOT_DONE}: its engine no longer reports it")
            if difference := step.differs(before) or step.would_send_otherwise(workload, limits, before):
                return _end(plan, step, Result.CHANGED, f"{_NOT_DONE}: {difference}")
        except SourceError as error:
            return _end(plan, step, result_of(error), f"{_NOT_DONE}: {error.reason}", error.remedy)
        if before.is_measured and is_same(before.key, before.value, step.setting.amount) and not step.is_forced(plan):
            return _end(plan, step, Result.ALREADY, f"is already {shown(before)}: nothing was done")
        try:
            call_with_timeout(ANSWER_S, lambda: limits.send(workload, before.key, step.setting, plan.way))
        except SourceAbsent as error:
            return _end(plan, step, Result.FAILED, f"{_NOT_DONE}: {error.reason}", error.remedy)
        except SourceDown as error:  # it may have done it before it was lost
            words = f"outcome unknown: {error.reason}"
            return _end(plan, step, Result.UNKNOWN, words, error.remedy)._replace(before=before)
        except SourceError as error:
            return _end(plan, step, result_of(error), f"{_NOT_DONE}: {error.reason}", error.remedy)
        return self._verify(plan, step, limits, before, seen)

    def _verify(self, plan: Plan, step: Step, limits: EngineLimits, before: Limit, seen: Observed) -> ChangeOutcome:
        """Read the value back until it is as it was set, as long as the engine takes for that."""
        deadline = time.monotonic() + limits.settles_s
        workload, key, wanted = plan.workload, before.key, step.setting.amount
        try:
            while True:
                after = call_with_timeout(ANSWER_S, lambda: limits.read(workload)).get(key)
                if after is not None and step.has_restored(after):
                    return _end(plan, step, Result.DONE, "is as it was")._replace(before=before, after=after)
                if after is None or not after.is_measured:
                    return _unknown(plan, step, before, "its engine does not report what it is now")
                if is_same(key, after.value, wanted) or time.monotonic() >= deadline:
                    break
                time.sleep(_POLL_S)
            if changed := _difference(seen, self._runner.look(workload, ANSWER_S), needs_run=True):
                return _unknown(plan, step, before, changed)
        except SourceError as error:
            return _unknown(plan, step, before, error.reason, error.remedy)
        except Exception as error:
            # It was sent: whatever goes wrong now, the old value must not be lost with it.
            log.exception("reading %s of %s back", key, workload.name)
            return _unknown(plan, step, before, f"{type(error).__name__}: {error}", "see the log")
        words = f"{write_amount(key, after.value)}, was {shown(before)}"
        if is_same(key, after.value, wanted):
            return _end(plan, step, Result.DONE, f"is {words}")._replace(before=before, after=after)
        asked = f"the engine accepted {write_amount(key, wanted)}, but it is {words}"
        is_moving = not is_same(key, after.value, before.value)
        result = Result.TIMED_OUT if is_moving else Result.FAILED
        return _end(plan, step, result, asked)._replace(before=before, after=after)

    def _record(self, plan: Plan, outcome: ChangeOutcome, verb: str, began_wall: float) -> ChangeOutcome:
        command = "; ".join(outcome.change.commands)
        words = f"{verb} {outcome.change.words}"
        ended = Outcome(outcome.result, outcome.sentence, outcome.remedy, outcome.seconds)
        self._runner.record(plan.workload, words, command, ended, began_wall)
        return outcome


def _state_objection(workload: Workload, seen: Observed) -> str:
    if workload.name_is_known and seen.name and seen.name != workload.name:
        return f"it is called {seen.name} now: use that name"
    return "" if seen.state.is_active else f"it is {seen.state}: start it first"


def _difference(seen: Observed, now: Observed, needs_run: bool) -> str:
    """Return how a workload differs from the one that was seen, as a clause; empty if it is the same run."""
    if now.name != seen.name:
        return f"it is now called {now.name}"
    if needs_run and now.start != seen.start:
        return "it was started or stopped in the meantime"
    return "" if now.state.is_active else f"it is {now.state} now"


def _undo_refusal(applied: Applied) -> str:
    """Return why there is nothing to take back, as a clause; empty if there is."""
    if applied.is_undo:
        return "this is an undo: set the limits again"
    if applied.is_undone:
        return "this was undone already"
    return "" if applied.can_be_undone else "this changed nothing that could be undone"


def _end(plan: Plan, step: Step, result: Result, words: str, remedy: str = "") -> ChangeOutcome:
    return ChangeOutcome(step.change, result, f"{plan.workload.name}: {step.change.key} {words}", remedy)


def _unknown(plan: Plan, step: Step, before: Limit, reason: str, remedy: str = "") -> ChangeOutcome:
    words = f"was set, and the outcome is unknown: {reason}"
    return _end(plan, step, Result.UNKNOWN, words, remedy)._replace(before=before)
