"""The live application: frames from the sampler, actions, the recorder of the current session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.app.base import BaseApp, farewell
from tui.settings.screen_options import ScreenOptions
from tui.terminal.signals import ENDING, SIGNALS

if TYPE_CHECKING:
    from collectors.sampling.sampler import Sampler
    from collectors.sampling.source import SourceSpec
    from tui.controllers.actions import ActionChanged, ActionController
    from tui.controllers.recording import SessionRecorder
    from tui.controllers.services import Services
    from tui.settings.config import Config

_LOGGING_S = 0.3
_KEEPING_S = 2.0
"""Seconds for the disk to take the rest of a recording when the screen cannot end in order."""


class VmtopApp(BaseApp):
    """The live screen.

    Args:
        sampler: Takes the frames; `None` if `prepare` makes it.
        options: From the command line.
        services: Connections to the engines; none by default.
        session_recorder: Records the current session; one without a spool by default.
    """

    sampler: Sampler
    services: Services
    session_recorder: SessionRecorder
    actions: ActionController | None = None
    """Set when the first screen opens."""

    def __init__(
        self,
        sampler: Sampler | None,
        options: ScreenOptions,
        services: Services | None = None,
        session_recorder: SessionRecorder | None = None,
    ) -> None:
        super().__init__(options)
        if sampler is not None:
            self.sampler = sampler
        self._prepared = services, session_recorder

    def prepare(self) -> tuple[Services | None, SessionRecorder | None]:
        """Return the services and the recorder, `None` for the defaults; make the sampler if there is none yet."""
        return self._prepared

    def main_screen(self) -> Screen[None]:
        from collectors.actions.log import ActionLog
        from collectors.actions.protection import Protection
        from collectors.actions.runner import Runner
        from tui.controllers.actions import ActionController
        from tui.controllers.recording import SessionRecorder
        from tui.controllers.services import make_services, who
        from tui.screens.workloads.live import LiveListScreen
        from tui.settings.config import Config

        services, session_recorder = self.prepare()
        self.services = services = services or make_services([], Config(), None)
        runner = Runner(services.connections.actions, ActionLog(services.action_log), who(), self.sampler.announce)
        runner.is_locked = self.options.read_only or services.config.read_only
        protection = Protection(services.config.actions.allow_protected)
        self.actions = ActionController(self, runner, protection, services)
        self.session_recorder = session_recorder or SessionRecorder()
        SIGNALS.last_steps += [(runner.close, _LOGGING_S), (self.session_recorder.close, _KEEPING_S)]
        self.session_recorder.announce = self.sampler.announce
        self.sampler.on_frame(self.session_recorder.recorder.take)
        return LiveListScreen(self.sampler, self.options, self.actions, self.services, self.session_recorder)

    def on_unmount(self) -> None:
        if self.actions is not None:
            self.actions.runner.close()

    def on_action_changed(self, message: ActionChanged) -> None:
        from tui.screens.workloads.live import LiveListScreen

        if self.actions is not None:
            self.actions.report(message)
        for screen in self.screen_stack:
            if isinstance(screen, LiveListScreen):
                screen.redraw()


class _Live(VmtopApp):
    """Makes its sampler and services once its first line is painted."""

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        options: ScreenOptions,
        config: Config,
        session_recorder: SessionRecorder | None,
    ) -> None:
        super().__init__(None, options)
        self._specs, self._config, self._started_recorder = specs, config, session_recorder

    def prepare(self) -> tuple[Services | None, SessionRecorder | None]:
        from collectors.engines.registry import load_source
        from collectors.sampling.sampler import Sampler
        from tui.controllers.services import make_services
        from tui.settings.paths import state_folder

        self.sampler = Sampler(self._specs, load_source, self.options.interval_s, self.options.is_steady)
        services = make_services(self._specs, self._config, state_folder() / "actions.log")
        return services, self._started_recorder or new_session_recorder(self.options)


def new_session_recorder(options: ScreenOptions) -> SessionRecorder:
    """Return the recorder of a run, with a spool unless `--no-spool` was given."""
    from tui.controllers.recording import SessionRecorder
    from tui.settings.paths import state_folder

    return SessionRecorder(state_folder() / "spool" if options.has_spool else None)


def start_recording(options: ScreenOptions) -> SessionRecorder | None:
    """Start to record if `--record` was given, while an error can still be shown before the screen starts.

    Raises:
        SessionError: The recording cannot be created.
    """
    if options.record is None:
        return None
    session_recorder = new_session_recorder(options)
    try:
        session_recorder.record(options.record)
    except BaseException:
        session_recorder.close()
        raise
    return session_recorder


def run_live(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config) -> int:
    """Run the screen until the user quits; return the process's exit code.

    Raises:
        SessionError: The recording cannot be created.
    """
    with SIGNALS.listening(ENDING):
        return _run(specs, options, config)


def _run(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config) -> int:
    started_recorder = start_recording(options)
    if started_recorder is not None:
        SIGNALS.last_steps.append((started_recorder.close, _KEEPING_S))
    app = _Live(specs, options, config, started_recorder)
    code = app.run_to_end()
    if app.actions is None:  # it ended before its first screen
        if started_recorder is not None:
            started_recorder.close()
        return code
    from tui.controllers.recording import file_summary

    app.sampler.stop(0.3)
    session_recorder = app.session_recorder
    recording = session_recorder.recording
    is_done = session_recorder.close()
    if recording is not None:
        summary = file_summary(recording.path, recording.writer.size, recording.writer.span_s)
        farewell(f"vmtop: recorded {summary}" + ("" if is_done else "\nvmtop: the disk did not answer in time"))
    return code
