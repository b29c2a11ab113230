"""The charts of one workload of a fleet, over hours, days and weeks."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.keys.bindings import bindings
from tui.keys.tables import FLEET_DETAIL, LIVE
from tui.presenters.charts.page import step_words
from tui.screens.detail.base import CHARTS, WorkloadScreen


class FleetWorkloadScreen(WorkloadScreen):
    """Shows the charts of a workload; its past comes from the server."""

    pages = (CHARTS,)
    where = LIVE
    key_table = FLEET_DETAIL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(FLEET_DETAIL)]

    def under_way(self) -> list[str]:
        """Return on which host it is, and how far apart the values of the chart are."""
        step_s = self._charts.feed.history.longest_interval_s
        return [self.identity.host, *([f"every {step_words(step_s)}"] if step_s else [])]
