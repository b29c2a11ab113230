"""The table of a fleet: what a Prometheus scraped last of many hosts, and the ways to one host and into the past."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType

from collectors.analysis.rates import Moment
from collectors.analysis.state_log import StateLog
from collectors.analysis.tracker import MomentTracker
from collectors.comparison.window_statistics import WARM_UP_S, fill
from collectors.model.errors import SourceError
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.session.format import SessionError
from collectors.session.playback import Playback
from tui.controllers.background import is_up, run_blocking
from tui.controllers.frame_feed import FrameReady, feed
from tui.keys.bindings import bindings
from tui.keys.tables import FLEET, LIVE
from tui.presenters.charts.page import FLEET_SPANS
from tui.presenters.styled_lines import Run
from tui.screens.detail.base import DetailContext
from tui.screens.fleet.detail import FleetWorkloadScreen
from tui.screens.mixins.compare_keys import CLASSES_S
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.playback_keys import IntoPastKeys, PlaybackKeys
from tui.screens.workloads.base import WorkloadListScreen
from tui.settings.screen_options import ScreenOptions

if TYPE_CHECKING:
    from collectors.comparison.workload_classes import Classes
    from collectors.prometheus.access import FleetAccess

_ARRIVED_AT_MOST = 20
_PAST_AFTER = 2
"""Frames after which the past of the sparklines is asked for: the first table comes before it."""
LiveHost = Callable[[str, Workload | None], Sequence[str] | None]
"""Returns the words that start the live screen of a host on a terminal, with one workload or all of them; `None` if
nothing says how to get there."""


class FleetScreen(IntoPastKeys, WorkloadListScreen):
    """The workloads of a fleet that use most, now.

    Args:
        sampler: Takes the frames.
        access: The way to the server.
        options: Appearance and initial filter.
        live_host: Returns how to get to the live screen of a host.
    """

    where = LIVE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(FLEET, has_lines=False)]

    def __init__(self, sampler: Sampler, access: FleetAccess, options: ScreenOptions, live_host: LiveHost) -> None:
        self.track = MomentTracker()
        super().__init__(FLEET, self.track.history, options)
        self.sampler, self.access = sampler, access
        self._live_host = live_host
        self._no_states = StateLog()
        self._arrived: deque[tuple[Frame, bool]] = deque(maxlen=_ARRIVED_AT_MOST)
        """Frames that are still to be shown, each with whether it is only for the rates of the next one."""
        self._frames: list[Frame] | None = []
        """The frames so far, until their past has been added; then `None`."""
        self._is_asking_past = False

    def on_mount(self) -> None:
        self.sampler.on_frame(self._keep)
        self.run_worker(feed(self.sampler, self), group="feed", exclusive=True, exit_on_error=True)

    def newest(self) -> Moment | None:
        return self.track.moment

    def states(self) -> StateLog:
        """Return nothing: a workload that is not among those that use most any more has not ended."""
        return self._no_states

    def interval_s(self) -> float:
        return self.sampler.interval_s

    def mode(self) -> str:
        return "FROZEN" if self.view.is_frozen else "FLEET"

    def notes(self) -> list[Run]:
        moment = self.track.moment
        if moment is None:
            return []
        state = next(iter(moment.sources), None)
        return [(state.reason, "muted" if state.reason[:1].isdigit() else "warn")] if state and state.reason else []

    def _keep(self, frame: Frame) -> None:
        """Keep a frame, on the sampler's thread; have the one that belongs to it come at once."""
        is_half = self.access.holds_more
        self._arrived.append((frame, is_half))
        if is_half or self.sampler.interval.requested_s != self.access.interval_s:
            self.sampler.set_interval(self.access.interval_s)

    @on(FrameReady)
    def take_frame(self) -> None:
        """Show the newest of the frames that have arrived."""
        moment = None
        while self._arrived:
            frame, is_half = self._arrived.popleft()
            if is_half:
                self.track.prepare(frame)
                continue
            moment = self.track.feed(frame)
            if self._frames is not None:
                self._frames.append(frame)
        if moment is None:
            return
        if self._frames is not None and not self._is_asking_past and len(self._frames) >= _PAST_AFTER:
            self._is_asking_past = True
            self.run_worker(self._add_past(), group="past")
        for screen in self.app.screen_stack:
            if isinstance(screen, Follower) and screen.where == LIVE:
                screen.follow(moment, self.interval_s())
        if not self.view.is_frozen:
            self.shown_moment = moment
        self.redraw()

    async def _add_past(self) -> None:
        """Put the last minutes before the frames so far, so that sparklines do not begin empty."""
        try:
            past = await run_blocking(self.access.recent)
        except SourceError:
            self._frames = None  # the sparklines grow from now on, and the source says what is wrong
            return
        frames, self._frames = self._frames or [], None
        if not frames or not is_up(self):
            return
        track = MomentTracker()
        track.history.keep_as(self.history)
        first_ns = frames[0].at_ns
        for frame in (*(frame for frame in past if frame.at_ns < first_ns), *frames):
            track.feed(frame)
        self.history.become(track.history)
        track.history = self.history
        self.track = track
        if not self.view.is_frozen:
            self.shown_moment = track.moment
        self.redraw()

    def set_filter(self, text: str, is_typing: bool = False) -> bool:
        """Apply a filter, and have the server look for what it is about on every host."""
        is_applied = super().set_filter(text, is_typing)
        if is_applied and not is_typing and self.access.search(self.view.query_text):
            self._ask_now()
        return is_applied

    def _ask_now(self) -> None:
        """Have the next frame come now, and not at the next scrape."""
        for worker in self.sampler.workers:
            worker.wake()
        self.sampler.set_interval(self.access.interval_s)

    def action_freeze(self) -> None:
        self.view.is_frozen = not self.view.is_frozen
        self.history.held_at = self.history.ticks if self.view.is_frozen else None
        self.shown_moment = self.shown_moment if self.view.is_frozen else self.track.moment
        self.redraw()

    def action_host(self) -> None:
        """Show the live screen of the host: what its page needs is read there."""
        self.action_live_host()

    def open_workload(self, identity: WorkloadId) -> None:
        subject = DetailContext(
            identity,
            partial(self._frames_of, identity),
            self.track.events.of,
            self.track.starts.of,
            self.history,
            self.is_ascii,
            self.view.metric(),
            FLEET_SPANS,
        )
        screen = FleetWorkloadScreen(subject)
        if self.track.moment is not None:
            screen.follow(self.track.moment, self.interval_s())
        self.app.push_screen(screen)

    def action_live_host(self) -> None:
        """Show the live screen of the host under the cursor; without a way there, what the server has."""
        line, host = self.view.current(), self.host_under_cursor()
        if line is None or host is None:
            self.action_look()
            return
        words = self._live_host(host, line.reading.workload if line.reading is not None else None)
        if words is not None:
            self._go_live(host, words)
            return
        self.action_look()
        if line.reading is not None:
            words_of_it = f"There is no [[hosts]] entry {host}, so that Enter has no way to its live screen."
            self.notify(words_of_it, timeout=4, markup=False)

    def _go_live(self, host: str, words: Sequence[str]) -> None:
        import os

        from tui.controllers.console import visit
        from tui.terminal.program_console import ProgramConsole

        try:
            console = ProgramConsole(words, os.environ, f"vmtop on {host}")
        except OSError as error:
            self.notify(f"ssh cannot be run: {error.strerror or error}", severity="warning", timeout=6, markup=False)
            return
        sentence, severity = visit(self.app, console)
        self.app.refresh(layout=True)
        if console.exit_code:
            self.notify(f"{host}: {sentence}", severity=severity, timeout=6, markup=False)  # type: ignore[arg-type]

    def _frames_of(self, identity: WorkloadId, since_wall: float) -> Iterator[Frame]:
        return self.access.frames_of(identity, since_wall, time.time())

    def frames_since(self, wall: float) -> Iterator[Frame]:
        """Return the frames from a wall time until now: of the marked workloads, else of the fleet. Blocking."""
        if self.view.marks:
            yield from self.access.frames_of_several(list(self.view.marks), wall, time.time())
            return
        session = self.access.session((wall, time.time()))
        try:
            yield from (frame for _, frame in session.frames(wall))
        finally:
            session.close()

    def classified(self, moment: Moment, advance: Callable[[int], None]) -> Classes:
        from collectors.comparison.workload_classes import classify_recorded

        since = moment.frame.wall - max(CLASSES_S, 4 * self.access.interval_s)
        window = fill(self.frames_since(since - WARM_UP_S), moment.frame.workloads, since)
        return classify_recorded(window.pasts(moment.frame), {}, moment.frame)

    def enter_past(self, then: Callable[[PlaybackKeys], None]) -> None:
        self.run_worker(self._go_back(then), group="rewind", exclusive=True)

    async def _go_back(self, then: Callable[[PlaybackKeys], None]) -> None:
        from tui.screens.fleet.past import FleetPastScreen

        self.notify("asking for the past ...", timeout=1)
        try:
            playback = await run_blocking(partial(_open, self.access))
        except (SessionError, SourceError) as error:
            self.notify(str(error), severity="warning", timeout=6, markup=False)
            return
        past = FleetPastScreen(playback, self.present_options(), self.view, self.access)
        await self.app.push_screen(past)
        then(past)


def _open(access: FleetAccess) -> Playback:
    """Open the past, one frame before now."""
    playback = Playback(access.session())
    playback.go(playback.total - 2)
    return playback
