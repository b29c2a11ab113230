"""What an action means: the command that does the same, and its consequence in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.actions.command_argument import argument
from collectors.actions.verbs import VERBS
from collectors.engines.family import Family, family
from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.workloads import Workload

_VIRSH = {
    Verb.START: "start",
    Verb.STOP: "shutdown",
    Verb.RESTART: "reboot",
    Verb.PAUSE: "suspend",
    Verb.RESUME: "resume",
    Verb.KILL: "destroy",
}
_DOCKER = {Verb.RESUME: "unpause", Verb.REMOVE: "rm"}
_FORCED = {
    (Family.LIBVIRT, Verb.STOP): "virsh destroy",
    (Family.LIBVIRT, Verb.RESTART): "virsh reset",
    (Family.SYSTEMD, Verb.STOP): "systemctl kill --signal=SIGKILL",
    (Family.SYSTEMD, Verb.RESTART): "systemctl kill --signal=SIGKILL",
}
CAN_WAIT = frozenset(verb for verb, spec in VERBS.items() if spec.can_wait)
"""The verbs that ask, and therefore have a time-out and a choice of what follows it."""
_ENDS = frozenset(verb for verb, spec in VERBS.items() if spec.ends_it)
_NAMED = 4
"""Of those who are hit too; more are counted."""


def equivalent(request: Request) -> tuple[str, ...]:
    """Return the command lines that do the same, quoted for a shell; the second follows a time-out.

    They are shown and logged, never run.
    """
    workload, verb = request.workload, request.verb
    name = argument(workload, request.by_id)
    after = f"{request.timeout_s:g}"
    known = family(workload)
    if known is Family.DOCKER:
        engine = workload.id.engine
        if verb in CAN_WAIT and request.after is AfterTimeout.LEAVE:
            again = (f"{engine} start {name}",) if verb is Verb.RESTART else ()
            return (f"{engine} kill --signal=SIGTERM {name}", *again)
        wait = f" -t {after}" if verb in CAN_WAIT else ""
        return (f"{engine} {_DOCKER.get(verb, verb.value)}{wait} {name}",)
    first = f"virsh {_VIRSH.get(verb, verb.value)} {name}" if known is Family.LIBVIRT else f"systemctl {verb} {name}"
    forced = _FORCED.get((known, verb)) if known and request.after is AfterTimeout.FORCE else None
    return (first, f"{forced} {name}  # after {after} s") if forced else (first,)


def consequence(request: Request) -> str:
    """Say what will happen to the workload, in one sentence or two."""
    verb = request.verb
    is_vm = family(request.workload) is Family.LIBVIRT or request.workload.kind == "vm"
    if is_vm and verb is Verb.START and Note.SAVED in _notes(request):
        return "It is restored from the state that was saved, not booted."
    sentence = VERBS[verb].vm_consequence if is_vm else VERBS[verb].consequence
    if verb in CAN_WAIT:
        sentence += f" {aftermath(request)}"
    return sentence


def besides(request: Request) -> tuple[str, ...]:
    """Say what else the action brings about, that its verb does not tell: what is lost, and who is hit with it."""
    verb, known, notes = request.verb, family(request.workload), _notes(request)
    said: list[str] = []
    if known is Family.LIBVIRT:
        is_off = verb in _ENDS
        if verb is Verb.RESTART and Note.OFF_AFTER_REBOOT in notes:
            said.append("Its definition lets a reboot end it (on_reboot is destroy): it will be off.")
            is_off = True
        if is_off and Note.TRANSIENT in notes:
            said.append("It is transient: once it is off, its definition is gone for good.")
    elif known is Family.SYSTEMD and verb is Verb.STOP and Note.TRANSIENT in notes:
        said.append("It is transient: once it has stopped, systemd forgets the unit.")
    if Note.REMOVED_AT_END in notes and (verb in _ENDS or _ends_first(request)):
        again = ", and it cannot be started anew" if verb is Verb.RESTART else ""
        said.append(f"The engine removes it once it ends (--rm), with all it has written outside its volumes{again}.")
    if request.seen is not None and request.seen.dependents and verb in CAN_WAIT:
        does = "stop" if verb is Verb.STOP else "restart (or stop)"
        said.append(f"systemd will {does} with it: {some(request.seen.dependents)}.")
    if request.below and (verb in _ENDS or verb in (Verb.RESTART, Verb.PAUSE)):
        said.append(_hit(request))
    return tuple(said)


def _ends_first(request: Request) -> bool:
    """Whether a restart is an end and then a start, by two calls: the engine's own keeps what it would remove."""
    return request.verb is Verb.RESTART and request.after is AfterTimeout.LEAVE


def _hit(request: Request) -> str:
    """Name those who run inside."""
    names = some([f"{one.kind} {one.name}" for one in request.below])
    is_one = len(request.below) == 1
    ends = ("stands still" if is_one else "stand still") if request.verb is Verb.PAUSE else "ends" if is_one else "end"
    return f"Inside it {'runs' if is_one else 'run'} {names}, and {ends} with it."


def _notes(request: Request) -> frozenset[Note]:
    return request.seen.notes if request.seen is not None else frozenset()


def some(names: Sequence[str]) -> str:
    """Name a few, and count the rest."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def aftermath(request: Request) -> str:
    """Say what follows when it has not stopped in time."""
    seconds = f"{request.timeout_s:g} s"
    if request.after is AfterTimeout.LEAVE:
        return f"If it has not after {seconds}, it is left as it is."
    is_vm = request.workload.kind == "vm"
    if request.verb is Verb.RESTART and is_vm:
        return f"If it has not after {seconds}, it is reset like by the button: unsaved data is lost."
    return f"If it has not after {seconds}, it is {'forced off' if is_vm else 'killed'}: unsaved data is lost."


def describe(workload: Workload) -> str:
    """Name a workload so that it cannot be taken for another: kind, name, engine, state, image, id."""
    parts = [f"{workload.kind} {workload.name}", f"by {workload.id.engine}", workload.state.value]
    parts += [part for part in (workload.image, workload.endpoint and f"on {workload.endpoint}") if part]
    return ", ".join([*parts, workload.short_id] if workload.short_id != workload.name else parts)
