"""The live application: the sampler's frames, actions, and the session that is kept meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.command import Provider
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
"""For the disk to take what is left of a recording, when the screen cannot end in order."""


def _note_commands() -> type[Provider]:
    from tui.app.palette import NoteCommands

    return NoteCommands


class VmtopApp(BaseApp):
    """The live screen.

    Args:
        sampler: Where frames come from.
        options: From the command line.
        means: The ways to the engines; none by default.
        tape: The session that is kept; none by default.
    """

    COMMANDS = BaseApp.COMMANDS | {_note_commands}
    sampler: Sampler
    means: Services
    tape: SessionRecorder
    desk: ActionController | None = None
    """From the first screen on."""

    def __init__(
        self,
        sampler: Sampler | None,
        options: ScreenOptions,
        means: Services | None = None,
        tape: SessionRecorder | None = None,
    ) -> None:
        super().__init__(options)
        if sampler is not None:
            self.sampler = sampler
        self._given = means, tape

    def prepare(self) -> tuple[Services | None, SessionRecorder | None]:
        """Return the means and the tape; make the sampler, if there is none yet."""
        return self._given

    def main_screen(self) -> Screen[None]:
        from collectors.actions.log import ActionLog
        from collectors.actions.protection import Protection
        from collectors.actions.runner import Runner
        from tui.controllers.actions import ActionController
        from tui.controllers.recording import SessionRecorder
        from tui.controllers.services import make_services, who
        from tui.screens.workloads.live import LiveListScreen
        from tui.settings.config import Config

        means, tape = self.prepare()
        self.means = means = means or make_services([], Config(), None)
        runner = Runner(means.connections.actions, ActionLog(means.action_log), who(), self.sampler.announce)
        runner.is_locked = self.options.read_only or means.config.read_only
        protection = Protection(means.config.actions.allow_protected)
        self.desk = ActionController(self, runner, protection, means)
        self.tape = tape or SessionRecorder()
        SIGNALS.last_steps += [(runner.close, _LOGGING_S), (self.tape.close, _KEEPING_S)]
        self.tape.announce = self.sampler.announce
        self.sampler.on_frame(self.tape.recorder.take)
        return LiveListScreen(self.sampler, self.options, self.desk, self.means, self.tape)

    def on_unmount(self) -> None:
        if self.desk is not None:
            self.desk.runner.close()

    def on_action_changed(self, changed: ActionChanged) -> None:
        from tui.screens.workloads.live import LiveListScreen

        if self.desk is not None:
            self.desk.tell(changed)
        for screen in self.screen_stack:
            if isinstance(screen, LiveListScreen):
                screen.redraw()


class _Live(VmtopApp):
    """Makes what it runs on once its first line is painted."""

    def __init__(
        self, specs: Sequence[SourceSpec], options: ScreenOptions, config: Config, tape: SessionRecorder | None
    ) -> None:
        super().__init__(None, options)
        self._specs, self._config, self._recording_tape = specs, config, tape

    def prepare(self) -> tuple[Services | None, SessionRecorder | None]:
        from collectors.engines.registry import load_source
        from collectors.sampling.sampler import Sampler
        from tui.controllers.services import make_services
        from tui.settings.paths import state_folder

        self.sampler = Sampler(self._specs, load_source, self.options.interval_s, self.options.is_steady)
        means = make_services(self._specs, self._config, state_folder() / "actions.log")
        return means, self._recording_tape or new_tape(self.options)


def new_tape(options: ScreenOptions) -> SessionRecorder:
    """Return the tape of a run, with its spool unless that is not wished for."""
    from tui.controllers.recording import SessionRecorder
    from tui.settings.paths import state_folder

    return SessionRecorder(state_folder() / "spool" if options.has_spool else None)


def recording_tape(options: ScreenOptions) -> SessionRecorder | None:
    """Begin to record, if that was asked for, while errors can still be told in front of the screen.

    Raises:
        SessionError: The file to record into cannot be created.
    """
    if options.record is None:
        return None
    tape = new_tape(options)
    try:
        tape.record(options.record)
    except BaseException:
        tape.close()
        raise
    return tape


def run_live(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config) -> int:
    """Run the screen until the user quits; return the process's exit code.

    Raises:
        SessionError: The file to record into cannot be created.
    """
    with SIGNALS.listening(ENDING):
        return _run(specs, options, config)


def _run(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config) -> int:
    begun = recording_tape(options)
    if begun is not None:
        SIGNALS.last_steps.append((begun.close, _KEEPING_S))
    app = _Live(specs, options, config, begun)
    code = app.run_to_end()
    if app.desk is None:  # it ended before its first screen
        if begun is not None:
            begun.close()
        return code
    from tui.controllers.recording import in_words

    app.sampler.stop(0.3)
    tape = app.tape
    recording = tape.recording
    is_done = tape.close()
    if recording is not None:
        words = in_words(recording.path, recording.writer.size, recording.writer.span_s)
        farewell(f"vmtop: recorded {words}" + ("" if is_done else "\nvmtop: the disk did not answer in time"))
    return code
