"""How outcomes are told. Each sentence follows the workload's name."""

from __future__ import annotations

from collectors.model.actions import Request, Verb
from collectors.model.workloads import Kind

_DONE = {
    Verb.START: "was started",
    Verb.STOP: "was stopped",
    Verb.RESTART: "was restarted",
    Verb.PAUSE: "was paused",
    Verb.RESUME: "was resumed",
    Verb.KILL: "was killed",
    Verb.REMOVE: "was removed",
}
GERUNDS = {
    Verb.START: "starting",
    Verb.STOP: "stopping",
    Verb.RESTART: "restarting",
    Verb.PAUSE: "pausing",
    Verb.RESUME: "resuming",
    Verb.KILL: "killing",
    Verb.REMOVE: "removing",
}


HINTS = {
    Verb.START: "",
    Verb.STOP: "ask it to end",
    Verb.RESTART: "ask it to end, and start it anew",
    Verb.PAUSE: "freeze it; its memory stays",
    Verb.RESUME: "let it run on",
    Verb.KILL: "end it at once, without asking it",
    Verb.REMOVE: "delete it for good",
}
"""A few words about each verb, for a menu."""


def label(verb: Verb, kind: Kind | None) -> str:
    """Name a verb in the words of the kind: a VM is rebooted and forced off. `None`: several kinds together."""
    if kind is Kind.VM:
        return {Verb.RESTART: "reboot", Verb.KILL: "force off", Verb.STOP: "shut down"}.get(verb, verb.value)
    return verb.value


def done_words(request: Request, is_forced: bool = False) -> str:
    """Say what was done."""
    is_vm = request.workload.kind is Kind.VM
    if is_forced:
        how = "reset" if is_vm and request.verb is Verb.RESTART else "forced off" if is_vm else "killed"
        more = " and started anew" if request.verb is Verb.RESTART and not is_vm else ""
        return f"was {how}{more}, as it did not follow within {request.timeout_s:g} s"
    if is_vm and request.verb in (Verb.RESTART, Verb.KILL):
        return "was rebooted" if request.verb is Verb.RESTART else "was forced off"
    return _DONE[request.verb]


def left_words(request: Request) -> str:
    """Say that it did not follow, and was left as it is."""
    asked = {Verb.STOP: "to stop", Verb.RESTART: "to restart"}.get(request.verb, f"to {request.verb}")
    return f"was asked {asked} and has not within {request.timeout_s:g} s: it is left as it is"
