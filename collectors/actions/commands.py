"""What an action means: the command that does the same, and its consequence in a sentence. Pure."""

from __future__ import annotations

from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.wording import some
from collectors.model.workloads import Workload

CAN_WAIT = frozenset(verb for verb, spec in VERBS.items() if spec.can_wait)
"""The verbs that ask, and therefore have a time-out and a choice of what follows it."""
_ENDS = frozenset(verb for verb, spec in VERBS.items() if spec.ends_it)


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
    sentence = VERBS[verb].vm_consequence if is_vm else VERBS[verb].consequence
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


def describe(workload: Workload) -> str:
    """Name a workload so that it cannot be taken for another: kind, name, engine, state, image, id."""
    parts = [f"{workload.kind} {workload.name}", f"by {workload.id.engine}", workload.state.value]
    parts += [part for part in (workload.image, workload.endpoint and f"on {workload.endpoint}") if part]
    return ", ".join([*parts, workload.short_id] if workload.short_id != workload.name else parts)
