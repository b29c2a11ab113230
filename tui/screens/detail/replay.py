"""The detail screen of a workload in a replay, with the time keys."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.controllers.playback import PlaybackController
from tui.presenters.detail import event_lines
from tui.presenters.formatting import stamp
from tui.presenters.styled_lines import Line
from tui.screens.detail.base import DetailContext, WorkloadScreen
from tui.screens.mixins.playback_keys import TIME_BINDINGS, PlaybackKeys
from tui.settings.main_screen_keys import REPLAY, TIME, Key, keys_of


class ReplayWorkloadScreen(PlaybackKeys, WorkloadScreen):
    """Shows a workload at a moment of a session.

    Args:
        subject: The workload and where its data comes from.
        traveler: Moves the playback.
    """

    where = REPLAY
    BINDINGS: ClassVar[list[BindingType]] = [
        *TIME_BINDINGS,
        *(Binding(k.keys, k.action, k.help, show=False) for k in keys_of(REPLAY) if k.action in ("copy", "help")),
    ]

    def __init__(
        self,
        subject: DetailContext,
        traveler: PlaybackController,
    ) -> None:
        super().__init__(subject)
        self.traveler = traveler

    def under_way(self) -> list[str]:
        return [] if self._moment is None else [stamp(self._moment.frame.wall)]

    def page_lines(self, page: str, width: int) -> list[Line]:
        return event_lines(self._events(self.identity), self._startup(self.identity), "up to this frame")

    def footer_keys(self) -> list[Key]:
        return [key for key in keys_of(REPLAY) if key.group == TIME and key.label]
