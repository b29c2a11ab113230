"""systemd: the stopped and failed services, which have no cgroup. Running services are read from the kernel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from collectors.engines.systemd.bus import SERVICE_NAME, SystemBus, system_bus
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
    """Lists stopped and failed services. One call per reading, and one more after unit files have changed."""

    name = "systemd"
    interval_s = 5.0
    holds_tick = False
    is_authority = False
    replace_after_s: float | None = None
    is_near = False

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bus: SystemBus | None = None
        self._enabled: EnabledServices | None = None
        self._manager = DaemonUsage()

    def open(self, wake: Callable[[], None]) -> None:
        """Connect to the system bus."""
        self._bus = self._stack.enter_context(system_bus())
        self._manager.find(1)
        self._enabled = EnabledServices(self._bus)
        self._stack.enter_context(self._enabled.watching())

    def read(self) -> SourceReading:
        """List the loaded services that failed, or are stopped although enabled."""
        if self._bus is None or self._enabled is None:
            raise SourceDown("the system bus is not open")
        with self._manager.answering():
            units = self._bus.call("ListUnitsByPatterns", "asas", ([], ["*.service"]))[0]
            enabled = self._enabled.names()
        workloads: dict[WorkloadId, Workload] = {}
        for name, description, load, active, *_ in units:
            state = _AT_REST.get(active)
            if name.startswith(_OTHERS):
                continue
            if load == "loaded" and state is not None and (state is State.CRASHED or name in enabled):
                identity = WorkloadId("systemd", f"{slice_of(sanitize(name))}/{sanitize(name)}")
                workloads[identity] = Workload(
                    identity, Kind.SERVICE, sanitize(name), state, description=sanitize(description) or None
                )
        return SourceReading(workloads, {}, detail=f"{len(workloads)} at rest", daemon_cpu_s=self._manager.cpu_s)

    def close(self) -> None:
        """Disconnect."""
        self._stack.close()
        self._bus = self._enabled = None


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
