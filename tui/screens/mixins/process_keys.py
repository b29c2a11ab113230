"""A panel of processes on a screen: reads them while it is shown, and sends signals."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

from collectors.analysis.rates import Moment
from collectors.inspection.processes import Owners
from collectors.model.errors import SourceError
from collectors.model.processes import Process, ProcessPass, ReadsProcesses
from collectors.model.workloads import Frame, Kind
from tui.controllers.actions import ActionController
from tui.controllers.background import is_up, run_blocking
from tui.controllers.process_signals import SignalController
from tui.controllers.services import Services
from tui.presenters.processes.table import wanted
from tui.widgets.process_view import ProcessPanel

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object

FIRST_S, EVERY_S = 0.5, 2.0
"""Seconds between the first two passes, and between others: a rate needs two."""
_MOST_SHARE = 0.05
"""The share of a core that passes may take: with very many processes they are further apart."""


class ProcessKeys(Base):
    """A screen with one `ProcessPanel`."""

    actions: ActionController
    services: Services
    process_reader: ReadsProcesses
    process_moment: Moment | None = None
    """The newest moment: whose workloads the processes belong to."""
    _owners = Owners()
    _owners_of: Frame | None = None
    _is_wanted: asyncio.Event | None = None

    def shows_processes(self) -> bool:
        """Return whether the panel is on screen."""
        return True

    def process_host(self) -> str:
        """Return the other host that the processes are of; empty for this one."""
        return ""

    async def read_processes(self) -> None:
        """Read for as long as the screen exists, one reading at a time."""
        self._is_wanted = is_wanted = asyncio.Event()
        passes, due = 0, 0.0
        panel = self.query_one(ProcessPanel)
        while _is_up(self, panel):
            is_wanted.clear()
            if self.shows_processes():
                is_due = time.monotonic() >= due
                cost_s = await self._read_processes(panel, is_due)
                if is_due:
                    passes += 1
                    due = time.monotonic() + max(EVERY_S if passes > 1 else FIRST_S, cost_s / _MOST_SHARE)
            pause_s = max(0.05, due - time.monotonic()) if self.shows_processes() else EVERY_S
            try:
                await asyncio.wait_for(is_wanted.wait(), pause_s)
            except TimeoutError:
                continue

    async def _read_processes(self, panel: ProcessPanel, is_due: bool) -> float:
        """Read once and show it; return the CPU seconds that the pass took."""
        table, visible, owners = panel.table, panel.shown_ids(), self.owners()

        def subject(newest: ProcessPass) -> tuple[Process | None, bool]:
            row = table.current()
            if row is None:
                return None, False
            process = next((process for process in newest.processes if process.id == row.process.id), None)
            return process, row.owner is not None and row.owner.kind is Kind.VM

        try:
            view = await run_blocking(
                partial(self.process_reader.read, is_due, lambda newest: wanted(table, newest, visible), subject)
            )
        except SourceError as error:
            if _is_up(self, panel):
                panel.complain(error.reason)
            return 0.0
        if _is_up(self, panel):
            panel.show(view, owners)
            if is_due and not set(panel.shown_ids()) <= view.texts.keys():
                self.need_more()
        return view.newest.cost_ns / 1e9

    def owners(self) -> Owners:
        """Return whose processes are whose, by the newest frame."""
        frame = self.process_moment.frame if self.process_moment is not None else None
        if frame is not self._owners_of and frame is not None:
            self._owners = Owners(frame.workloads.values(), host=self.process_host())
            self._owners_of = frame
        return self._owners

    def action_panel(self, name: str, *arguments: Any) -> None:
        """Do what a key of the table of processes does."""
        getattr(self.query_one(ProcessPanel), f"action_{name}")(*arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "panel":
            return super().check_action(action, parameters)
        is_typing = parameters[:1] == ("filter",) and isinstance(self.focused, Input)
        return self.shows_processes() and not is_typing

    def on_process_panel_wanted(self) -> None:
        self.need_more()

    def need_more(self) -> None:
        """Read soon what has become visible."""
        if self._is_wanted is not None:
            self._is_wanted.set()

    def on_process_panel_signal_asked(self) -> None:
        row = self.query_one(ProcessPanel).current()
        if row is None or self.process_moment is None:
            self.notify("No process here.", timeout=3)
            return
        if self.services.connections.is_simulated:
            self.notify("The demo's processes are simulated: there is nothing to send a signal to.", timeout=4)
            return
        host = self.process_moment.frame.host.id._replace(host=self.process_host())
        signals = SignalController(self.app, self.actions, self.services.connections)
        self.run_worker(signals.signal(row.process, row.command, row.owner, host), group="signal", exclusive=True)


def _is_up(screen: Screen[Any], panel: ProcessPanel) -> bool:
    """Return whether a screen and its panel still have their widgets; they may be closed while something is read."""
    return is_up(screen) and panel.has_widgets
