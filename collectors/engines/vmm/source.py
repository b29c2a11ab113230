"""The states of plain QEMU machines, which only QEMU itself knows: a paused one has a process like any other."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.engines.vmm.actions import REASONS, STATES
from collectors.engines.vmm.qmp import qmp
from collectors.kernel.vmm.placement import is_in_container
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.scan import shared_scan
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import at, text
from collectors.sampling.source import SourceReading

_EVERY_S = 10.0
_BUSY_S = 120.0
"""Seconds for which a socket that could not be used is left alone: it serves one client, and another one holds it."""
_ENGINE = "vmm"


class VmmSource:
    """Asks each QEMU that no manager runs for its state, for a millisecond every ten seconds."""

    name = _ENGINE
    interval_s = _EVERY_S
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 60.0
    is_near = True

    def __init__(self) -> None:
        self._scan = shared_scan()
        self._left_alone: dict[tuple[int, int], float] = {}
        """Pid and start -> the monotonic second until which it is not asked."""

    def open(self, wake: Callable[[], None]) -> None:
        """Look for such a machine.

        Raises:
            SourceAbsent: There is none.
        """
        self._scan.update()
        if not self._machines():
            raise SourceAbsent("no QEMU runs here that nothing manages and that has a QMP socket")

    def read(self) -> SourceReading:
        """Ask all of them. One that cannot be asked is left out.

        Raises:
            SourceAbsent: The last one has ended.
        """
        self._scan.update()
        machines = self._machines()
        if not machines:
            raise SourceAbsent("no QEMU runs here that nothing manages and that has a QMP socket")
        workloads = {}
        for process in machines:
            if (workload := self._ask(process)) is not None:
                workloads[workload.id] = workload
        running = {(process.pid, process.start_ticks) for process in machines}
        self._left_alone = {key: until for key, until in self._left_alone.items() if key in running}
        return SourceReading(workloads, {}, detail=f"{len(workloads)} of {len(machines)} asked over QMP")

    def close(self) -> None:
        """Do nothing: no connection stays open."""

    def _machines(self) -> list[VmmProcess]:
        return [
            process
            for process in self._scan.processes.values()
            if process.engine == _ENGINE and process.family.product == "QEMU" and process.control_socket
            if not is_in_container(process)
        ]

    def _ask(self, process: VmmProcess) -> Workload | None:
        key = process.pid, process.start_ticks
        if process.control_socket is None or time.monotonic() < self._left_alone.get(key, 0.0):
            return None
        try:
            with qmp(process, process.control_socket) as session:
                status = text(at(session.ask("query-status"), "status"))
        except SourceError:
            self._left_alone[key] = time.monotonic() + _BUSY_S
            return None
        return Workload(
            WorkloadId(_ENGINE, sanitize(process.id)),
            Kind.VM,
            sanitize_name(process.name),
            STATES.get(status, State.RUNNING),
            state_reason=REASONS.get(status),
        )
