"""Signals to processes of this host, as whoever sends one needs them: what speaks against it, and doing it."""

from __future__ import annotations

from collectors.actions.process_protection import ProcessProtection
from collectors.actions.process_signals import SIGNALS, Signaller, SignalRequest, must_be_typed, warnings
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.model.actions import Outcome
from collectors.model.processes import Process, SignalLook
from collectors.model.workloads import Workload, WorkloadId

BY_NAME = {spec.name: spec for spec in SIGNALS}


class SignalsHere:
    """Looks at and signals processes of this host.

    Args:
        runner: Its log, its user and whom it tells.
        protection: The protection of workloads, which holds for their processes too.
    """

    def __init__(self, runner: Runner, protection: Protection) -> None:
        self._protection = ProcessProtection(protection)
        self.signaller = Signaller(runner.log, runner.who, runner.tell)

    def look(self, process: Process, signal: str, workload: Workload | None) -> SignalLook:
        """Return what a signal would meet.

        Args:
            process: The process.
            signal: The signal's name; empty if none has been chosen yet.
            workload: What the process belongs to.
        """
        if protected := self._protection.reason(process, workload):
            return SignalLook(protected)
        if not signal:
            return SignalLook()
        request = SignalRequest(BY_NAME[signal], process, "", workload)
        return SignalLook("", tuple(warnings(request)), workload is not None and must_be_typed(request))

    def send(self, request: SignalRequest, host: WorkloadId, is_locked: bool = False) -> Outcome:
        """Send a signal; see `Signaller.send`."""
        return self.signaller.send(request, host, is_locked)
