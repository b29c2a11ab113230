"""A fleet at a past moment, as the server has it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Frame, WorkloadId
from collectors.session.playback import Playback
from tui.keys.bindings import bindings
from tui.keys.tables import FLEET_PAST
from tui.presenters.charts.page import FLEET_SPANS, step_words
from tui.presenters.styled_lines import Run
from tui.presenters.table.state import TableState
from tui.screens.detail.base import DetailContext
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.workloads.replay import ReplayScreen
from tui.settings.screen_options import ScreenOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collectors.prometheus.access import FleetAccess


class FleetPastScreen(ReplayScreen):
    """The workloads of a fleet that used most at a past moment.

    Args:
        playback: The fleet's past, positioned at the first frame to show.
        options: Appearance.
        view: The view settings of the table of now; `None` where there is none.
        access: The way to the server.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(FLEET_PAST, has_lines=False)]

    def __init__(
        self, playback: Playback, options: ScreenOptions, view: TableState | None, access: FleetAccess
    ) -> None:
        super().__init__(playback, options, view)
        self.key_table = FLEET_PAST
        self.is_lived = view is not None
        self._access = access
        self._no_states = StateLog()

    def states(self) -> StateLog:
        """Return nothing: a workload that is not among those that used most has not ended."""
        return self._no_states

    def notes(self) -> list[Run]:
        """Return the notes of every past, and how far apart the moments are here."""
        interval_s = self.interval_s()
        step: list[Run] = [(f"every {step_words(interval_s)}", "accent")] if interval_s else []
        return [*super().notes(), *step]

    def workload_page(self, identity: WorkloadId) -> ReplayWorkloadScreen:
        """Return the charts of a workload up to the moment that is shown."""
        subject = DetailContext(
            identity,
            partial(self._frames_of, identity),
            self._events_of,
            self._start_of,
            self.history,
            self.is_ascii,
            self.view.metric(),
            FLEET_SPANS,
        )
        screen = ReplayWorkloadScreen(subject, self.traveler, self.mode())
        if self.shown_moment is not None:
            screen.follow(self.shown_moment, self.interval_s())
        return screen

    def _frames_of(self, identity: WorkloadId, since_wall: float) -> Iterator[Frame]:
        return self._access.frames_of(identity, since_wall, self._wall())
