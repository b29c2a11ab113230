"""Checks before and after an action, from what the engine reports: may it proceed, did it succeed? Pure."""

from __future__ import annotations

from collectors.actions.rules import is_reached, state_forbids
from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.model.actions import Note, Observed, Request, Result, Verb
from collectors.model.workloads import State

_ENDED = (State.STOPPED, State.CRASHED)
_ENDED_AFTER_START = (*_ENDED, State.RESTARTING)
"""A workload that waits to be started again by its engine has ended too."""
STARTING = frozenset(verb for verb, spec in VERBS.items() if spec.starts_it)
"""The verbs that start a workload, which may then have ended again."""


def objection(request: Request, now: Observed) -> tuple[Result, str] | None:
    """Return the result and sentence of an action that must not run on the workload as it is now; `None` if it may."""
    seen, verb = request.seen, request.verb
    is_already_reached = verb is not Verb.RESTART and is_reached(verb, now.state)
    workload = request.workload
    if owner(workload).has_aliases and now.name != workload.name:
        return Result.REFUSED, f"is an alias of {now.name}: nothing was done; use that name"
    # The engine's name for it when the menu opened is not enough: it may have been renamed since it was chosen.
    names = {workload.name, seen.name if seen else workload.name}
    if workload.name_is_known and now.name and names != {now.name}:
        return Result.CHANGED, f"is now called {now.name}: nothing was done"
    if is_already_reached:
        return Result.ALREADY, f"is already {now.state}: nothing was done"
    if request.run is not None and now.start != request.run:
        return Result.CHANGED, "was started or stopped in the meantime: nothing was done"
    reason = state_forbids(verb, now.state)
    return (Result.REFUSED, f"not done: {reason}") if reason else None


def has_taken_effect(verb: Verb, before: Observed, now: Observed, needs_new_run: bool) -> bool:
    """Return whether the action has taken effect.

    A start or restart also counts as done when the workload has ended again since.

    Args:
        verb: The action.
        before: The workload before the engine was asked.
        now: The workload now.
        needs_new_run: Whether a restart changes `Observed.start`.
    """
    is_new_run = now.start != before.start
    if verb is Verb.START:
        return (is_new_run and now.state is not State.CREATED) or (needs_new_run and has_finished(verb, now))
    if verb is Verb.RESTART and now.state in _ENDED_AFTER_START:
        return (is_new_run or has_finished(verb, now)) and needs_new_run
    return is_reached(verb, now.state) and (is_new_run or verb is not Verb.RESTART or not needs_new_run)


def has_ended_again(verb: Verb, now: Observed) -> bool:
    """Return whether a workload that was started has already failed, or ended where it was meant to go on."""
    return verb in STARTING and now.state in _ENDED_AFTER_START and not has_finished(verb, now)


def started_twice(first: Observed, later: Observed) -> Observed:
    """Return the later observation of a started workload; one that its engine has started again since has ended."""
    if later.start == first.start or later.state in _ENDED_AFTER_START:
        return later
    return later._replace(state=State.RESTARTING, detail="its engine has started it again since")


def has_finished(verb: Verb, now: Observed) -> bool:
    """Return whether a workload that was started has ended with success, such as a service that runs once.

    systemd may have forgotten the run: it unloads a unit that has ended well and that no other unit needs.
    """
    return verb in STARTING and now.state is State.STOPPED and not now.detail


def has_paused_again(verb: Verb, now: Observed) -> bool:
    """Return whether a workload that the engine has resumed was paused again by a fault."""
    return verb is Verb.RESUME and now.state is State.PAUSED and Note.FAULTED in now.notes
