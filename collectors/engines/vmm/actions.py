"""Actions on plain QEMU, by QMP."""

from __future__ import annotations

from contextlib import suppress

from collectors.engines.vmm.machines import process_of
from collectors.engines.vmm.qmp import qmp
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import text

_COMMANDS = {
    Verb.STOP: "system_powerdown",
    Verb.PAUSE: "stop",
    Verb.RESUME: "cont",
    Verb.KILL: "quit",
}
STATES = {
    "running": State.RUNNING,
    "paused": State.PAUSED,
    "prelaunch": State.CREATED,
    "suspended": State.SUSPENDED,
    "shutdown": State.STOPPED,
    "io-error": State.PAUSED,
    "watchdog": State.PAUSED,
    "guest-panicked": State.CRASHED,
    "internal-error": State.CRASHED,
}
"""State of a machine by QEMU's RunState (qapi/run-state.json); others mean that it runs."""
REASONS = {"io-error": "I/O error", "watchdog": "watchdog", "guest-panicked": "guest crashed"}
"""Why a machine is in its state, in libvirt's terms, by QEMU's RunState."""
_REMEDY = "start it with -qmp unix:/run/NAME.sock,server=on,wait=off"


class QmpActions:
    """Acts on a machine through its QMP socket."""

    restart_is_a_new_run = True

    def observe(self, workload: Workload) -> Observed:
        """Ask for its state. A machine whose socket is taken is known to run, and no more."""
        process = process_of(workload)
        name = sanitize_name(process.name)
        try:
            with qmp(process, socket_of(process)) as session:
                status = text(session.ask("query-status").get("status"))
        except (NotInTime, SourceDown):
            process_of(workload)  # it may have ended meanwhile
            return Observed(name, State.RUNNING, process.own_id)
        return Observed(name, STATES.get(status, State.RUNNING), process.own_id, REASONS.get(status, ""))

    def perform(self, request: Request) -> None:
        """Ask QEMU; does not wait for the guest to power off."""
        command = _COMMANDS.get(request.verb)
        if command is None:
            raise SourceError("QEMU has no command for it")
        process = process_of(request.workload)
        if request.verb is Verb.KILL:
            _quit(process)
            return
        with qmp(process, socket_of(process)) as session:
            session.ask(command)

    def force(self, request: Request) -> None:
        """End QEMU at once."""
        _quit(process_of(request.workload))


def _quit(process: VmmProcess) -> None:
    """Have QEMU end. It may be gone before its answer arrives."""
    with qmp(process, socket_of(process)) as session, suppress(SourceDown):
        session.ask("quit")


def socket_of(process: VmmProcess) -> str:
    """Return the QMP socket that a process's command line names.

    Raises:
        SourceAbsent: It names none.
    """
    if process.family.product != "QEMU":
        raise SourceAbsent(f"vmtop can only watch the machines of {sanitize(process.family.product)}")
    if process.control_socket is None:
        ending = f"; kill {process.pid} ends it without asking its guest"
        raise SourceAbsent(f"{sanitize_name(process.name)} was started without a QMP socket", _REMEDY + ending)
    return process.control_socket
