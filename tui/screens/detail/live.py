"""The live detail screen of a workload, with facts, devices, processes and actions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from collectors.inspection.details import DetailsReader
from collectors.model.details import Details, Page
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from tui.controllers.actions import ActionController
from tui.controllers.background import is_up, run_blocking
from tui.controllers.services import Services
from tui.keys.bindings import bindings
from tui.keys.tables import DETAIL, LIVE
from tui.presenters.detail import table_lines
from tui.presenters.styled_lines import Line
from tui.screens.detail.base import CHARTS, EVENTS, DetailContext, WorkloadScreen
from tui.screens.mixins.workload_keys import WorkloadKeys

PAGES = (CHARTS, Page.FACTS.value, Page.DEVICES.value, Page.PROCESSES.value, EVENTS)
READ_EVERY_S = 2.0


class LiveWorkloadScreen(WorkloadKeys, WorkloadScreen):
    """Adds current data from the engines, and actions.

    Args:
        subject: The workload and where its data comes from.
        actions: Carries out the actions.
        services: Connections to the engines.
    """

    pages = PAGES
    where = LIVE
    key_table = DETAIL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(DETAIL)]

    def __init__(
        self,
        subject: DetailContext,
        actions: ActionController,
        services: Services,
    ) -> None:
        super().__init__(subject)
        self.actions = actions
        self.services = services
        self._read = DetailsReader(services.connections).read
        self._details: Details | None = None

    def on_mount(self) -> None:
        self.run_worker(self._look(), group="look", exclusive=True)

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
        return table_lines(self._details, Page(page), width)
