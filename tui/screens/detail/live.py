"""The live detail screen of a workload, with facts, devices, processes and actions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from collectors.analysis.rates import Moment
from collectors.inspection.details import DetailsReader
from collectors.inspection.processes import has_process_list, process_reader
from collectors.model.details import Details, Page
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from tui.controllers.actions import ActionController
from tui.controllers.background import is_up, run_blocking
from tui.controllers.services import Services
from tui.keys.bindings import bindings, bound
from tui.keys.host import PANEL
from tui.keys.tables import DETAIL, DETAIL_PROCESSES, LIVE
from tui.presenters.pages.detail import table_lines
from tui.presenters.processes.table import OF_WORKLOAD, ProcessTable
from tui.presenters.styled_lines import Line
from tui.screens.detail.base import CHARTS, EVENTS, DetailContext, WorkloadScreen
from tui.screens.mixins.playback_keys import IntoPastKeys, PlaybackKeys
from tui.screens.mixins.process_keys import ProcessKeys
from tui.screens.mixins.workload_keys import WorkloadKeys
from tui.widgets.footer import Footer
from tui.widgets.process_view import ProcessPanel

PAGES = (CHARTS, Page.FACTS.value, Page.DEVICES.value, Page.PROCESSES.value, EVENTS)
READ_EVERY_S = 2.0


class LiveWorkloadScreen(ProcessKeys, WorkloadKeys, IntoPastKeys, WorkloadScreen):
    """Adds current data from the engines, and actions.

    Args:
        subject: The workload and where its data comes from.
        actions: Carries out the actions.
        services: Connections to the engines.
        enter_past: Shows the workload's past and does something there.
    """

    pages = PAGES
    where = LIVE
    key_table = DETAIL
    BINDINGS: ClassVar[list[BindingType]] = [*bound(PANEL), *bindings(DETAIL)]

    def __init__(
        self,
        subject: DetailContext,
        actions: ActionController,
        services: Services,
        enter_past: Callable[[Callable[[PlaybackKeys], None]], None],
    ) -> None:
        super().__init__(subject)
        self._enter_past = enter_past
        self.actions = actions
        self.services = services
        self._read = DetailsReader(services.connections).read
        self._details: Details | None = None
        self.process_reader = process_reader(services.connections, lambda: self.process_moment, self.target)

    def extra(self) -> Iterable[Widget]:
        yield ProcessPanel(ProcessTable(OF_WORKLOAD, is_ascii=self.is_ascii))

    def on_mount(self) -> None:
        self.run_worker(self._look(), group="look", exclusive=True)
        self.run_worker(self.read_processes(), group="processes", exclusive=True)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        self.process_moment = moment
        super().follow(moment, interval_s, is_next)

    def shows_processes(self) -> bool:
        """Return whether the page is open, and the processes are listed; those of a remote engine come as a table."""
        target = self.target()
        return self._page == Page.PROCESSES and target is not None and has_process_list(target)

    def process_host(self) -> str:
        target = self.target()
        return "" if target is None else target.id.host

    def action_page(self, page: str) -> None:
        super().action_page(page)
        panel = self.query_one(ProcessPanel)
        panel.display = self.shows_processes()
        self.key_table = DETAIL_PROCESSES if panel.display else DETAIL
        self.query_one(Footer).show(self.footer_keys())
        if panel.display:
            self.query_one("#page").display = False
            panel.focus_lines()
            self.need_more()

    def enter_past(self, then: Callable[[PlaybackKeys], None]) -> None:
        self._enter_past(then)

    def action_close(self) -> None:
        if not (self.shows_processes() and self.query_one(ProcessPanel).step_back()):
            super().action_close()

    def all_workloads(self) -> Collection[Workload]:
        return self._moment.frame.workloads.values() if self._moment is not None else ()

    def targets(self) -> list[Workload]:
        target = self.target()
        return [target] if target is not None and not self._is_gone else []

    async def _look(self) -> None:
        """Read the details repeatedly, one read at a time, while a page needs them."""
        while True:
            target = self.target()
            if target is not None and not self._is_gone and self._page in set(Page):
                try:
                    self._details = await run_blocking(partial(self._read, target))
                except SourceError as error:  # unexpected; expected failures are part of the details
                    self._details = Details(time.monotonic_ns(), (), (error.reason,))
                if not is_up(self):
                    return
                self._show_page()
            await asyncio.sleep(READ_EVERY_S if self._details is not None else 0.1)

    def under_way(self) -> list[str]:
        acting = self.actions.runner.running().get(self.identity)
        return [] if acting is None else [f"{acting.request.verb} in progress for {acting.seconds():.0f} s"]

    def page_lines(self, page: str, width: int) -> list[Line]:
        if page == EVENTS:
            return super().page_lines(page, width)
        if self._details is None:
            return [[(" reading ...", "muted")]]
        if page == Page.PROCESSES and not any(table.page == page for table in self._details.tables):
            return [[(" Its processes are not known: it has no control group on this host.", "muted")]]
        return table_lines(self._details, Page(page), width)
