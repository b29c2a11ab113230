"""systemd: the stopped and failed services, which have no cgroup, and the restarts of running ones.

Running services are read from the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from collectors.engines.systemd.bus import SERVICE, SERVICE_NAME, NoSuchUnit, SystemBus, system_bus
from collectors.engines.systemd.in_turn import InTurn
from collectors.engines.systemd.restarts import by_workload, read_restarts
from collectors.engines.systemd.results import read_ending
from collectors.engines.systemd.unit_at_rest import UnitAtRest, slice_path, unit_at_rest
from collectors.engines.systemd.unit_files import EnabledServices
from collectors.kernel.daemon_usage import DaemonUsage
from collectors.model.errors import SourceDown
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceReading

_AT_REST = {"inactive": State.STOPPED, "failed": State.CRASHED}
"""State of a unit by its ActiveState."""
_OTHERS = ("systemd-nspawn@",)
"""Prefixes of services that are containers: their cgroups are listed under their own engine."""


class SystemdSource:
    """Lists stopped and failed services.

    One call per reading, two for each unit that is new, and more after changes. Once a minute one for each that failed
    and two for each that runs, of at most 20 at a reading.
    """

    name = "systemd"
    interval_s = 5.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = False

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bus: SystemBus | None = None
        self._endings = InTurn(read_ending)
        self._restarts = InTurn(read_restarts)
        self._enabled: EnabledServices | None = None
        self._manager = DaemonUsage()
        self._enabled_names: frozenset[str] | None = None
        self._units: dict[str, UnitAtRest | None] = {}
        """By name, of the units at rest; `None` for one that is gone."""

    def open(self, wake: Callable[[], None]) -> None:
        """Connect to the system bus."""
        self._bus = self._stack.enter_context(system_bus())
        self._manager.find(1)
        self._enabled = EnabledServices(self._bus)
        self._stack.enter_context(self._enabled.watching())

    def read(self) -> SourceReading:
        """List the loaded services that failed, or are stopped although enabled and meant to run."""
        if self._bus is None or self._enabled is None:
            raise SourceDown("the system bus is not open")
        with self._manager.answering():
            units = self._bus.call("ListUnitsByPatterns", "asas", ([], ["*.service"]))[0]
            workloads = self._at_rest(self._bus, units, self._enabled.names)
            running = [str(unit[6]) for unit in units if unit[4] == "running" and not unit[0].startswith(_OTHERS)]
            restarts = by_workload(self._restarts.read(self._bus, running).values())
        at_rest = {workload.id: workload for workload in workloads}
        return SourceReading(
            at_rest, {}, detail=f"{len(at_rest)} at rest", daemon_cpu_s=self._manager.cpu_s, restarts=restarts
        )

    def _at_rest(
        self, bus: SystemBus, units: Sequence[Sequence[Any]], enabled_names: Callable[[], frozenset[str]]
    ) -> list[Workload]:
        enabled = enabled_names()
        endings = self._endings.read(bus, [str(unit[6]) for unit in units if unit[3] == "failed"])
        previous = (
            self._units if enabled is self._enabled_names else {}
        )  # otherwise the list is new: units were reloaded as well
        self._enabled_names, self._units = enabled, {}
        workloads: list[Workload] = []
        for name, description, load, active, _, _, path, *_ in units:
            state = _AT_REST.get(active)
            if load != "loaded" or state is None or name.startswith(_OTHERS):
                continue
            if state is State.STOPPED and name not in enabled:
                continue
            unit = self._units[name] = previous[name] if name in previous else _read_unit(bus, str(path))
            if unit is not None and (state is State.CRASHED or unit.is_meant_to_run):
                workloads.append(_workload(name, unit, state, description, endings.get(str(path), ("", None))))
        return workloads

    def close(self) -> None:
        """Disconnect."""
        self._stack.close()
        self._bus = self._enabled = None


def _read_unit(bus: SystemBus, path: str) -> UnitAtRest | None:
    try:
        return unit_at_rest(bus.properties(path), bus.properties(path, SERVICE))
    except NoSuchUnit:  # since it was listed
        return None


def _workload(name: str, unit: UnitAtRest, state: State, description: str, ending: tuple[str, int | None]) -> Workload:
    """Describe a unit as the kernel's source does while it runs: a stop must not make it another workload."""
    return Workload(
        WorkloadId("systemd", f"{slice_path(unit.slice)}/{sanitize(name)}"),
        Kind.SERVICE,
        sanitize(name),
        state,
        description=sanitize(description) or None,
        project=sanitize(unit.slice) if slice_path(unit.slice) else None,
        exit_code=ending[1],
        state_reason=ending[0] or None,
        restarts=unit.restarts,
    )


def slice_of(unit: str) -> str:
    """Return the path of the default slice of a service (systemd.slice(5))."""
    template, at, _ = unit.partition("@")
    if not at:
        return "/system.slice"
    escaped = template.replace("\\", "\\x5c").replace("-", "\\x2d")
    return f"/system.slice/system-{escaped}.slice"


def service_named(typed: str) -> Workload | None:
    """Return the service that a typed name must mean, whether or not it exists; `None` if it cannot be a service."""
    unit = typed.removeprefix("service:").removeprefix("svc:")
    unit = unit if unit != typed or unit.endswith(".service") else ""
    unit += "" if unit.endswith(".service") or not unit else ".service"
    if not SERVICE_NAME.fullmatch(unit):
        return None
    return Workload(WorkloadId("systemd", f"{slice_of(unit)}/{unit}"), Kind.SERVICE, unit)
