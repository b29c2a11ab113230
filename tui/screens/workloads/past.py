"""A past moment of the current session: unlike of a recording, its workloads may still be there to be asked."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from collectors.engines.connections import EngineConnections
from collectors.model.workloads import WorkloadId
from collectors.session.playback import Playback
from tui.controllers.recording import SessionRecorder
from tui.keys.bindings import bindings
from tui.keys.tables import PAST
from tui.presenters.table.state import TableState
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.workloads.replay import ReplayScreen
from tui.settings.screen_options import ScreenOptions


class PastScreen(ReplayScreen):
    """The workloads at a moment of the current session.

    Args:
        playback: The session so far, positioned at the first frame to show.
        options: Appearance.
        view: The view settings of the live screen.
        session_recorder: The recorder of the session; its end leads back to now.
        connections: To the engines, for logs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAST, has_lines=False)]

    def __init__(
        self,
        playback: Playback,
        options: ScreenOptions,
        view: TableState,
        session_recorder: SessionRecorder,
        connections: EngineConnections,
    ) -> None:
        super().__init__(playback, options, view, session_recorder=session_recorder)
        self._connections = connections

    def open_alone(self, identity: WorkloadId) -> ReplayWorkloadScreen:
        """Open the page of a workload; closing it returns to now."""
        self.view.cursor = identity
        page = self.workload_page(identity)
        self.app.push_screen(page, self.dismiss)
        return page

    def action_logs(self) -> None:
        """Show the logs of the marked workloads, or of those under the cursor, around the moment that is shown."""
        from collectors.inspection.logs import open_logs
        from tui.screens.logs.screen import LogScreen

        moment = self.shown_moment
        if moment is not None and (targets := self.view.chosen(moment.readings)):
            open_it = partial(open_logs, targets, self._connections)
            self.app.push_screen(LogScreen(targets, open_it, self.is_ascii, at=moment.frame.wall))
        elif moment is not None:
            self.notify(self.nothing_here(), timeout=4)
