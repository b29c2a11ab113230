"""The detail screen of a workload as it was: with the keys of time."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.detail_pages import event_lines
from tui.format import stamp
from tui.keys import REPLAY, TIME, Key, keys_of
from tui.screens.traveling import TIME_BINDINGS, Traveling
from tui.screens.workload import Subject, WorkloadScreen
from tui.traveler import Traveler
from tui.widgets.line_view import Line


class ReplayWorkloadScreen(Traveling, WorkloadScreen):
    """With the keys of time.

    Args:
        subject: Whom.
        traveler: Moves the session.
    """

    where = REPLAY
    BINDINGS: ClassVar[list[BindingType]] = [
        *TIME_BINDINGS,
        *(Binding(k.keys, k.action, k.help, show=False) for k in keys_of(REPLAY) if k.action in ("copy", "help")),
    ]

    def __init__(
        self,
        subject: Subject,
        traveler: Traveler,
    ) -> None:
        super().__init__(subject)
        self.traveler = traveler

    def on_mount(self) -> None:
        self.traveler.look_deeper()

    def under_way(self) -> list[str]:
        return [] if self._moment is None else [stamp(self._moment.frame.wall)]

    def page_lines(self, page: str, width: int) -> list[Line]:
        return event_lines(self._events(self.identity), self._startup(self.identity), "in the session up to here")

    def footer_keys(self) -> list[Key]:
        return [key for key in keys_of(REPLAY) if key.group == TIME and key.label]
