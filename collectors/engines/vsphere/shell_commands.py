"""What an action on a machine means: the equivalent commands of govc, VMware's own, and the side effects. Pure."""

from __future__ import annotations

import shlex

from collectors.model.actions import AfterTimeout, Request, Verb

_FLAGS = {
    Verb.START: "-on",
    Verb.STOP: "-s",
    Verb.RESTART: "-r",
    Verb.PAUSE: "-suspend",
    Verb.RESUME: "-on",
    Verb.KILL: "-off",
}
_FORCED = {Verb.STOP: "-off", Verb.RESTART: "-reset"}
"""What follows a time-out."""


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; the second one follows a time-out."""
    address = f"-u {shlex.quote(request.address)} " if request.address else ""
    identity = shlex.quote(request.workload.id.id)
    first = f"govc vm.power {address}{_FLAGS.get(request.verb, request.verb.value)} -vm.uuid {identity}"
    forced = _FORCED.get(request.verb) if request.after is AfterTimeout.FORCE else None
    if forced is None:
        return (first,)
    second = f"govc vm.power {address}{forced} -vm.uuid {identity}"
    return first, f"{second}  # after {request.timeout_s:g} s"


def warnings(request: Request) -> list[str]:
    """Return what pausing means here: other engines keep a paused machine in memory."""
    if request.verb is Verb.PAUSE:
        return ["It is suspended: its memory is written to its datastore, and the host's is freed."]
    return []
