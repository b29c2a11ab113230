"""What an action on a container means: the equivalent docker commands, and the side effects. Pure."""

from __future__ import annotations

import re
import shlex

from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.workloads import Workload

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_COMMANDS = {Verb.RESUME: "unpause", Verb.REMOVE: "rm"}
"""The docker subcommands that differ from the verb."""
_ADDRESS = {"podman": "--url"}
"""The options for the engine's address that differ from docker's."""
_WITH_TIMEOUT = frozenset({Verb.STOP, Verb.RESTART})
_ENDS = frozenset({Verb.STOP, Verb.KILL})


def argument(workload: Workload, by_id: bool = False) -> str:
    """Return the container's name if it is unambiguous, else its id; quoted for a shell."""
    has_name = workload.name_is_known and not by_id
    has_name = has_name and bool(_NAME.fullmatch(workload.name)) and not _ID.fullmatch(workload.name)
    return shlex.quote(workload.name if has_name else workload.id.id)


def program(workload: Workload, address: str) -> str:
    """Return the engine's command with the address of its daemon, if it does not find it by itself."""
    engine = workload.id.engine
    return f"{engine} {_ADDRESS.get(engine, '-H')} {shlex.quote(address)}" if address else engine


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands."""
    engine, verb = program(request.workload, request.address), request.verb
    name = argument(request.workload, request.by_id)
    if verb in _WITH_TIMEOUT and request.after is AfterTimeout.LEAVE:
        again = (f"{engine} start {name}",) if verb is Verb.RESTART else ()
        return (f"{engine} kill --signal=SIGTERM {name}", *again)
    wait = f" -t {request.timeout_s:g}" if verb in _WITH_TIMEOUT else ""
    return (f"{engine} {_COMMANDS.get(verb, verb.value)}{wait} {name}",)


def warnings(request: Request) -> list[str]:
    """Return a sentence about what is lost if the engine removes the container when it ends."""
    is_removed = request.seen is not None and Note.REMOVED_AT_END in request.seen.notes
    if not is_removed or not (request.verb in _ENDS or _ends_first(request)):
        return []
    again = "; it cannot be started again" if request.verb is Verb.RESTART else ""
    return [f"The engine removes it once it ends (--rm), with everything it wrote outside its volumes{again}."]


def _ends_first(request: Request) -> bool:
    """Return whether a restart is a stop and a start in two calls: the container would be removed between them."""
    return request.verb is Verb.RESTART and request.after is AfterTimeout.LEAVE
