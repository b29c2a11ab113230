"""Starts, stops and restarts services through systemd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.engines.systemd.bus import SERVICE_NAME, NoSuchUnit, SystemBus, system_bus
from collectors.engines.systemd.results import read_ending
from collectors.model.actions import ActionTimedOut, Note, Observed, Request, Verb
from collectors.model.errors import SourceError, WorkloadGone
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize

STATES = {
    "active": State.RUNNING,
    "reloading": State.RUNNING,
    "refreshing": State.RUNNING,
    "activating": State.STARTING,
    "deactivating": State.STOPPING,
    "inactive": State.STOPPED,
    "maintenance": State.STOPPED,
    "failed": State.CRASHED,
}
"""State of a unit by its ActiveState."""
_METHODS = {Verb.START: "StartUnit", Verb.STOP: "StopUnit", Verb.RESTART: "RestartUnit"}
_MANAGER_PATH = "/org/freedesktop/systemd1"
_RESULTS = {
    "canceled": "another request took its place",
    "timeout": "systemd gave up after the unit's own time-out",
    "failed": "the unit failed",
    "dependency": "a unit it depends on failed",
    "skipped": "it does not apply in the unit's state",
}
"""By result of a job."""
_SIGKILL = 9
_WAITING_TO_RESTART = frozenset({"auto-restart", "auto-restart-queued"})
"""SubStates of a service between a failure and its next start by Restart=."""
_ENDED = frozenset({State.STOPPED, State.CRASHED, State.RESTARTING})
_PASSED_ON_TO = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")
"""Inverses of Requires=, Requisite=, BindsTo= and PartOf=, and the unit's own PropagatesStopTo= (systemd.unit(5))."""


class SystemdActions:
    """Acts on `.service` units."""

    restart_is_a_new_run = True

    def observe(self, workload: Workload) -> Observed:
        """Query the unit's state and its own name. A unit that is not loaded is loaded first."""
        unit = unit_of(workload)
        with system_bus() as bus:
            try:
                path = str(bus.call("LoadUnit", "s", (unit,))[0])
                properties = bus.properties(path)
            except NoSuchUnit as error:
                raise WorkloadGone(error.reason) from error
            if properties.get("LoadState") == "not-found":
                raise WorkloadGone(f"systemd has no unit {unit}")
            dependents = _active(bus, _dependents(properties))
            state = state_of(properties)
            detail = read_ending(bus, path)[0] if state in _ENDED else ""
        own = str(properties.get("Id") or unit)
        return Observed(
            workload.name if own == unit else sanitize(own),
            state,
            bytes(properties.get("InvocationID") or b"").hex(),
            detail,
            frozenset({Note.TRANSIENT} if properties.get("Transient") is True else ()),
            dependents,
        )

    def perform(self, request: Request) -> None:
        """Request a job and wait for its result."""
        unit = unit_of(request.workload)
        method = _METHODS.get(request.verb)
        if method is None:
            raise SourceError("vmtop only starts, stops and restarts services")
        with system_bus() as bus:
            try:
                result = bus.await_job(_MANAGER_PATH, method, "ss", (unit, "replace"), request.timeout_s)
            except NoSuchUnit as error:
                raise WorkloadGone(error.reason) from error
        if result is None:
            raise ActionTimedOut
        if result != "done":
            raise SourceError(f"the job ended with {sanitize(result)!r}: {_RESULTS.get(result, 'see the journal')}")

    def force(self, request: Request) -> None:
        """Kill all its processes, including those that stop it; the job then ends by itself."""
        with system_bus() as bus:
            bus.call("KillUnit", "ssi", (unit_of(request.workload), "all", _SIGKILL))


def state_of(unit: Mapping[str, Any]) -> State:
    """Return the state of a unit by its properties; one that waits to be started again is not starting yet."""
    if unit.get("SubState") in _WAITING_TO_RESTART:
        return State.RESTARTING
    return STATES.get(str(unit.get("ActiveState")), State.UNKNOWN)


def _dependents(unit: Mapping[str, Any]) -> list[str]:
    """Return the units that directly stop or restart with a unit, active or not."""
    return sorted({str(name) for key in _PASSED_ON_TO for name in unit.get(key) or ()})


def _active(bus: SystemBus, names: list[str]) -> tuple[str, ...]:
    """Return the units that are not inactive or failed."""
    if not names:
        return ()
    units = bus.call("ListUnitsByNames", "as", (names,))[0]
    return tuple(sanitize(str(name)) for name, _, _, active, *_ in units if active not in ("inactive", "failed"))


def unit_of(workload: Workload) -> str:
    """Return the name of a service's unit.

    Raises:
        SourceError: It is not a valid service name.
    """
    name = workload.id.id.rpartition("/")[2]
    if not SERVICE_NAME.fullmatch(name):
        raise SourceError(f"{sanitize(name)} is not a valid service name")
    return name
