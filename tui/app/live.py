"""The live application: frames from the sampler, actions, the recorder of the current session."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from tui.app.base import BaseApp, farewell
from tui.keys.key import OWN, OWN_RANK, Key
from tui.settings.screen_options import ScreenOptions
from tui.terminal.signals import ENDING, SIGNALS

if TYPE_CHECKING:
    from collectors.sampling.sampler import Sampler
    from collectors.sampling.source import SourceSpec
    from tui.configuration.config import Config
    from tui.configuration.own_commands import OwnCommand
    from tui.controllers.actions import ActionChanged, ActionController
    from tui.controllers.alerts import AlertController
    from tui.controllers.recording import SessionRecorder
    from tui.controllers.screen_memory import ScreenMemory
    from tui.controllers.services import Services
    from tui.screens.workloads.live import LiveListScreen

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
        memory: Keeps the layout for the next run; by default it keeps nothing.
    """

    sampler: Sampler
    services: Services
    session_recorder: SessionRecorder
    memory: ScreenMemory
    alerts: AlertController
    actions: ActionController | None = None
    """Set when the first screen opens."""
    _main: LiveListScreen

    def __init__(
        self,
        sampler: Sampler | None,
        options: ScreenOptions,
        services: Services | None = None,
        session_recorder: SessionRecorder | None = None,
        memory: ScreenMemory | None = None,
    ) -> None:
        super().__init__(options)
        self._given_memory = memory
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
        from tui.configuration.alerts import rules_of
        from tui.configuration.config import Config
        from tui.controllers.actions import ActionController
        from tui.controllers.alerts import AlertController
        from tui.controllers.recording import SessionRecorder
        from tui.controllers.screen_memory import CHECKED_EVERY_S, ScreenMemory
        from tui.controllers.services import make_services, who
        from tui.screens.workloads.live import LiveListScreen

        services, session_recorder = self.prepare()
        self.services = services = services or make_services([], Config(), None)
        runner = Runner(services.connections.actions, ActionLog(services.action_log), who(), self.sampler.announce)
        runner.is_locked = self.options.read_only or services.config.read_only
        protection = Protection(services.config.actions.allow_protected)
        self.actions = ActionController(self, runner, protection, services)
        self.session_recorder = session_recorder or SessionRecorder()
        self.memory = memory = self._given_memory or ScreenMemory()
        SIGNALS.last_steps += [
            (runner.close, _LOGGING_S),
            (memory.close, _LOGGING_S),
            (self.session_recorder.close, _KEEPING_S),
        ]
        self.session_recorder.announce = self.sampler.announce
        self.sampler.on_frame(self.session_recorder.recorder.take)
        self.alerts = AlertController(
            self, rules_of(services.config.alerts), self.sampler.announce, services.connections.is_simulated
        )
        screen = LiveListScreen(
            self.sampler, self.options, self.actions, self.services, self.session_recorder, self.alerts
        )
        self._main = screen
        self.use_keys(dict(services.config.keymap))
        self._bind_own_commands(services.config.commands)
        memory.begin(self._layout())
        self.set_interval(CHECKED_EVERY_S, lambda: memory.note(self._layout()))
        screen.call_after_refresh(self._greet)
        return screen

    def _bind_own_commands(self, commands: Sequence[OwnCommand]) -> None:
        """Give the user's own commands their keys, and their places in the help and the palette."""
        self.own_rows = tuple(
            Key(
                f"own_{number}",
                command.key,
                f"app.own({number})",
                f"{command.label}: {shlex.join(command.run)}",
                OWN,
                command.label,
                OWN_RANK,
            )
            for number, command in enumerate(commands)
        )
        for row in self.own_rows:
            if row.keys:
                self.bind(row.keys, row.action, description=row.help, show=False)

    def _layout(self) -> dict[str, Any]:
        """Return what is remembered, by the settings' names."""
        return {**self._main.layout_settings(), "screen.theme": self.theme_choice}

    def _greet(self) -> None:
        """Say once what is not as a newcomer expects it."""
        if problem := self.services.config.problem:
            self.notify(f"{problem}; defaults apply", title="Configuration", severity="error", timeout=20, markup=False)
        elif words := self.memory.welcome():
            self.notify(words, timeout=5)

    def action_keep(self) -> None:
        """Write how the screen is set up to the configuration."""
        sentence, is_done = self.memory.keep(self._layout())
        self.notify(sentence, severity="information" if is_done else "warning", timeout=6, markup=False)

    def action_own(self, index: int) -> None:
        """Run one of the user's own commands with the workload of the screen on top."""
        from tui.screens.mixins.workload_keys import WorkloadKeys

        screen = self.screen
        if not isinstance(screen, WorkloadKeys) or self.actions is None:
            return
        if targets := screen.targets():
            self.run_worker(self.actions.run_own(index, targets), group="act", exclusive=True)
        else:
            self.notify("No workload here to run it with.", timeout=3)

    def on_unmount(self) -> None:
        if self.actions is not None:
            self.memory.note(self._layout())
            self.memory.close()
            self.alerts.close()
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
        memory: ScreenMemory | None = None,
    ) -> None:
        super().__init__(None, options, memory=memory)
        self._specs, self._config, self._started_recorder = specs, config, session_recorder

    def prepare(self) -> tuple[Services | None, SessionRecorder | None]:
        from collectors.fleet.specs import load_source
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


def run_live(
    specs: Sequence[SourceSpec], options: ScreenOptions, config: Config, memory: ScreenMemory | None = None
) -> int:
    """Run the screen until the user quits; return the process's exit code.

    Raises:
        SessionError: The recording cannot be created.
    """
    with SIGNALS.listening(ENDING):
        return _run(specs, options, config, memory)


def _run(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config, memory: ScreenMemory | None) -> int:
    started_recorder = start_recording(options)
    if started_recorder is not None:
        SIGNALS.last_steps.append((started_recorder.close, _KEEPING_S))
    app = _Live(specs, options, config, started_recorder, memory)
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
