"""What is offered for a workload, by its engine and its state, and the reason where it is not. Pure."""

from __future__ import annotations

from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.model.actions import Verb
from collectors.model.workloads import State, Workload


def why_not(verb: Verb, workload: Workload) -> str:
    """Return why a verb is not possible for a workload as it is; empty when it is."""
    return engine_forbids(verb, workload) or state_forbids(verb, workload.state)


def engine_forbids(verb: Verb, workload: Workload) -> str:
    """Return why a verb is never possible for a workload, whatever its state; empty when it may be."""
    return owner(workload).forbids(verb, workload)


def state_forbids(verb: Verb, state: State) -> str:
    """Return why a state does not allow a verb; empty when it does."""
    spec = VERBS[verb]
    if state in spec.starts_from:
        return ""
    if state is State.UNKNOWN:
        return "its state is not known: its engine does not answer (! tells more)"
    return spec.refusals.get(state) or spec.refusal.format(state=state)


def is_reached(verb: Verb, state: State) -> bool:
    """Return whether a state is what the verb wants to bring about (a restart is never there beforehand)."""
    return state in VERBS[verb].leads_to
