"""What an action means: the command that does the same, and its consequence in a sentence. Pure."""

from __future__ import annotations

import shlex

from collectors.actions.model import AfterTimeout, Request, Verb
from collectors.actions.rules import Family, family
from collectors.model import Workload

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
CAN_WAIT = frozenset({Verb.STOP, Verb.RESTART})
"""The verbs that ask, and therefore have a time-out and a choice of what follows it."""


def equivalent(request: Request) -> tuple[str, ...]:
    """Return the command lines that do the same, quoted for a shell; the second follows a time-out.

    They are shown and logged, never run.
    """
    workload, verb = request.workload, request.verb
    name = shlex.quote(workload.name if workload.name_is_known else workload.id.id)
    after = f"{request.timeout_s:g}"
    known = family(workload)
    if known is Family.DOCKER:
        engine = workload.id.engine
        if verb in CAN_WAIT and request.after is AfterTimeout.LEAVE:
            again = (f"{engine} start {name}",) if verb is Verb.RESTART else ()
            return (f"{engine} kill --signal=SIGTERM {name}", *again)
        wait = f" -t {after}" if verb in CAN_WAIT else ""
        return (f"{engine} {_DOCKER.get(verb, verb.value)}{wait} {name}",)
    if known is Family.LIBVIRT:
        first = f"virsh {_VIRSH.get(verb, verb.value)} {name}"
    else:
        name = shlex.quote(workload.id.id.rpartition("/")[2])
        first = f"systemctl {verb.value} {name}"
    forced = _FORCED.get((known, verb)) if known and request.after is AfterTimeout.FORCE else None
    return (first, f"{forced} {name}  # after {after} s") if forced else (first,)


def consequence(request: Request) -> str:
    """Say what will happen to the workload, in one sentence or two."""
    verb = request.verb
    is_vm = family(request.workload) is Family.LIBVIRT or request.workload.kind == "vm"
    sentence = (_OF_VM if is_vm else _OF_PROCESSES)[verb]
    if verb in CAN_WAIT:
        sentence += f" {aftermath(request)}"
    return sentence


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
