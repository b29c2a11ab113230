"""The detail screen of a workload as it was: with the keys of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from collectors.history import History
from collectors.model import Event, WorkloadId
from collectors.startup import Startup
from tui.keys import REPLAY, TIME, Key, keys_of
from tui.screens.traveling import TIME_BINDINGS, Traveling
from tui.screens.workload import WorkloadScreen
from tui.traveler import Traveler


class ReplayWorkloadScreen(Traveling, WorkloadScreen):
    """With the keys of time.

    Args:
        traveler: Moves the session.
        others: As of `WorkloadScreen`.
    """

    where = REPLAY
    BINDINGS: ClassVar[list[BindingType]] = [
        *TIME_BINDINGS,
        *(Binding(k.keys, k.action, k.help, show=False) for k in keys_of(REPLAY) if k.action in ("copy", "help")),
    ]

    def __init__(
        self,
        identity: WorkloadId,
        history: History,
        events: Callable[[WorkloadId], Sequence[Event]],
        startup: Callable[[WorkloadId], Startup | None],
        ascii_only: bool,
        traveler: Traveler,
    ) -> None:
        super().__init__(identity, history, events, startup, ascii_only)
        self.traveler = traveler

    def on_mount(self) -> None:
        self.traveler.look_deeper()

    def footer_keys(self) -> list[Key]:
        return [key for key in keys_of(REPLAY) if key.group == TIME and key.label]
