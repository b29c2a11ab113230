"""What an action on a service means: the equivalent systemctl commands, and the side effects. Pure."""

from __future__ import annotations

import shlex

from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.wording import some
from collectors.model.workloads import Workload

_WITH_TIMEOUT = frozenset({Verb.STOP, Verb.RESTART})


def argument(workload: Workload) -> str:
    """Return the unit's name, quoted for a shell; systemd has no other id."""
    unit = workload.id.id.rpartition("/")[2]
    return f"-- {shlex.quote(unit)}" if unit.startswith("-") else shlex.quote(unit)


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; the second one follows a time-out."""
    unit = argument(request.workload)
    first = f"systemctl {request.verb} {unit}"
    if request.verb not in _WITH_TIMEOUT or request.after is not AfterTimeout.FORCE:
        return (first,)
    return (first, f"systemctl kill --signal=SIGKILL {unit}  # after {request.timeout_s:g} s")


def warnings(request: Request) -> list[str]:
    """Return sentences about units that stop or restart with it, and about a transient unit that is forgotten."""
    if request.seen is None:
        return []
    sentences = []
    if request.verb is Verb.STOP and Note.TRANSIENT in request.seen.notes:
        sentences.append("It is transient: once it has stopped, systemd forgets the unit.")
    if request.seen.dependents and request.verb in _WITH_TIMEOUT:
        effect = "stop" if request.verb is Verb.STOP else "restart (or stop)"
        sentences.append(f"systemd will {effect} with it: {some(request.seen.dependents)}.")
    return sentences
