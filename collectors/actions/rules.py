"""Which actions are possible for a workload, by its engine and its state, and why others are not. Pure."""

from __future__ import annotations

from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.model.actions import Verb
from collectors.model.workloads import State, Workload


def why_not(verb: Verb, workload: Workload) -> str:
    """Return why a verb is not possible for a workload now; empty when it is."""
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
        return "its state is unknown: its engine does not answer (! shows why)"
    return spec.refusals.get(state) or spec.refusal.format(state=state)


def is_reached(verb: Verb, state: State) -> bool:
    """Return whether a state is one that the verb leads to."""
    return state in VERBS[verb].leads_to
