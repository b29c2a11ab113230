"""Limits that another host sets: what its answer means, and what is seen where there was none."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.model.actions import Result
from collectors.model.errors import AccessDenied, SourceDown, SourceError, WorkloadGone
from collectors.model.limit_changes.elsewhere import SetsElsewhere
from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import Plan, PlannedChange, shown
from collectors.model.limits import Limit, LimitKey, Setting, is_same, write_amount

_LOOK_S = 20.0
"""Seconds for which is looked whether a host has done what it was asked: it goes on without the connection."""
_POLL_S = 1.0


def result_of(error: SourceError) -> Result:
    """Return what an error before anything was done is as a result."""
    if isinstance(error, WorkloadGone):
        return Result.GONE
    return Result.DENIED if isinstance(error, AccessDenied) else Result.FAILED


def set_elsewhere(engine: SetsElsewhere, plan: Plan) -> tuple[ChangeOutcome, ...]:
    """Have a plan done by the host of its workload. Blocks; raises nothing of the kinds of `SourceError`."""
    return _carried_out(engine, plan, plan.changes, lambda: engine.apply(plan))


def undo_elsewhere(engine: SetsElsewhere, applied: Applied) -> tuple[ChangeOutcome, ...]:
    """Have the host take back what it set; as `set_elsewhere`."""
    changes = tuple(_back(outcome) for outcome in reversed(applied.outcomes) if outcome.before is not None)
    return _carried_out(engine, applied.plan, changes, lambda: engine.undo(applied))


def _back(outcome: ChangeOutcome) -> PlannedChange:
    assert outcome.before is not None  # noqa: S101  # the caller looked
    key, setting, old = outcome.change.key, outcome.change.setting, outcome.before.value
    now = outcome.after or Limit(key, setting.amount if setting is not None else None)
    return outcome.change._replace(now=now, new=old, setting=Setting({}, old), warnings=(), commands=())


def _carried_out(
    engine: SetsElsewhere,
    plan: Plan,
    changes: tuple[PlannedChange, ...],
    ask: Callable[[], tuple[ChangeOutcome, ...]],
) -> tuple[ChangeOutcome, ...]:
    began = time.monotonic()
    try:
        return ask()
    except SourceDown as error:
        found, reason = _looked(engine, plan, changes, error)
        seconds = time.monotonic() - began
        return tuple(_seen(plan, change, found.get(change.key), reason)._replace(seconds=seconds) for change in changes)
    except SourceError as error:
        words = f"not done: {error.reason}"
        return tuple(_end(plan, change, result_of(error), words, error.remedy) for change in changes)


def _looked(
    engine: SetsElsewhere, plan: Plan, changes: tuple[PlannedChange, ...], error: SourceError
) -> tuple[dict[LimitKey, Limit], str]:
    """Return the limits once all are as they were to be, or as they are at the end; and what went wrong."""
    deadline, found, reason = time.monotonic() + _LOOK_S, {}, error.reason
    while time.monotonic() < deadline:
        try:
            found = engine.read(plan.workload)
        except SourceError as later:
            reason = later.reason
        if all(_is_done(change, found.get(change.key)) for change in changes):
            break
        time.sleep(_POLL_S)
    return found, reason


def _is_done(change: PlannedChange, now: Limit | None) -> bool:
    setting = change.setting
    return (
        now is not None and setting is not None and now.is_measured and is_same(change.key, now.value, setting.amount)
    )


def _seen(plan: Plan, change: PlannedChange, now: Limit | None, reason: str) -> ChangeOutcome:
    """Return the outcome as it looks; the host's engine alone knew its own old values, so it is not taken back."""
    was = shown(change.now)
    if now is not None and _is_done(change, now):
        words = f"is {shown(now)}, was {was} (confirmed by another look)"
        return _end(plan, change, Result.DONE, words)._replace(after=now)
    known = "" if now is None else f"; it is {shown(now)} now"
    remedy = f"set {change.key}={write_amount(change.key, change.now.value)} to have it as it was"
    words = f"outcome unknown: {reason}{known}"
    return _end(plan, change, Result.UNKNOWN, words, remedy if change.now.is_measured else "")._replace(after=now)


def _end(plan: Plan, change: PlannedChange, result: Result, words: str, remedy: str = "") -> ChangeOutcome:
    workload = plan.workload
    return ChangeOutcome(change, result, f"{workload.id.host}: {workload.name}: {change.key} {words}", remedy)
