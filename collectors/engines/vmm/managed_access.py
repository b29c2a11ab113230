"""Access to machines whose manager is asked by its own command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from collectors.engines.vmm.access import VmmAccess
from collectors.engines.vmm.manager import filled
from collectors.engines.vmm.manager_command import run
from collectors.engines.vmm.registered import OWNER_LABEL
from collectors.kernel.vmm.scan import machine_of
from collectors.model.actions import ActionTimedOut, EngineActions, Observed, Request, Verb
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceError, WorkloadGone
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from collectors.engines.vmm.managed import ManagedEngine

_STATUS_S = 10.0
_GRACE_S = 3.0
"""Seconds that a manager gets in addition to those that the machine has, to say that it did not comply."""
_GRACEFUL = frozenset({Verb.STOP, Verb.RESTART})


class ManagedAccess(VmmAccess):
    """What can be done with a machine of a manager."""

    def __init__(self, engine: ManagedEngine) -> None:
        self._engine = engine

    def actions(self, workload: Workload) -> EngineActions:
        return ManagedActions(self._engine)


class ManagedActions:
    """Acts on machines by their manager's command."""

    restart_is_a_new_run = False

    def __init__(self, engine: ManagedEngine) -> None:
        self._engine = engine

    def observe(self, workload: Workload) -> Observed:
        """Look for its process and, where the manager tells, ask whether it is paused; then in the manager's files."""
        process = machine_of(*workload.id[:2])
        if process is not None:
            return Observed(workload.name, self._state(workload), process.own_id)
        machine = next((one for one in self._engine.registered() if one.id == workload.id.id), None)
        if machine is None:
            raise WorkloadGone(f"{self._engine.about.title} does not list {workload.name} any more")
        return Observed(workload.name, State.RUNNING if self._engine.is_running(machine) else State.STOPPED)

    def perform(self, request: Request) -> None:
        """Run the command, and wait for its end.

        Raises:
            ActionTimedOut: The manager gave up on a guest that did not comply, or still waits for it.
        """
        began = time.monotonic()
        try:
            self._run(request, request.verb)
        except (AccessDenied, SourceAbsent):
            raise
        except SourceError as error:
            is_late = isinstance(error, NotInTime) or time.monotonic() - began >= request.timeout_s
            if is_late and request.verb in _GRACEFUL:
                raise ActionTimedOut from error
            raise

    def force(self, request: Request) -> None:
        """Cut its power; after a restart that timed out, start it again."""
        self._run(request, Verb.KILL)
        if request.verb is Verb.RESTART:
            self._run(request, Verb.START)

    def _run(self, request: Request, verb: Verb) -> None:
        workload = request.workload
        if workload.id.id.startswith("-"):
            raise SourceError(f"{sanitize(workload.id.id)} would be taken for an option")
        manager = self._engine.managers(workload)
        arguments = manager.arguments.get(verb)
        if arguments is None:
            raise SourceError(f"{manager.program} has no command for it")
        remedy = "; ".join(self._engine.commands(request))
        owner = 0 if manager.is_roots else owner_of(workload)
        if owner is None:
            raise SourceAbsent(f"it is not known who owns {workload.name}", remedy)
        words = filled(arguments, workload.id.id, request.timeout_s)
        run(manager, words, owner, request.timeout_s + _GRACE_S, remedy)

    def _state(self, workload: Workload) -> State:
        manager = self._engine.managers(workload)
        owner = 0 if manager.is_roots else owner_of(workload)
        if not manager.status or owner is None or workload.id.id.startswith("-"):
            return State.RUNNING
        try:
            printed = run(manager, filled(manager.status, workload.id.id), owner, _STATUS_S, "")
        except (AccessDenied, SourceAbsent):
            return State.RUNNING  # it has a process; whoever may not ask knows no more
        return State.PAUSED if manager.paused in printed.splitlines() else State.RUNNING


def owner_of(workload: Workload) -> int | None:
    """Return the user id of a machine's owner: that of its process, or of the file that lists it."""
    process = machine_of(*workload.id[:2])
    if process is not None:
        return process.uid
    owner = dict(workload.labels).get(OWNER_LABEL, "")
    return int(owner) if owner.isdecimal() else None
