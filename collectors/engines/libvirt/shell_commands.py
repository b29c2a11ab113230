"""What an action on a domain means: the equivalent virsh commands, and the side effects. Pure."""

from __future__ import annotations

import re
import shlex

from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.workloads import Workload

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@+-]*")
"""Names that are safe for virsh. A number would be a domain's id; for blanks and leading signs the UUID is used too."""
_UUID_DIGITS = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_COMMANDS = {
    Verb.START: "start",
    Verb.STOP: "shutdown",
    Verb.RESTART: "reboot",
    Verb.PAUSE: "suspend",
    Verb.RESUME: "resume",
    Verb.KILL: "destroy",
}
_REPAIRS = {
    "I/O error": "it pauses again until its disk can be written, such as when its storage has room again",
    "watchdog": "the guest no longer served its watchdog and may hang",
    "guest crashed": "the guest's system has crashed; force it off and start it",
    "post-copy migration failed": "a part of its memory is on the other host; recover the migration",
}
_REPAIR = "it may pause again until the cause is repaired"
_FORCED = {Verb.STOP: "destroy", Verb.RESTART: "reset"}
"""What follows a time-out."""


def argument(workload: Workload, by_id: bool = False) -> str:
    """Return the domain's name if it is unambiguous for virsh, else its UUID; quoted for a shell."""
    has_name = workload.name_is_known and not by_id
    has_name = has_name and bool(_NAME.fullmatch(workload.name)) and not _is_like_uuid(workload.name)
    return shlex.quote(workload.name if has_name else workload.id.id)


def _is_like_uuid(name: str) -> bool:
    """Return whether virsh could read a name as a UUID: it ignores where the dashes are."""
    return bool(_UUID_DIGITS.fullmatch(name.replace("-", "")))


def program(address: str) -> str:
    """Return virsh with the connection's URI, if it does not find it by itself."""
    return f"virsh -c {shlex.quote(address)}" if address else "virsh"


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; the second one follows a time-out."""
    name = argument(request.workload, request.by_id)
    virsh = program(request.address)
    first = f"{virsh} {_COMMANDS.get(request.verb, request.verb.value)} {name}"
    forced = _FORCED.get(request.verb) if request.after is AfterTimeout.FORCE else None
    return (first, f"{virsh} {forced} {name}  # after {request.timeout_s:g} s") if forced else (first,)


def pausing_fault(reason: str) -> str:
    """Return what a user must know before resuming a domain that a fault paused, as a sentence."""
    return f"It was paused by a fault ({reason}); {_REPAIRS.get(reason, _REPAIR)}."


def warnings(request: Request) -> list[str]:
    """Return sentences for a domain whose definition is lost when it is off, or that a reboot turns off."""
    notes = request.seen.notes if request.seen is not None else frozenset()
    sentences = []
    if request.verb is Verb.RESUME and Note.FAULTED in notes and request.seen is not None:
        sentences.append(pausing_fault(request.seen.detail))
    is_off = request.verb in (Verb.STOP, Verb.KILL)
    if request.verb is Verb.RESTART and Note.OFF_AFTER_REBOOT in notes:
        sentences.append("A reboot turns it off: its definition has on_reboot set to destroy.")
        is_off = True
    if is_off and Note.TRANSIENT in notes:
        sentences.append("It is transient: once it is off, its definition is lost.")
    return sentences
