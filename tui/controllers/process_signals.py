"""From a key to a confirmed signal and what became of it: the menu, the protection, the lock, the notification."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from collectors.actions.process_signals import SignalRequest
from collectors.actions.signalling import SignalsHere
from collectors.engines.connections import EngineConnections
from collectors.model.actions import Outcome, Result
from collectors.model.errors import SourceError
from collectors.model.processes import Process, SignalLook
from collectors.model.workloads import Workload, WorkloadId
from tui.configuration.config import config_file
from tui.controllers.actions import LOCKED, ActionController
from tui.controllers.background import run_blocking

if TYPE_CHECKING:
    from textual.app import App

_SEVERITIES = {Result.DONE: "information", Result.ALREADY: "information"}


class SignalController:
    """Connects the user to what sends signals: on this host vmtop itself, on another one the vmtop there.

    Args:
        app: Shows the menu and the notifications.
        actions: The lock, the log and the protection of workloads, which hold for processes too.
        connections: The ways to other hosts.
    """

    def __init__(self, app: App[int], actions: ActionController, connections: EngineConnections) -> None:
        self._app = app
        self._actions = actions
        self._here = SignalsHere(actions.runner, actions.protection)
        self._connections = connections

    async def signal(self, process: Process, command: str, workload: Workload | None, host: WorkloadId) -> None:
        """Ask which signal, confirm, send, and say what became of it."""
        from tui.dialogs.signals import ConfirmSignal, SignalMenu

        look = await self._look(process, "", workload, host)
        if look is None:
            return
        if look.protected and not self._actions.is_locked:
            place = f"the configuration of {host.host}" if host.host else config_file()
            words = (
                f"{process.name} {process.pid} is protected: {look.protected} (exceptions: allow_protected in {place})"
            )
            self._app.notify(words, severity="warning", markup=False)
            return
        forbidden = LOCKED if self._actions.is_locked else ""
        on_host = f" on {host.host}" if host.host else ""
        spec = await self._app.push_screen_wait(
            SignalMenu(f"Signal to {process.name} {process.pid}{on_host}", forbidden)
        )
        look = None if spec is None else await self._look(process, spec.name, workload, host)
        if spec is None or look is None:
            return
        elsewhere = self._connections.of_host(host.host).signals() if host.host else None
        request = SignalRequest(spec, process, command, workload, "" if elsewhere is None else elsewhere.login)
        answers = (workload.name,) if workload is not None and look.is_typed else ()
        confirmed = await self._app.push_screen_wait(ConfirmSignal(request, look.warnings, answers))
        if confirmed is None:
            return
        outcome = await run_blocking(partial(self._send, confirmed, host, self._actions.is_locked))
        remedy = f" (fix: {outcome.remedy})" if outcome.remedy else ""
        severity = _SEVERITIES.get(outcome.result, "warning")
        self._app.notify(f"{outcome.sentence} ({outcome.seconds:.1f} s){remedy}", severity=severity, markup=False)  # type: ignore[arg-type]

    async def _look(
        self, process: Process, signal: str, workload: Workload | None, host: WorkloadId
    ) -> SignalLook | None:
        """Return what a signal would meet; notify the user and return `None` if the host cannot be asked."""
        if not host.host:
            return self._here.look(process, signal, workload)
        elsewhere = self._connections.of_host(host.host).signals()
        try:
            if elsewhere is None:
                raise SourceError(f"vmtop has no way to {host.host}: its processes cannot be signalled from here")
            return await run_blocking(partial(elsewhere.look, process, signal, workload))
        except SourceError as error:
            self._app.notify(error.reason, severity="warning", markup=False)
            return None

    def _send(self, request: SignalRequest, host: WorkloadId, is_locked: bool) -> Outcome:
        """Send a signal where the process is, and log it here; what another host did is in its own log too. Blocks."""
        elsewhere = self._connections.of_host(host.host).signals() if host.host else None
        if elsewhere is None or is_locked:
            return self._here.send(request, host, is_locked)
        began, began_wall = time.monotonic(), time.time()
        try:
            outcome = elsewhere.send(request.process, request.spec.name, request.command, request.workload)
        except SourceError as error:
            words = f"{request.process.name} ({request.process.pid}) not done: {error.reason}"
            outcome = Outcome(Result.FAILED, words, error.remedy)
        outcome = outcome._replace(seconds=time.monotonic() - began)
        self._here.signaller.record(request, host, outcome, began_wall)
        return outcome
