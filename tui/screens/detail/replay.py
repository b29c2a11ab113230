"""The detail screen of a workload in a replay, with the time keys."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from collectors.model.details import Page
from tui.controllers.playback import PlaybackController
from tui.keys.bindings import bindings
from tui.keys.tables import PAST_DETAIL, REPLAY
from tui.presenters.formatting import stamp
from tui.presenters.pages.detail import event_lines
from tui.presenters.styled_lines import Line
from tui.screens.detail.base import CHARTS, EVENTS, DetailContext, WorkloadScreen
from tui.screens.mixins.playback_keys import PlaybackKeys


class ReplayWorkloadScreen(PlaybackKeys, WorkloadScreen):
    """Shows a workload at a moment of a session.

    Args:
        subject: The workload and where its data comes from.
        traveler: Moves the playback.
        mode: What the title says before the time: `PAST` or `REPLAY`.
    """

    pages = (CHARTS, *Page, EVENTS)
    where = REPLAY
    key_table = PAST_DETAIL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAST_DETAIL)]

    def __init__(
        self,
        subject: DetailContext,
        traveler: PlaybackController,
        mode: str,
    ) -> None:
        super().__init__(subject)
        self.traveler = traveler
        self._mode = mode

    def under_way(self) -> list[str]:
        return [] if self._moment is None else [f"{self._mode} {stamp(self._moment.frame.wall)}"]

    def page_lines(self, page: str, width: int) -> list[Line]:
        if page != EVENTS:
            return [[(f" A recording holds no {page}: they are read while the page is open.", "muted")]]
        return event_lines(self._events(self.identity), self._startup(self.identity), width, "up to this frame")
