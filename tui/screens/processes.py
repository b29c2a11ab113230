"""All processes of this host, each with its workload."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from collectors.analysis.rates import Moment
from collectors.inspection.processes import process_reader
from collectors.model.workloads import Workload, WorkloadId
from tui.controllers.actions import ActionController
from tui.controllers.services import Services
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import LIVE, PROCESSES, TABLES
from tui.presenters.formatting import fit
from tui.presenters.processes.table import OF_HOST, ProcessTable
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.process_keys import ProcessKeys
from tui.screens.mixins.workload_keys import WorkloadKeys
from tui.widgets.footer import Footer
from tui.widgets.process_view import ProcessPanel


class ProcessesScreen(ProcessKeys, Follower, WorkloadKeys, AnsweredOnce, Screen[None]):
    """Shows every process that this user can see.

    Args:
        actions: Carries out actions on workloads; its lock, log and protection hold for signals too.
        services: Connections to the engines.
        open_workload: Opens the detail screen of a workload.
        ascii_only: Draw with ASCII only.
    """

    where = LIVE
    key_table = PROCESSES
    DEFAULT_CSS = """
    ProcessesScreen { layout: vertical; }
    ProcessesScreen > Static { height: 1; background: $panel; }
    ProcessesScreen #title { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PROCESSES)]

    def __init__(
        self,
        actions: ActionController,
        services: Services,
        open_workload: Callable[[WorkloadId], None],
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self.actions = actions
        self.services = services
        self.is_ascii = ascii_only
        self.process_reader = process_reader(services.connections, lambda: self.process_moment)
        self._open_workload = open_workload

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield ProcessPanel(ProcessTable(OF_HOST, is_ascii=self.is_ascii))
        yield Footer(TABLES[PROCESSES])

    def on_mount(self) -> None:
        self.query_one(ProcessPanel).focus_lines()
        self._show_title()
        self.run_worker(self.read_processes(), group="processes", exclusive=True)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        self.process_moment = moment
        if self.is_mounted:
            self._show_title()

    def _show_title(self) -> None:
        frame = self.process_moment.frame if self.process_moment is not None else None
        host = "" if frame is None else frame.facts.get("hostname", frame.host.name)
        title = fit(f" {host}  processes of this host", max(1, self.size.width))
        self.query_one("#title", Static).update(Text(title, no_wrap=True))

    def target(self) -> Workload | None:
        row = self.query_one(ProcessPanel).current()
        return row.owner if row is not None else None

    def targets(self) -> list[Workload]:
        target = self.target()
        return [target] if target is not None else []

    def all_workloads(self) -> Collection[Workload]:
        return self.process_moment.frame.workloads.values() if self.process_moment is not None else ()

    def action_open_owner(self) -> None:
        target = self.target()
        if target is None:
            self.notify("This process belongs to no workload.", timeout=3)
        else:
            self._open_workload(target.id)

    def action_copy(self) -> None:
        row = self.query_one(ProcessPanel).current()
        if row is not None:
            self.app.copy_to_clipboard(str(row.process.pid))
            self.notify(f"copied {row.process.pid}, if the terminal allows it", timeout=3, markup=False)

    def action_close(self) -> None:
        if not self.query_one(ProcessPanel).step_back():
            self.dismiss(None)
