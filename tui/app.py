"""The live application: the sampler's frames, actions, and the session that is kept meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from textual.screen import Screen

from collectors.actions.log import ActionLog
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.sampler import Sampler, SourceSpec
from collectors.session.format import SessionError
from tui.action_desk import ActionChanged, ActionDesk
from tui.base_app import BaseApp, farewell
from tui.config import Config
from tui.folders import state_folder
from tui.means import Means, make_means, who
from tui.notes import NoteCommands
from tui.options import ScreenOptions
from tui.screens.overview import Overview
from tui.tape import Tape, in_words


class VmtopApp(BaseApp):
    """The live screen."""

    COMMANDS = BaseApp.COMMANDS | {NoteCommands}

    def __init__(
        self, sampler: Sampler, options: ScreenOptions, means: Means | None = None, tape: Tape | None = None
    ) -> None:
        super().__init__(options)
        self.sampler = sampler
        self.means = means = means or make_means([], Config(), None)
        runner = Runner(means.engines.of, ActionLog(means.action_log), who(), sampler.announce)
        runner.is_locked = options.read_only or means.config.read_only
        protection = Protection(means.config.actions.allow_protected)
        self.desk = ActionDesk(self, runner, protection, means.config, self.handle_signals)
        self.tape = tape or Tape()
        self.tape.announce = sampler.announce
        sampler.on_frame(self.tape.recorder.take)

    def main_screen(self) -> Screen[None]:
        return Overview(self.sampler, self.options, self.desk, self.means, self.tape)

    def on_unmount(self) -> None:
        self.desk.runner.close()

    def on_action_changed(self, changed: ActionChanged) -> None:
        self.desk.tell(changed)
        for screen in self.screen_stack:
            if isinstance(screen, Overview):
                screen.redraw()


def run_live(specs: Sequence[SourceSpec], options: ScreenOptions, config: Config) -> int:
    """Run the screen until the person leaves; return the process's exit code.

    Raises:
        SessionError: The file to record into cannot be made.
    """
    tape = Tape(state_folder() / "spool" if options.has_spool else None)
    try:
        if options.record is not None:
            tape.record(options.record)
    except SessionError:
        tape.close()
        raise
    sampler = Sampler(specs, options.interval_s, options.is_steady)
    app = VmtopApp(sampler, options, make_means(specs, config, state_folder() / "actions.log"), tape)
    code = app.run_to_end()
    sampler.stop(0.3)
    recording = tape.recording
    is_done = tape.close()
    if recording is not None:
        words = in_words(recording.path, recording.writer.size, recording.writer.span_s)
        farewell(f"vmtop: recorded {words}" + ("" if is_done else "\nvmtop: the disk did not answer in time"))
    return code
