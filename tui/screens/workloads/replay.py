"""A recorded session on the same screen as live, with a timeline. Nothing here acts on a workload."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.events import Key
from textual.widget import Widget

from collectors.alerts.rule import Level
from collectors.alerts.told import Told, told, worst_levels
from collectors.analysis.rates import Moment
from collectors.analysis.startup_times import Startup
from collectors.analysis.state_log import StateLog
from collectors.comparison.window_statistics import WARM_UP_S, fill
from collectors.comparison.workload_classes import Classes, classify_recorded
from collectors.model.workloads import Event, Frame, WorkloadId
from collectors.session.playback import Playback
from tui.controllers.playback import PlaybackController
from tui.controllers.recording import SessionRecorder
from tui.keys.bindings import bindings
from tui.keys.tables import LIVE, PAST, REPLAY, keys_in
from tui.presenters.formatting import duration, stamp
from tui.presenters.pages.alert_lines import count_run, row_of
from tui.presenters.styled_lines import Run
from tui.presenters.table.host_rows import moment_of
from tui.presenters.table.state import TableState
from tui.screens.detail.base import DetailContext
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.mixins.compare_keys import CLASSES_S
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.playback_keys import PlaybackKeys
from tui.screens.workloads.base import WorkloadListScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.timeline import Scene, Timeline


class ReplayScreen(PlaybackKeys, WorkloadListScreen):
    """The workloads of a host at a moment of a session.

    Args:
        playback: The session, positioned at the first frame to show.
        options: Appearance and initial filter.
        view: The view settings of the live screen, if it was opened from there.
        speed: Initial speed, as a multiple of real time.
        session_recorder: The recorder of the current session, `None` for a recording; its end leads back to now.
    """

    where = REPLAY
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REPLAY, has_lines=False)]

    def __init__(
        self,
        playback: Playback,
        options: ScreenOptions,
        view: TableState | None = None,
        speed: float = 1.0,
        session_recorder: SessionRecorder | None = None,
    ) -> None:
        copied_view = None if view is None else replace(view, marks=set(view.marks), lines=[], is_frozen=False)
        super().__init__(REPLAY if session_recorder is None else PAST, playback.history, options, copied_view)
        self.playback = playback
        self.session_recorder = session_recorder
        self._shown_ticks = 0
        """The tick count of the history that the shown order was made from."""
        self._told: tuple[tuple[int, float], list[Told]] | None = None
        self.is_lived = session_recorder is not None
        self.traveler = PlaybackController(playback, self.take_change, self._say, speed)

    def extra(self) -> list[Widget]:
        return [Timeline(self.is_ascii)]

    def on_mount(self) -> None:
        self.take_change()
        self.run_worker(self.traveler.run(), group="travel", exclusive=True)

    def on_unmount(self) -> None:
        self.playback.session.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self.take_change)

    def states(self) -> StateLog:
        return self.playback.states

    def past_is_missing(self) -> None:
        self.traveler.look_deeper()

    def mode(self) -> str:
        return "PAST" if self.is_lived else "REPLAY"

    def notes(self) -> list[Run]:
        notes = self.session_recorder.notes() if self.session_recorder is not None else []
        runs: list[Run] = [(note, "accent") for note in notes]
        moment = self.shown_moment
        if moment is None:
            return runs
        if count := count_run([row_of(alert) for alert in self._alerts()], self.is_ascii):
            runs.append(count)
        if not self.is_lived:
            return [*runs, (stamp(moment.frame.wall, "%Y-%m-%d"), "muted")]
        return [*runs, (f"{duration(max(0.0, time.time() - moment.frame.wall), 6).strip()} before now", "muted")]

    def on_key(self, event: Key) -> None:
        """Explain why a key of the live screen does nothing here."""
        if event.key in keys_in(LIVE) - keys_in(self.key_table):
            self._say("not available in the past; End returns to now" if self.is_lived else "recordings are read-only")

    def action_leave(self) -> None:
        """Return to now in the current session; quit otherwise."""
        if self.is_lived:
            self.dismiss(None)
        else:
            self.app.exit(0)

    def _say(self, message: str) -> None:
        self.notify(message, timeout=3, markup=False)

    def take_change(self) -> None:
        """Show the current moment of the playback."""
        moment = self.playback.moment
        if moment is None or not self.is_mounted:
            return
        is_reached_anew = moment is not self.shown_moment or self.history.ticks != self._shown_ticks
        if is_reached_anew and not self.traveler.is_playing:
            self.view.release_order()  # the order of a moment does not depend on how one came to it
        self.shown_moment, self._shown_ticks = moment, self.history.ticks
        self.redraw()
        self.query_one(Timeline).show(self._scene(moment))
        for screen in self.app.screen_stack:
            if isinstance(screen, Follower) and screen.where == REPLAY:
                screen.follow(moment, self.interval_s(), is_next=False)

    def frames_since(self, wall: float) -> Iterator[Frame]:
        moment = self.playback.moment
        until = None if moment is None else moment.frame.wall
        return (frame for _, frame in self.playback.session.frames(wall, until))

    def classified(self, moment: Moment, advance: Callable[[int], None]) -> Classes:
        since = moment.frame.wall - CLASSES_S
        window = fill(self.frames_since(since - WARM_UP_S), moment.frame.workloads, since)
        starts = {
            identity: startup
            for identity in moment.frame.workloads
            if (startup := self._start_of(identity)) is not None
        }
        return classify_recorded(window.pasts(moment.frame), starts, moment.frame)

    def _scene(self, moment: Moment) -> Scene:
        playback, session = self.playback, self.playback.session
        first, last = playback.span
        number = max(0, playback.number)
        member = session.position(number).member
        spans = [(part.first_ms / 1000, part.last_ms / 1000) for part in session.outline]
        return Scene(
            first,
            last,
            moment.frame.wall,
            number + 1,
            playback.total,
            self.traveler.is_playing,
            self.traveler.speed,
            session.pauses(),
            [spans[index] for index in session.problems if spans[index][1]],
            playback.events.events,
            moment.events,
            f"damaged: {session.problems[member]}" if member in session.problems and spans[member][1] else "",
        )

    @on(Timeline.Chosen)
    def go_there(self, event: Timeline.Chosen) -> None:
        self.traveler.to_wall(event.wall)

    def action_ends(self, side: int) -> None:
        if side > 0 and self.is_lived:
            self.dismiss(None)
        else:
            self.traveler.to_end(side)

    def action_back(self) -> None:
        has_filter = bool(self.view.query_text) or self.is_prompt_open or self.view.alone is not None
        super().action_back()
        if not has_filter and self.is_lived:
            self.dismiss(None)

    def action_host(self) -> None:
        from tui.presenters.host_page.page import RECORDED
        from tui.screens.host import HostContext, PastHostScreen

        host = self.chosen_host()
        if host is None:
            return
        of_host = partial(moment_of, host=host)
        context = HostContext(self.where, self.mode, self.history, of_host, RECORDED, is_ascii=self.is_ascii)
        screen = PastHostScreen(context, self.traveler)
        if self.shown_moment is not None:
            screen.follow(self.shown_moment, self.interval_s())
        self.app.push_screen(screen)

    def _alerts(self) -> list[Told]:
        """Return the alerts up to the moment that is shown, read again only when there is more to read."""
        events = self.playback.events.until(self._wall())
        read = len(events), self._wall()
        if self._told is None or self._told[0] != read:
            self._told = read, told(events)
        return self._told[1]

    def alert_levels(self) -> dict[WorkloadId, Level]:
        moment = self.shown_moment
        return {} if moment is None else worst_levels(self._alerts(), moment.frame.host)

    def action_alerts(self) -> None:
        from tui.screens.alerts import AlertsScreen

        screen = AlertsScreen(
            self.where,
            self.shown_moment,
            self._alerts,
            self.open_workload,
            ascii_only=self.is_ascii,
        )
        self.app.push_screen(screen)

    def open_workload(self, identity: WorkloadId) -> None:
        self.app.push_screen(self.workload_page(identity))

    def workload_page(self, identity: WorkloadId) -> ReplayWorkloadScreen:
        """Return the page of a workload at the moment that is shown."""
        subject = DetailContext(
            identity,
            self.frames_since,
            self._events_of,
            self._start_of,
            self.history,
            self.is_ascii,
            self.view.metric(),
        )
        screen = ReplayWorkloadScreen(subject, self.traveler, self.mode())
        if self.shown_moment is not None:
            screen.follow(self.shown_moment, self.interval_s())
        return screen

    def _events_of(self, identity: WorkloadId) -> list[Event]:
        return self.playback.events.of(identity, self._wall())

    def _start_of(self, identity: WorkloadId) -> Startup | None:
        return self.playback.events.start_of(identity, self._wall())

    def _wall(self) -> float:
        return self.shown_moment.frame.wall if self.shown_moment is not None else 0.0
