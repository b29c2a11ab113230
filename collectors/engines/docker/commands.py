"""What an action on a container means: the docker command that does the same, and what else it brings about. Pure."""

from __future__ import annotations

import re
import shlex

from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.workloads import Workload

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_COMMANDS = {Verb.RESUME: "unpause", Verb.REMOVE: "rm"}
"""Where the docker command has another word than the verb's."""
_WITH_TIMEOUT = frozenset({Verb.STOP, Verb.RESTART})
_ENDS = frozenset({Verb.STOP, Verb.KILL})


def argument(workload: Workload, by_id: bool = False) -> str:
    """Return the container's name where it can mean no other one, else its id."""
    has_name = workload.name_is_known and not by_id
    has_name = has_name and bool(_NAME.fullmatch(workload.name)) and not _ID.fullmatch(workload.name)
    return shlex.quote(workload.name if has_name else workload.id.id)


def commands(request: Request) -> tuple[str, ...]:
    """Return the commands that do the same."""
    engine, verb = request.workload.id.engine, request.verb
    name = argument(request.workload, request.by_id)
    if verb in _WITH_TIMEOUT and request.after is AfterTimeout.LEAVE:
        again = (f"{engine} start {name}",) if verb is Verb.RESTART else ()
        return (f"{engine} kill --signal=SIGTERM {name}", *again)
    wait = f" -t {request.timeout_s:g}" if verb in _WITH_TIMEOUT else ""
    return (f"{engine} {_COMMANDS.get(verb, verb.value)}{wait} {name}",)


def warnings(request: Request) -> list[str]:
    """Say what is lost of a container that its engine removes when it ends."""
    is_removed = request.seen is not None and Note.REMOVED_AT_END in request.seen.notes
    if not is_removed or not (request.verb in _ENDS or _ends_first(request)):
        return []
    again = "; it cannot be started again" if request.verb is Verb.RESTART else ""
    return [f"The engine removes it once it ends (--rm), with everything it wrote outside its volumes{again}."]


def _ends_first(request: Request) -> bool:
    """Whether a restart is an end and then a start, by two calls: the engine's own keeps what it would remove."""
    return request.verb is Verb.RESTART and request.after is AfterTimeout.LEAVE
