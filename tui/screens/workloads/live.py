"""The live screen: new frames, actions on workloads, the current session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual import on
from textual.binding import BindingType

from collectors.actions.runner import Action
from collectors.actions.verbs import VERBS
from collectors.alerts.alert import Alert
from collectors.alerts.rule import Level
from collectors.analysis.rates import Moment
from collectors.analysis.state_log import StateLog
from collectors.analysis.tracker import MomentTracker
from collectors.kernel.self_usage import Cost, OwnCost
from collectors.model.actions import Result
from collectors.model.limit_changes.plans import Use
from collectors.model.limits import LimitKey
from collectors.model.metrics import Unit
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.session.format import SessionError
from tui.controllers.actions import ActionController
from tui.controllers.alerts import AlertController
from tui.controllers.frame_feed import FrameReady, JudgeDue, ShowDue, after_key, feed
from tui.controllers.limits import use_in
from tui.controllers.recording import SessionRecorder
from tui.controllers.services import Services
from tui.keys.bindings import bindings
from tui.keys.in_use import rows_of
from tui.keys.key import first_key
from tui.keys.tables import LIVE
from tui.presenters.formatting import text
from tui.presenters.pages.alert_lines import count_run, row_of
from tui.presenters.styled_lines import Run
from tui.presenters.table.host_rows import devices_elsewhere, moment_of, processes_elsewhere
from tui.screens.mixins.compare_keys import CLASSES_S
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.session_keys import SessionKeys
from tui.screens.mixins.workload_keys import WorkloadKeys
from tui.screens.workloads.base import WorkloadListScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.first_run import FirstRunLine

if TYPE_CHECKING:
    from collectors.comparison.workload_classes import Classes
    from tui.screens.sizes import SetLimits

_LOOK_S = 1.5
_OUTCOME_SHOWN_S = 5.0
"""Seconds for which the row of a workload says how an action on it ended."""
_ACTIONS_LOOKED_AT = 200
_WELCOME = "welcome"
INTERVALS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@runtime_checkable
class Hints(Protocol):
    """Remembers, over all runs, how often a hint was shown."""

    def hint(self, name: str) -> bool:
        """Return whether a hint is to be shown, and count it."""

    def hide(self, name: str) -> None:
        """Show a hint never again."""


class LiveListScreen(WorkloadKeys, SessionKeys, WorkloadListScreen):
    """All workloads of this host, now."""

    where = LIVE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LIVE, has_lines=False)]

    def __init__(
        self,
        sampler: Sampler,
        options: ScreenOptions,
        actions: ActionController,
        services: Services,
        session_recorder: SessionRecorder,
        alerts: AlertController,
    ) -> None:
        self.alerts = alerts
        self.track = MomentTracker()
        super().__init__(LIVE, self.track.history, options)
        self.actions = actions
        self.actions.limits.use_of = self._use_of
        self.services = services
        self.session_recorder = session_recorder
        self.sampler = sampler
        self._own_cost = OwnCost()
        self.cost = Cost(None, None)
        self._is_redraw_due = False
        """Whether there is a moment that is not shown yet."""

    def on_mount(self) -> None:
        if self.hints is not None and self.hints.hint(_WELCOME):
            self.query_one(FirstRunLine).welcome(rows_of(self.app, LIVE))
        self.run_worker(feed(self.sampler, self, self.track.stages()), group="feed", exclusive=True, exit_on_error=True)

    @property
    def moment(self) -> Moment | None:
        """The newest moment; `None` before the first frame."""
        return self.track.moment

    def newest(self) -> Moment | None:
        return self.track.moment

    def hint_at_rest(self) -> str:
        if self.actions.is_locked:
            return ""
        return next((f"{first_key(key.keys)} start" for key in self.footer_keys() if key.name == "act"), "")

    def states(self) -> StateLog:
        return self.track.states

    def interval_s(self) -> float:
        return self.sampler.interval_s

    @on(FrameReady)
    def take_frame(self, event: FrameReady) -> None:
        """Compute the moment of a frame, store its values, and show it unless the view is frozen."""
        moment = self.track.feed(event.frame)
        event.is_taken = True
        self.alerts.take(moment)
        self.cost = self._own_cost.look()
        for screen in self.app.screen_stack:
            if isinstance(screen, Follower) and screen.where == LIVE:
                screen.follow(moment, self.sampler.interval_s)
        if not self.view.is_frozen:
            self.shown_moment = moment
        self._is_redraw_due = True
        after_key(self.app, lambda: self.post_message(ShowDue()))

    @on(ShowDue)
    def show_moment(self) -> None:
        """Show the moment, unless a key that went first has shown it."""
        if self._is_redraw_due:
            self.redraw()
        # not a message at once: it would be handled before the application has written the picture
        asyncio.get_running_loop().call_soon(self.post_message, JudgeDue())

    @on(JudgeDue)
    def judge_moment(self) -> None:
        """Judge what has been shown: what follows from it shows with the next frame."""
        self.alerts.judge()

    def alerts_now(self) -> list[Alert]:
        """Return all alerts up to the newest moment: those that are active, then those that are over."""
        self.alerts.judge()
        return [*self.alerts.watch.active, *self.alerts.watch.ended]

    def redraw(self) -> None:
        self._is_redraw_due = False
        super().redraw()

    def layout_settings(self) -> dict[str, Any]:
        return {**super().layout_settings(), "screen.interval": self.sampler.interval.requested_s}

    def mode(self) -> str:
        return "FROZEN" if self.view.is_frozen else "DEMO" if self.options.is_demo else "LIVE"

    def notes(self) -> list[Run]:
        notes: list[Run] = [(note, "accent") for note in self.session_recorder.notes()]
        if self.actions.is_locked:
            notes.append(("actions locked", "muted"))
        interval = self.sampler.interval
        if interval.is_slowed:
            notes.append(
                (f"slowed from {interval.requested_s:g}s: sampling takes {interval.cost_s * 1000:.0f}ms", "warn")
            )
        if self.services.config.problem:
            notes.append(("configuration not used", "warn"))
        if count := count_run([row_of(alert) for alert in self.alerts.fresh], self.is_ascii):
            notes.append(count)
        return notes

    def _use_of(self, workload: Workload) -> Use:
        moment = self.track.moment
        reading = moment.readings.get(workload.id) if moment is not None else None
        return use_in(self.track.history, reading, self.sampler.interval_s)

    def set_limits(self) -> SetLimits:
        return self._set_limits

    def _set_limits(self, identity: WorkloadId, typed: dict[str, str]) -> None:
        reading = self.moment.readings.get(identity) if self.moment is not None else None
        if reading is None:
            self.app.notify("the workload is gone", severity="warning", timeout=4)
            return
        fields = {LimitKey(name): value for name, value in typed.items()}
        form = self.actions.limits.open_limits(reading.workload, self.all_workloads(), fields)
        self.run_worker(form, group="act", exclusive=True)

    def alert_levels(self) -> dict[WorkloadId, Level]:
        return self.alerts.worst

    def action_alerts(self) -> None:
        from tui.screens.alerts import AlertsScreen

        screen = AlertsScreen(LIVE, self.track.moment, self.alerts_now, self.open_workload, self.alerts, self.is_ascii)
        self.app.push_screen(screen)

    def own_usage(self) -> str:
        return _own_usage(self.cost)

    def acting(self) -> dict[WorkloadId, str]:
        return {identity: _acting(action) for identity, action in self.actions.runner.running().items()}

    @property
    def hints(self) -> Hints | None:
        """Remembers how often a hint was shown; `None` where nothing is remembered."""
        hints = getattr(self.app, "memory", None)
        return hints if isinstance(hints, Hints) else None

    def action_back(self) -> None:
        """Clear the filter, and hide the welcome for good."""
        welcome = self.query_one(FirstRunLine)
        if welcome.display and not self.is_prompt_open:
            welcome.display = False
            if self.hints is not None:
                self.hints.hide(_WELCOME)
        super().action_back()

    def outcomes(self) -> dict[WorkloadId, Run]:
        now = time.monotonic()
        ended = [action for action in self.actions.runner.actions[-_ACTIONS_LOOKED_AT:] if action.outcome is not None]
        return {
            action.id: _outcome(action) for action in ended if now - action.began - action.seconds() < _OUTCOME_SHOWN_S
        }

    def action_freeze(self) -> None:
        self.view.is_frozen = not self.view.is_frozen
        self.history.held_at = self.history.ticks if self.view.is_frozen else None
        self.shown_moment = self.shown_moment if self.view.is_frozen else self.moment
        self.redraw()

    def action_interval(self, step: int) -> None:
        nearest = min(INTERVALS_S, key=lambda interval_s: abs(interval_s - self.sampler.interval_s))
        index = INTERVALS_S.index(nearest) + step
        self.sampler.set_interval(INTERVALS_S[max(0, min(index, len(INTERVALS_S) - 1))])
        self.redraw()

    def open_workload(self, identity: WorkloadId) -> None:
        from tui.screens.detail.base import DetailContext
        from tui.screens.detail.live import LiveWorkloadScreen

        track = self.track
        subject = DetailContext(
            identity,
            self.frames_since,
            track.events.of,
            track.starts.of,
            self.history,
            self.is_ascii,
            self.view.metric(),
        )
        screen = LiveWorkloadScreen(subject, self.actions, self.services, partial(self.enter_past_of, identity))
        if track.moment is not None:
            screen.follow(track.moment, self.sampler.interval_s)
        self.app.push_screen(screen)

    def action_host(self) -> None:
        from collectors.engines.demo.machine import simulated_machine
        from tui.screens.host import HostContext, HostScreen

        host = self.chosen_host()
        if host is None:
            return
        is_simulated = self.services.connections.is_simulated
        context = HostContext(
            self.where,
            self.mode,
            self.history,
            partial(moment_of, host=host),
            missing=devices_elsewhere(host) if host and not is_simulated else "",
            simulate=simulated_machine if is_simulated else None,
            cost=(lambda: None) if host else lambda: self.cost,
            open_processes=self.action_processes if not host or is_simulated else None,
            no_processes=processes_elsewhere(host),
            is_ascii=self.is_ascii,
        )
        screen = HostScreen(context)
        if self.track.moment is not None:
            screen.follow(self.track.moment, self.sampler.interval_s)
        self.app.push_screen(screen)

    def action_processes(self) -> None:
        from tui.screens.processes import ProcessesScreen

        if (host := self.other_host()) and not self.services.connections.is_simulated:
            self.notify(processes_elsewhere(host), timeout=6, markup=False)
            return
        screen = ProcessesScreen(self.actions, self.services, self.open_workload, self.is_ascii)
        if self.track.moment is not None:
            screen.follow(self.track.moment, self.sampler.interval_s)
        self.app.push_screen(screen)

    def classified(self, moment: Moment, advance: Callable[[int], None]) -> Classes:
        from collectors.comparison.facts import FactsReader
        from collectors.comparison.window_statistics import WARM_UP_S, fill
        from collectors.comparison.workload_classes import classify

        active = [workload for workload in moment.frame.workloads.values() if workload.state.is_active]
        reader, since = (
            FactsReader(self.services.connections, not self.actions.is_locked),
            moment.frame.wall - CLASSES_S,
        )
        reader.begin(active)
        time.sleep(_LOOK_S)  # on its own thread: rates need two reads
        window = fill(self.frames_since(since - WARM_UP_S), [workload.id for workload in active], since)
        return classify(
            window.pasts(moment.frame), reader.read_all(active, advance), self.track.starts.all(), moment.frame
        )

    def frames_since(self, wall: float) -> Iterator[Frame]:
        """Return the frames of the current session; without a session, only the newest frame."""
        from collectors.session.reader import Session

        moment = self.track.moment
        try:
            session = Session(self.session_recorder.paths())
        except (SessionError, IndexError):
            yield from [moment.frame] if moment is not None else []
            return
        try:
            yield from (frame for _, frame in session.frames(wall))
        finally:
            session.close()

    def all_workloads(self) -> Collection[Workload]:
        return self.moment.frame.workloads.values() if self.moment is not None else ()

    def nothing_to_act_on(self) -> str:
        return self.nothing_here()

    def targets(self) -> list[Workload]:
        return [] if self.moment is None else self.view.chosen(self.moment.readings)

    def targets_word(self, targets: Sequence[Workload]) -> str:
        return f"{len(targets)} marked" if self.view.marks else super().targets_word(targets)

    def targets_title(self, targets: Sequence[Workload]) -> str:
        line = self.view.current()
        if len(self.view.marks) != 1 or line is None or line.id in self.view.marks:
            return ""
        marked, under = targets[0], line.reading.workload.id.host if line.reading is not None else ""
        if marked.id.host == under:
            return f"marked: {marked.name}; the cursor is on {line.label}"
        here = "this host"
        return f"marked: {marked.name} on {marked.id.host or here}; the cursor is on {line.label} on {under or here}"


def _own_usage(cost: Cost) -> str:
    """Return CPU and memory of vmtop itself; empty while unknown."""
    if cost.cpu_percent is None or cost.resident_bytes is None:
        return ""
    return f"{cost.cpu_percent:.1f}% CPU, {text(cost.resident_bytes, Unit.BYTES, 5).strip()} of memory"


def _outcome(action: Action) -> Run:
    """Return how an action ended, for the workload's row."""
    spec = VERBS[action.request.verb]
    if action.outcome is not None and action.outcome.result in (Result.DONE, Result.ALREADY):
        return f"{spec.done.removeprefix('was ')} in {action.seconds():.1f} s", "good"
    return f"{action.request.verb} failed: A says why", "bad"


def _acting(action: Action) -> str:
    """Return the action in progress with its seconds, such as `stopping 3s`."""
    word = "unknown" if action.phase == "outcome unknown" else VERBS[action.request.verb].gerund
    return f"{word} {action.seconds():.0f}s"
