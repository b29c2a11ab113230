"""Whether an action may still be done, and whether it has come about, by what the engine shows. Pure."""

from __future__ import annotations

from collectors.actions.rules import is_reached, state_forbids
from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.model.actions import Observed, Request, Result, Verb
from collectors.model.workloads import State

_ENDED = (State.STOPPED, State.CRASHED)
STARTING = frozenset(verb for verb, spec in VERBS.items() if spec.starts_it)
"""The verbs after which a workload may have ended again."""


def objection(request: Request, now: Observed) -> tuple[Result, str] | None:
    """Return why nothing must be done, seeing how the workload is now; `None` when nothing speaks against it."""
    seen, verb = request.seen, request.verb
    is_there = verb is not Verb.RESTART and is_reached(verb, now.state)
    asked = request.workload
    if owner(asked).has_aliases and now.name != asked.name:
        return Result.REFUSED, f"is another name of {now.name}: nothing was done; name that one"
    # What the engine called it when the menu opened is not enough: it may have been renamed since it was chosen.
    names = {asked.name, seen.name if seen else asked.name}
    if asked.name_is_known and now.name and names != {now.name}:
        return Result.CHANGED, f"is called {now.name} now: nothing was done"
    if is_there:
        return Result.ALREADY, f"is {now.state} already: nothing was done"
    if seen is not None and now.start != seen.start:
        return Result.CHANGED, "was started or stopped since you asked: nothing was done"
    reason = state_forbids(verb, now.state)
    return (Result.REFUSED, f"not done: {reason}") if reason else None


def has_come(verb: Verb, before: Observed, now: Observed, needs_new_run: bool) -> bool:
    """Return whether what is observed is what the verb wanted.

    A start or restart has also come about when the workload has ended again since.

    Args:
        verb: What was asked for.
        before: The workload before the engine was asked.
        now: The workload as it is.
        needs_new_run: Whether a restart shows in `Observed.start`.
    """
    is_new = now.start != before.start
    if verb is Verb.START:
        return is_new and now.state is not State.CREATED
    if verb is Verb.RESTART and now.state in _ENDED:
        return is_new and needs_new_run
    return is_reached(verb, now.state) and (is_new or verb is not Verb.RESTART or not needs_new_run)


def has_ended_again(verb: Verb, now: Observed) -> bool:
    """Return whether a workload that was started is at rest again."""
    return verb in STARTING and now.state in _ENDED
