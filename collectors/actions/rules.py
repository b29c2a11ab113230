"""What is offered for a workload, by its engine and its state, and the reason where it is not. Pure."""

from __future__ import annotations

from collectors.engines.registry import owner
from collectors.model.actions import Verb
from collectors.model.workloads import State, Workload

_RUNS = frozenset({State.RUNNING, State.BLOCKED, State.STARTING, State.RESTARTING})
_RESTS = frozenset({State.STOPPED, State.CREATED, State.CRASHED})
_LIVES = frozenset(State) - _RESTS - {State.UNKNOWN}
_FROM: dict[Verb, frozenset[State]] = {
    Verb.START: _RESTS,
    Verb.STOP: _RUNS,
    Verb.RESTART: _RUNS,
    Verb.PAUSE: frozenset({State.RUNNING, State.BLOCKED}),
    Verb.RESUME: frozenset({State.PAUSED}),
    Verb.KILL: _LIVES,
    Verb.REMOVE: _RESTS,
}
"""The states in which a verb makes sense."""


def why_not(verb: Verb, workload: Workload) -> str:
    """Return why a verb is not possible for a workload as it is; empty when it is."""
    return engine_forbids(verb, workload) or state_forbids(verb, workload.state)


def engine_forbids(verb: Verb, workload: Workload) -> str:
    """Return why a verb is never possible for a workload, whatever its state; empty when it may be."""
    return owner(workload).forbids(verb, workload)


def state_forbids(verb: Verb, state: State) -> str:
    """Return why a state does not allow a verb; empty when it does."""
    if state in _FROM[verb]:
        return ""
    if state is State.UNKNOWN:
        return "its state is not known: its engine does not answer (! tells more)"
    if state is State.PAUSED and verb in (Verb.STOP, Verb.RESTART):
        return "it is paused: resume it first, or kill it"
    if verb is Verb.REMOVE:
        return f"it is {state}: stop it first"
    return _ALREADY.get((verb, state)) or f"it is {state}"


_ALREADY = {
    (Verb.START, State.RUNNING): "it runs already",
    (Verb.STOP, State.STOPPED): "it is stopped already",
    (Verb.KILL, State.STOPPED): "it is stopped already",
    (Verb.PAUSE, State.PAUSED): "it is paused already",
    (Verb.RESUME, State.RUNNING): "it runs already",
}


def is_reached(verb: Verb, state: State) -> bool:
    """Return whether a state is what the verb wants to bring about (a restart is never there beforehand)."""
    match verb:
        case Verb.START | Verb.RESUME | Verb.RESTART:
            return state in (State.RUNNING, State.BLOCKED)
        case Verb.STOP | Verb.KILL:
            return state in _RESTS
        case Verb.PAUSE:
            return state is State.PAUSED
        case Verb.REMOVE:
            return False
