"""systemd: the stopped and failed services, which have no cgroup. Running services are read from the kernel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from collectors.engines.systemd.bus import SERVICE, SERVICE_NAME, NoSuchUnit, SystemBus, system_bus
from collectors.engines.systemd.unit_at_rest import UnitAtRest, slice_path, unit_at_rest
from collectors.model.errors import SourceDown
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceReading

_AT_REST = {"inactive": State.STOPPED, "failed": State.CRASHED}
"""State of a unit by its ActiveState."""
_OTHERS = ("systemd-nspawn@",)
"""Prefixes of services that are containers: their cgroups are listed under their own engine."""
_STARTABLE = frozenset({"enabled", "enabled-runtime", "linked", "linked-runtime"})
"""Unit file states: only an enabled service is worth listing when it is stopped."""
_READ_AGAIN_EVERY = 60
"""Readings after which the units at rest are read again: a reload may have changed them."""


class SystemdSource:
    """Lists stopped and failed services. Two calls per reading, whatever their number, and two for each new one."""

    name = "systemd"
    interval_s = 5.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = False

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bus: SystemBus | None = None
        self._readings = 0
        self._units: dict[str, UnitAtRest | None] = {}
        """By name, of the units at rest; `None` for one that is gone."""

    def open(self, wake: Callable[[], None]) -> None:
        """Connect to the system bus."""
        self._bus = self._stack.enter_context(system_bus())

    def read(self) -> SourceReading:
        """List the loaded services that failed, or are stopped although enabled and meant to run."""
        bus = self._bus
        if bus is None:
            raise SourceDown("the system bus is not open")
        units = bus.call("ListUnitsByPatterns", "asas", ([], ["*.service"]))[0]
        files = bus.call("ListUnitFilesByPatterns", "asas", ([], ["*.service"]))[0]
        startable = {str(path).rpartition("/")[2] for path, state in files if state in _STARTABLE}
        previous = self._units if self._readings % _READ_AGAIN_EVERY else {}
        self._readings += 1
        self._units = {}
        workloads: dict[WorkloadId, Workload] = {}
        for name, description, load, active, _, _, path, *_ in units:
            state = _AT_REST.get(active)
            if load != "loaded" or state is None or name.startswith(_OTHERS):
                continue
            if state is State.STOPPED and name not in startable:
                continue
            unit = self._units[name] = previous[name] if name in previous else _read_unit(bus, str(path))
            if unit is not None and (state is State.CRASHED or unit.is_meant_to_run):
                workload = _workload(name, unit.slice, state, description)
                workloads[workload.id] = workload
        return SourceReading(workloads, {}, detail=f"{len(workloads)} at rest")

    def close(self) -> None:
        """Disconnect."""
        self._stack.close()
        self._bus = None


def _read_unit(bus: SystemBus, path: str) -> UnitAtRest | None:
    try:
        return unit_at_rest(bus.properties(path), bus.properties(path, SERVICE))
    except NoSuchUnit:  # since it was listed
        return None


def _workload(name: str, slice_name: str, state: State, description: str) -> Workload:
    """Describe a unit as the kernel's source does while it runs: a stop must not make it another workload."""
    return Workload(
        WorkloadId("systemd", f"{slice_path(slice_name)}/{sanitize(name)}"),
        Kind.SERVICE,
        sanitize(name),
        state,
        description=sanitize(description) or None,
        project=sanitize(slice_name) if slice_path(slice_name) else None,
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
