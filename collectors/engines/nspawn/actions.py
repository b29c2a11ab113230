"""Actions on machines of systemd-nspawn: through their unit, through machined, or by a signal to nspawn itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from collectors.engines.nspawn.machines import Way, as_service, leader_of, way_of
from collectors.engines.systemd.actions import SystemdActions
from collectors.engines.systemd.bus import NoSuchUnit, SystemBus, system_bus
from collectors.kernel.nspawn_supervisors import supervisor_of
from collectors.kernel.procfs import read_process_stat
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import AccessDenied, SourceError, WorkloadGone
from collectors.model.workloads import State, Workload
from collectors.safety.permissions import as_root

_MACHINED, _PATH = "org.freedesktop.machine1", "/org/freedesktop/machine1"
_MANAGER, _MACHINE = "org.freedesktop.machine1.Manager", "org.freedesktop.machine1.Machine"
_STATES = {"opening": State.STARTING, "running": State.RUNNING, "closing": State.STOPPING}
_POWER_OFF = signal.SIGRTMIN + 4
"""What machinectl(1) sends to a machine's init system, to have it powered off."""


class NspawnActions:
    """Stops and kills machines; starts and restarts those that a unit runs."""

    restart_is_a_new_run = True

    def __init__(self) -> None:
        self._systemd = SystemdActions()

    def observe(self, workload: Workload) -> Observed:
        """Return the state of the machine's unit, what machined knows, or whether its first process runs."""
        way = way_of(workload)
        if way is Way.UNIT:
            return self._systemd.observe(as_service(workload))._replace(name=workload.name)
        if way is Way.BARE:
            leader = leader_of(workload)
            return Observed(workload.name, State.RUNNING, f"{leader.pid} {leader.start_ticks}")
        with system_bus() as bus:
            path = str(_ask(bus, "GetMachine", "s", (workload.id.id,))[0])
            facts = bus.properties(path, _MACHINE, name=_MACHINED)
        state = _STATES.get(str(facts.get("State")), State.RUNNING)
        return Observed(workload.name, state, f"{facts.get('Leader')} {facts.get('Timestamp')}")

    def perform(self, request: Request) -> None:
        """Have the unit started or stopped, or ask the machine to end."""
        way = way_of(request.workload)
        if request.verb is Verb.KILL:
            self.force(request)
        elif way is Way.UNIT:
            self._systemd.perform(replace(request, workload=as_service(request.workload)))
        elif request.verb is not Verb.STOP:
            raise SourceError("only a machine that a unit runs can be started again")
        elif way is Way.MACHINED:
            with system_bus() as bus:
                _ask(bus, "KillMachine", "ssi", (request.workload.id.id, "leader", _POWER_OFF))
        else:
            _signal_supervisor(request.workload, signal.SIGTERM)

    def force(self, request: Request) -> None:
        """End all its processes."""
        way = way_of(request.workload)
        if way is Way.UNIT:
            self._systemd.force(replace(request, workload=as_service(request.workload)))
        elif way is Way.MACHINED:
            with system_bus() as bus:
                _ask(bus, "TerminateMachine", "s", (request.workload.id.id,))
        else:
            _signal_leader(request.workload)


def _ask(bus: SystemBus, method: str, signature: str, body: tuple[object, ...]) -> tuple[object, ...]:
    try:
        answer: tuple[object, ...] = bus.ask(_PATH, _MANAGER, method, signature, body, name=_MACHINED)
    except NoSuchUnit as error:
        raise WorkloadGone(error.reason) from error
    return answer


def _signal_supervisor(workload: Workload, number: int) -> None:
    """Send a signal to nspawn: on SIGTERM it asks the machine's init system to end, as configured."""
    leader = leader_of(workload)
    supervisor = supervisor_of("/proc", leader.pid)
    if supervisor is None:
        raise SourceError("its first process is not a child of systemd-nspawn any more")
    with _process(supervisor) as descriptor:
        if supervisor_of("/proc", leader.pid) != supervisor:  # the number was given to another process meanwhile
            raise WorkloadGone("it has ended")
        _send(descriptor, number)


def _signal_leader(workload: Workload) -> None:
    """Kill the machine's first process: the kernel then ends all others, and nspawn tidies up."""
    leader = leader_of(workload)
    with _process(leader.pid) as descriptor:
        stat = read_process_stat("/proc", leader.pid)
        if stat is None or stat.start_ticks != leader.start_ticks:
            raise WorkloadGone("it has ended")
        _send(descriptor, signal.SIGKILL)


@contextmanager
def _process(pid: int) -> Iterator[int]:
    """Yield a descriptor of a process, which stays that process's."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise WorkloadGone("it has ended") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _send(descriptor: int, number: int) -> None:
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        raise WorkloadGone("it has ended") from None
    except PermissionError:
        raise AccessDenied("only its user and root may end it", as_root()) from None
