"""A source of the machines in a manager's files. It only adds those that do not run: the others have a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from collectors.engines.vmm.registered import OWNER_LABEL, Registered
from collectors.kernel.vmm.scan import shared_scan
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.sampling.source import Source, SourceReading

if TYPE_CHECKING:
    from collectors.engines.vmm.managed import ManagedEngine

_EVERY_S = 10.0
_MOST = 2_000
_LONGEST_ID = 1024


def registry_source(engine: ManagedEngine) -> Callable[..., Source]:
    """Return the class of an engine's source."""

    class OfEngine(RegistrySource):
        name = engine.name

        def __init__(self) -> None:
            super().__init__(engine)

    return OfEngine


class RegistrySource:
    """Lists the machines of one manager.

    Args:
        engine: Its engine, which reads the files.
    """

    name = ""
    interval_s = _EVERY_S
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 60.0
    is_near = False

    def __init__(self, engine: ManagedEngine) -> None:
        self._engine = engine
        self._scan = shared_scan()

    def open(self, wake: Callable[[], None]) -> None:
        """Look for the files.

        Raises:
            SourceError: There are none, or they cannot be read.
        """
        next(iter(self._engine.registered()), None)

    def read(self) -> SourceReading:
        """List all machines. The state of one that runs is left to the source that sees its process."""
        machines = [machine for machine, _ in zip(self._engine.registered(), range(_MOST), strict=False)]
        self._scan.update()
        running = {process.id for process in self._scan.processes.values() if process.engine == self.name}
        workloads = {}
        for machine in machines:
            is_running = machine.id in running or self._engine.is_running(machine)
            workload = _workload(self.name, machine, State.UNKNOWN if is_running else State.STOPPED)
            workloads[workload.id] = workload
        count = len(workloads)
        return SourceReading(workloads, {}, detail=f"{count} machine{'' if count == 1 else 's'}")

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _workload(engine: str, machine: Registered, state: State) -> Workload:
    return Workload(
        WorkloadId(engine, sanitize(machine.id, _LONGEST_ID)),
        machine.kind,
        sanitize_name(machine.name),
        state,
        labels=((OWNER_LABEL, str(machine.owner)),) if machine.kind is Kind.VM else (),
    )
