"""A source of the machines in a manager's files. It only adds those that do not run: the others have a process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from collectors.engines.vmm.registered import OWNER_LABEL, Registered
from collectors.engines.vmm.running import LONGEST_ID, running_machines
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.sampling.source import Source, SourceReading

if TYPE_CHECKING:
    from collectors.engines.vmm.managed import ManagedEngine

_FILES_EVERY_S = 10.0
_MOST = 2_000


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
    interval_s = 2.0
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 60.0
    is_near = False

    def __init__(self, engine: ManagedEngine) -> None:
        self._engine = engine
        self._machines: list[Registered] = []
        self._due = 0.0

    def open(self, wake: Callable[[], None]) -> None:
        """Look for the files.

        Raises:
            SourceError: There are none, or they cannot be read.
        """
        self._due = 0.0
        next(iter(self._engine.registered()), None)

    def read(self) -> SourceReading:
        """List all machines. The state of one that runs is left to the source that sees its process."""
        if (now := time.monotonic()) >= self._due:
            self._due = now + _FILES_EVERY_S
            self._machines = [one for one, _ in zip(self._engine.registered(), range(_MOST), strict=False)]
        running = {(process.id, process.uid) for process in running_machines() if process.engine == self.name}
        ids = {identity for identity, _ in running}
        workloads: dict[WorkloadId, Workload] = {}
        for machine in self._machines:
            is_running = (machine.id, machine.owner) in running or self._engine.is_running(machine)
            if not is_running and (machine.id in ids or (machine.name, machine.owner) in running):
                continue  # another user's has its id and runs; or it was started by its name, and has a row under that
            workload = _workload(self.name, machine, State.UNKNOWN if is_running else State.STOPPED)
            workloads.setdefault(workload.id, workload)
        count = len(workloads)
        return SourceReading(workloads, {}, detail=f"{count} machine{'' if count == 1 else 's'}")

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _workload(engine: str, machine: Registered, state: State) -> Workload:
    return Workload(
        WorkloadId(engine, sanitize(machine.id, LONGEST_ID)),
        machine.kind,
        sanitize_name(machine.name),
        state,
        labels=((OWNER_LABEL, str(machine.owner)),) if machine.kind is Kind.VM else (),
    )
