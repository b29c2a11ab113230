"""Actions on plain QEMU, by QMP."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from collectors.engines.vmm.engine import QMP
from collectors.engines.vmm.machines import command_line, process_of
from collectors.engines.vmm.qmp import qmp
from collectors.engines.vmm.source import Answer
from collectors.kernel.vmm.options import FIRST, parts, values
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import ActionTimedOut, Note, Observed, Request, Verb
from collectors.model.errors import NotInTime, SourceAbsent, SourceDown
from collectors.model.workloads import PAUSING_FAULTS, State, Workload
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import at, text

_ANSWERS = {
    "running": Answer(State.RUNNING),
    "suspended": Answer(State.SUSPENDED),
    "paused": Answer(State.PAUSED),
    "debug": Answer(State.PAUSED),
    "prelaunch": Answer(State.PAUSED, "starting up"),
    "preconfig": Answer(State.PAUSED, "starting up"),
    "inmigrate": Answer(State.PAUSED, "migration"),
    "finish-migrate": Answer(State.PAUSED, "migration"),
    "postmigrate": Answer(State.PAUSED, "migration"),
    "save-vm": Answer(State.PAUSED, "being saved"),
    "restore-vm": Answer(State.PAUSED, "restored from a snapshot"),
    "shutdown": Answer(State.PAUSED, "shut down"),
    "io-error": Answer(State.PAUSED, "I/O error"),
    "watchdog": Answer(State.PAUSED, "watchdog"),
    "guest-panicked": Answer(State.PAUSED, "guest crashed"),
    "internal-error": Answer(State.PAUSED, "internal error"),
}
"""By QEMU's RunState (qapi/run-state.json), with reasons in libvirt's terms; others mean that it runs.

One whose process is there holds its memory, whatever its guest does: it is never stopped, and can be forced off.
"""
_PRODUCT = "QEMU"
_REMEDY = "start it with -qmp unix:/run/NAME.sock,server=on,wait=off"


class QmpActions:
    """Acts on a machine through its QMP socket."""

    restart_is_a_new_run = False

    def observe(self, workload: Workload) -> Observed:
        """Ask for its state. A machine whose socket is taken is known to run, and no more."""
        process = process_of(workload)
        name = sanitize_name(process.name)
        try:
            state, reason = ask_state(process)
        except (NotInTime, SourceDown):
            process_of(workload)  # it may have ended meanwhile
            return Observed(name, State.RUNNING, process.own_id)
        notes = frozenset({Note.FAULTED} if reason in PAUSING_FAULTS else ())
        return Observed(name, state, process.own_id, reason or "", notes)

    def perform(self, request: Request) -> None:
        """Ask QEMU. Does not wait for the guest to power off, but for a reboot, which cannot be observed afterwards.

        Raises:
            ActionTimedOut: The guest did not reboot in time.
        """
        process = process_of(request.workload)
        if request.verb is Verb.KILL:
            _quit(process)
        elif request.verb is Verb.RESTART:
            _reboot(process, request.timeout_s)
        else:
            _ask(process, QMP[request.verb])

    def force(self, request: Request) -> None:
        """End QEMU at once; after a reboot that timed out, reset the machine."""
        process = process_of(request.workload)
        if request.verb is Verb.RESTART:
            _ask(process, "system_reset")
        else:
            _quit(process)


def can_be_asked(process: VmmProcess) -> bool:
    """Return whether a process is a QEMU with a QMP socket."""
    return process.family.product == _PRODUCT and process.control_socket is not None


def ask_state(process: VmmProcess) -> Answer:
    """Ask QEMU for the state of its machine.

    Raises:
        SourceError: It cannot be asked now.
    """
    with qmp(process, socket_of(process)) as session:
        status = text(at(session.ask("query-status"), "status"))
    return _ANSWERS.get(status, Answer(State.RUNNING))


def _ask(process: VmmProcess, command: str) -> None:
    with qmp(process, socket_of(process)) as session:
        session.ask(command)


def _reboot(process: VmmProcess, timeout_s: float) -> None:
    """Press Ctrl+Alt+Delete, the only request to reboot that QEMU can pass on, and wait for the reset that follows."""
    with qmp(process, socket_of(process)) as session:
        session.ask("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
        if not session.wait_for("RESET", timeout_s):
            raise ActionTimedOut


def _quit(process: VmmProcess) -> None:
    """Have QEMU end. It may be gone before its answer arrives."""
    with qmp(process, socket_of(process)) as session, suppress(SourceDown):
        session.ask("quit")


def socket_of(process: VmmProcess) -> str:
    """Return the QMP socket that a process's command line names.

    Raises:
        SourceAbsent: It names none.
    """
    if process.family.product != _PRODUCT:
        raise SourceAbsent(f"vmtop can only watch the machines of {sanitize(process.family.product)}")
    if process.control_socket is None:
        ending = f"; kill {process.pid} ends it without asking its guest"
        reason = "was started without a QMP socket"
        if (other := other_monitor(command_line(process))) is not None:
            reason = (
                f"has QMP on {sanitize(other, 100)}, and vmtop uses only unix sockets, whose owner the kernel knows"
            )
        raise SourceAbsent(f"{sanitize_name(process.name)} {reason}", _REMEDY + ending)
    return process.control_socket


def other_monitor(words: Sequence[str]) -> str | None:
    """Return where QMP is if not on a unix socket, such as `tcp:localhost:4444`; `None` if nowhere."""
    devices = {options.get("id"): line for line in values(words, "-chardev", "--chardev") if (options := parts(line))}
    monitors = [line for line in values(words, "-mon", "--mon") if parts(line).get("mode") == "control"]
    for line in [*values(words, "-qmp", "--qmp", "-qmp-pretty"), *monitors]:
        options = parts(line)
        first = options.get("chardev") or options.get(FIRST, "")
        if first != "none":
            return devices.get(first.removeprefix("chardev:"), first)
    return None
