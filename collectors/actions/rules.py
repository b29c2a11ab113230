"""What is offered for a workload, by its engine and its state, and the reason where it is not. Pure."""

from __future__ import annotations

from typing import NamedTuple

from collectors.actions.verbs import VERBS
from collectors.engines.family import Family, family
from collectors.model.actions import Verb
from collectors.model.workloads import Kind, State, Workload


class Offer(NamedTuple):
    """One verb for one workload."""

    verb: Verb
    reason: str = ""
    """Why it is not possible; empty when it is."""


_ALL = tuple(Verb)
_VERBS: dict[Family, tuple[Verb, ...]] = {
    Family.DOCKER: _ALL,
    Family.LIBVIRT: tuple(verb for verb in _ALL if verb is not Verb.REMOVE),
    Family.SYSTEMD: (Verb.START, Verb.STOP, Verb.RESTART),
}
_LACKS: dict[Family, str] = {
    Family.LIBVIRT: "vmtop does not undefine domains",
    Family.SYSTEMD: "services are only started, stopped and restarted",
}


def offers(workload: Workload) -> tuple[Offer, ...]:
    """Return every verb with the reason where it is not possible."""
    return tuple(Offer(verb, why_not(verb, workload)) for verb in Verb)


def why_not(verb: Verb, workload: Workload) -> str:
    """Return why a verb is not possible for a workload as it is; empty when it is."""
    return engine_forbids(verb, workload) or state_forbids(verb, workload.state)


def engine_forbids(verb: Verb, workload: Workload) -> str:
    """Return why a verb is never possible for a workload, whatever its state; empty when it may be."""
    known = family(workload)
    if known is not None:
        return "" if verb in _VERBS[known] else _LACKS[known]
    if workload.kind is Kind.SERVICE:
        return "only services that systemd manages can be acted on"
    return f"{workload.id.engine} runs it, which vmtop can only watch"


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
