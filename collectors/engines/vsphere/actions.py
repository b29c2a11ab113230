"""Actions on machines: power, and what VMware Tools do in the guest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from collectors.engines.vsphere import machines
from collectors.engines.vsphere.client import Session
from collectors.engines.vsphere.faults import fault_name, fault_text
from collectors.engines.vsphere.workloads import run_of, state_of, text
from collectors.model.actions import ActionTimedOut, Observed, Request, Verb
from collectors.model.errors import AccessDenied, SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize_name

if TYPE_CHECKING:
    from collectors.engines.vsphere.access import VsphereAccess

_SEEN = (
    "name",
    "runtime.powerState",
    "summary.runtime.bootTime",
    "summary.runtime.connectionState",
    "summary.runtime.question",
)
_GUEST = ("guest.toolsRunningStatus", "guest.guestState")
_POLL_S = 0.25
_NO_TOOLS = "VMware Tools do not run in its guest, so that it cannot be asked"
_TASKS = {
    Verb.START: "PowerOnVM_Task",
    Verb.RESUME: "PowerOnVM_Task",
    Verb.PAUSE: "SuspendVM_Task",
    Verb.KILL: "PowerOffVM_Task",
}


class VsphereActions:
    """Powers machines on and off, suspends and resets them, and asks their guests to shut down and to reboot."""

    restart_is_a_new_run = False

    def __init__(self, access: VsphereAccess) -> None:
        self._access = access

    def observe(self, workload: Workload) -> Observed:
        """Read the machine's state."""
        with self._access.daemon(workload).session() as session:
            properties = machines.read(session, machines.find(session, workload), _SEEN).properties
        name = properties.get("name")
        state, reason = state_of(properties)
        return Observed(sanitize_name(str(name) if isinstance(name, str) else ""), state, run_of(properties), reason)

    def perform(self, request: Request) -> None:
        """Ask the server, and wait for its task, or for the guest to begin to reboot."""
        with self._access.daemon(request.workload).session() as session:
            machine = machines.find(session, request.workload)
            match request.verb:
                case Verb.STOP:
                    _ask_guest(session, machine, "ShutdownGuest")
                case Verb.RESTART:
                    _ask_guest(session, machine, "RebootGuest")
                    _await_reboot(session, machine, request.timeout_s)
                case Verb.REMOVE:
                    raise SourceError("vmtop does not delete machines of vSphere")
                case verb:
                    _run(getattr(machine, _TASKS[verb])(), request.timeout_s)

    def force(self, request: Request) -> None:
        """Power it off; after a reboot that timed out, reset it."""
        with self._access.daemon(request.workload).session() as session:
            machine = machines.find(session, request.workload)
            is_reset = request.verb is Verb.RESTART
            _run(machine.ResetVM_Task() if is_reset else machine.PowerOffVM_Task(), request.timeout_s)


def _ask_guest(session: Session, machine: Any, method: str) -> None:
    from pyVmomi import vim

    tools = text(machines.read(session, machine, _GUEST).properties.get("guest.toolsRunningStatus"))
    if tools and tools != "guestToolsRunning":
        raise SourceError(_NO_TOOLS, "kill cuts its power")
    try:
        getattr(machine, method)()
    except vim.fault.ToolsUnavailable:
        raise SourceError(_NO_TOOLS, "kill cuts its power") from None


def _await_reboot(session: Session, machine: Any, timeout_s: float) -> None:
    """Wait until the guest's tools end, as they do when it goes down.

    Raises:
        ActionTimedOut: They still run after the time-out.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        guest = machines.read(session, machine, _GUEST).properties
        states = (text(guest.get("guest.toolsRunningStatus")), text(guest.get("guest.guestState")))
        if states[0] != "guestToolsRunning" or states[1] not in ("", "running"):
            return
        if time.monotonic() > deadline:
            raise ActionTimedOut
        time.sleep(_POLL_S)


def _run(task: Any, timeout_s: float) -> None:
    """Wait for a task of the server; one that takes longer goes on, and its effect is observed.

    Raises:
        SourceError: It failed.
    """
    deadline = time.monotonic() + timeout_s
    while (info := task.info).state in ("queued", "running"):
        if time.monotonic() > deadline:
            return
        time.sleep(_POLL_S)
    if info.state != "error":
        return
    if fault_name(info.error) == "NoPermission":
        raise AccessDenied(f"vSphere does not allow it: {fault_text(info.error)}", "ask for a role with the privilege")
    raise SourceError(f"vSphere refused: {fault_text(info.error)}")
