"""What an action means: the command that does the same, and its consequence in a sentence. Pure."""

from __future__ import annotations

from collectors.engines.registry import owner
from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.wording import some
from collectors.model.workloads import Workload

CAN_WAIT = frozenset({Verb.STOP, Verb.RESTART})
"""The verbs that ask, and therefore have a time-out and a choice of what follows it."""
_ENDS = frozenset({Verb.STOP, Verb.KILL})


def equivalent(request: Request) -> tuple[str, ...]:
    """Return the command lines that do the same, quoted for a shell; the second follows a time-out.

    They are shown and logged, never run. An engine without a command has none.
    """
    return owner(request.workload).commands(request)


def consequence(request: Request) -> str:
    """Say what will happen to the workload, in one sentence or two."""
    verb = request.verb
    is_vm = request.workload.kind == "vm"
    if is_vm and verb is Verb.START and Note.SAVED in _notes(request):
        return "It is restored from the state that was saved, not booted."
    sentence = (_OF_VM if is_vm else _OF_PROCESSES)[verb]
    if verb in CAN_WAIT:
        sentence += f" {aftermath(request)}"
    return sentence


def besides(request: Request) -> tuple[str, ...]:
    """Say what else the action brings about, that its verb does not tell: what is lost, and who is hit with it."""
    said = owner(request.workload).warnings(request)
    if request.below and (request.verb in _ENDS or request.verb in (Verb.RESTART, Verb.PAUSE)):
        said.append(_hit(request))
    return tuple(said)


def _hit(request: Request) -> str:
    """Name those who run inside."""
    names = some([f"{one.kind} {one.name}" for one in request.below])
    is_one = len(request.below) == 1
    ends = ("stands still" if is_one else "stand still") if request.verb is Verb.PAUSE else "ends" if is_one else "end"
    return f"Inside it {'runs' if is_one else 'run'} {names}, and {ends} with it."


def _notes(request: Request) -> frozenset[Note]:
    return request.seen.notes if request.seen is not None else frozenset()


def aftermath(request: Request) -> str:
    """Say what follows when it has not stopped in time."""
    seconds = f"{request.timeout_s:g} s"
    if request.after is AfterTimeout.LEAVE:
        return f"If it has not after {seconds}, it is left as it is."
    is_vm = request.workload.kind == "vm"
    if request.verb is Verb.RESTART and is_vm:
        return f"If it has not after {seconds}, it is reset like by the button: unsaved data is lost."
    return f"If it has not after {seconds}, it is {'forced off' if is_vm else 'killed'}: unsaved data is lost."


_OF_VM = {
    Verb.START: "The domain boots.",
    Verb.STOP: "The guest is asked to shut down, as by its power button.",
    Verb.RESTART: "The guest is asked to reboot; its services are away meanwhile.",
    Verb.PAUSE: "Its virtual CPUs stand still; its memory stays, and its connections may time out.",
    Verb.RESUME: "Its virtual CPUs run on; its clock may be behind.",
    Verb.KILL: "The power is cut: what the guest has not written to its disks is lost.",
    Verb.REMOVE: "vmtop does not undefine domains.",
}
_OF_PROCESSES = {
    Verb.START: "Its processes start anew with the settings it has.",
    Verb.STOP: "Its processes are asked to end.",
    Verb.RESTART: "Its processes are asked to end and then started anew; its service is away meanwhile.",
    Verb.PAUSE: "Its processes are frozen; its memory stays, and its connections may time out.",
    Verb.RESUME: "Its processes run on.",
    Verb.KILL: "Its processes are killed: what they have not written is lost.",
    Verb.REMOVE: "The container is deleted with all it has written outside its volumes; image and volumes stay.",
}


def describe(workload: Workload) -> str:
    """Name a workload so that it cannot be taken for another: kind, name, engine, state, image, id."""
    parts = [f"{workload.kind} {workload.name}", f"by {workload.id.engine}", workload.state.value]
    parts += [part for part in (workload.image, workload.endpoint and f"on {workload.endpoint}") if part]
    return ", ".join([*parts, workload.short_id] if workload.short_id != workload.name else parts)
