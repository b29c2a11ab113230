"""From a key to a confirmed signal and what became of it: the menu, the protection, the lock, the notification."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collectors.actions.process_protection import ProcessProtection
from collectors.actions.process_signals import Signaller, SignalRequest, must_be_typed, warnings
from collectors.model.actions import Result
from collectors.model.processes import Process
from collectors.model.workloads import Workload, WorkloadId
from tui.configuration.config import config_file
from tui.controllers.actions import LOCKED, ActionController
from tui.controllers.background import run_blocking

if TYPE_CHECKING:
    from textual.app import App

_SEVERITIES = {Result.DONE: "information", Result.ALREADY: "information"}


class SignalController:
    """Connects the user to the signaller.

    Args:
        app: Shows the menu and the notifications.
        actions: The lock, the log and the protection of workloads, which hold for processes too.
    """

    def __init__(self, app: App[int], actions: ActionController) -> None:
        self._app = app
        self._actions = actions
        self._protection = ProcessProtection(actions.protection)
        self._signaller = Signaller(actions.runner.log, actions.runner.who, actions.runner.tell)

    async def signal(self, process: Process, command: str, workload: Workload | None, host: WorkloadId) -> None:
        """Ask which signal, confirm, send, and say what became of it."""
        from tui.dialogs.signals import ConfirmSignal, SignalMenu

        if host_name := host.host:
            self._app.notify(
                f"{process.name} runs on {host_name}: vmtop there sends signals; e opens a shell",
                severity="warning",
                markup=False,
            )
            return
        reason = self._protection.reason(process, workload)
        if reason:
            reason = f"protected: {reason}"
        forbidden = LOCKED if self._actions.is_locked else reason
        if reason and not self._actions.is_locked:
            exception = f"exceptions: allow_protected in {config_file()}"
            self._app.notify(
                f"{process.name} {process.pid} is {reason} ({exception})", severity="warning", markup=False
            )
            return
        spec = await self._app.push_screen_wait(SignalMenu(f"Signal to {process.name} {process.pid}", forbidden))
        if spec is None:
            return
        request = SignalRequest(spec, process, command, workload)
        answers = (workload.name,) if workload is not None and must_be_typed(request) else ()
        confirmed = await self._app.push_screen_wait(ConfirmSignal(request, warnings(request), answers))
        if confirmed is None:
            return
        outcome = await run_blocking(partial(self._signaller.send, confirmed, host, self._actions.is_locked))
        remedy = f"\nfix: {outcome.remedy}" if outcome.remedy else ""
        severity = _SEVERITIES.get(outcome.result, "warning")
        self._app.notify(f"{outcome.sentence} ({outcome.seconds:.1f} s){remedy}", severity=severity, markup=False)  # type: ignore[arg-type]
