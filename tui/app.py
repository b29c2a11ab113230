"""The live application: the sampler's frames, actions, and the session that is kept meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.command import Provider
from textual.screen import Screen

from tui.base_app import BaseApp, farewell
from tui.options import ScreenOptions
from tui.signals import ENDING, SIGNALS

if TYPE_CHECKING:
    from collectors.sampler import Sampler, SourceSpec
    from tui.action_desk import ActionChanged, ActionDesk
    from tui.config import Config
    from tui.means import Means
    from tui.tape import Tape

_LOGGING_S = 0.3
_KEEPING_S = 2.0
"""For the disk to take what is left of a recording, when the screen cannot end in order."""


def _note_commands() -> type[Provider]:
    from tui.notes import NoteCommands

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
    means: Means
    tape: Tape
    desk: ActionDesk | None = None
    """From the first screen on."""

    def __init__(
        self,
        sampler: Sampler | None,
        options: ScreenOptions,
        means: Means | None = None,
        tape: Tape | None = None,
    ) -> None:
        super().__init__(options)
        if sampler is not None:
            self.sampler = sampler
        self._given = means, tape

    def prepare(self) -> tuple[Means | None, Tape | None]:
        """Return the means and the tape; make the sampler, if there is none yet."""
        return self._given

    def main_screen(self) -> Screen[None]:
        from collectors.actions.log import ActionLog
        from collectors.actions.protection import Protection
        from collectors.actions.runner import Runner
        from tui.action_desk import ActionDesk
        from tui.config import Config
        from tui.means import make_means, who
        from tui.screens.overview import Overview
        from tui.tape import Tape

        means, tape = self.prepare()
        self.means = means = means or make_means([], Config(), None)
        runner = Runner(means.engines.of, ActionLog(means.action_log), who(), self.sampler.announce)
        runner.is_locked = self.options.read_only or means.config.read_only
        protection = Protection(means.config.actions.allow_protected)
        self.desk = ActionDesk(self, runner, protection, means)
        self.tape = tape or Tape()
        SIGNALS.last_steps += [(runner.close, _LOGGING_S), (self.tape.close, _KEEPING_S)]
        self.tape.announce = self.sampler.announce
        self.sampler.on_frame(self.tape.recorder.take)
        return Overview(self.sampler, self.options, self.desk, self.means, self.tape)

    def on_unmount(self) -> None:
        if self.desk is not None:
            self.desk.runner.close()

    def on_action_changed(self, changed: ActionChanged) -> None:
        from tui.screens.overview import Overview

        if self.desk is not None:
            self.desk.tell(changed)
        for screen in self.screen_stack:
            if isinstance(screen, Overview):
                screen.redraw()


class _Live(VmtopApp):
    """Makes what it runs on once its first line is painted."""

    def __init__(self, specs: Sequence[SourceSpec], options: ScreenOptions, config: Config, tape: Tape | None) -> None:
        super().__init__(None, options)
        self._specs, self._config, self._recording_tape = specs, config, tape

    def prepare(self) -> tuple[Means | None, Tape | None]:
        from collectors.sampler import Sampler
        from tui.folders import state_folder
        from tui.means import make_means

        self.sampler = Sampler(self._specs, self.options.interval_s, self.options.is_steady)
        means = make_means(self._specs, self._config, state_folder() / "actions.log")
        return means, self._recording_tape or new_tape(self.options)


def new_tape(options: ScreenOptions) -> Tape:
    """Return the tape of a run, with its spool unless that is not wished for."""
    from tui.folders import state_folder
    from tui.tape import Tape

    return Tape(state_folder() / "spool" if options.has_spool else None)


def recording_tape(options: ScreenOptions) -> Tape | None:
    """Begin to record, if that was asked for, while errors can still be told in front of the screen.

    Raises:
        SessionError: The file to record into cannot be made.
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
    """Run the screen until the person leaves; return the process's exit code.

    Raises:
        SessionError: The file to record into cannot be made.
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
    from tui.tape import in_words

    app.sampler.stop(0.3)
    tape = app.tape
    recording = tape.recording
    is_done = tape.close()
    if recording is not None:
        words = in_words(recording.path, recording.writer.size, recording.writer.span_s)
        farewell(f"vmtop: recorded {words}" + ("" if is_done else "\nvmtop: the disk did not answer in time"))
    return code
