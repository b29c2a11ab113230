"""The users' own commands: from a key or the menu to their end, on the workload that was chosen."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from collectors.actions.runner import Runner
from collectors.model.actions import Outcome, Result
from collectors.model.errors import SourceError, WorkloadGone
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from tui.configuration.own_commands import OwnCommand, Unusable, environment, filled
from tui.controllers.background import run_blocking
from tui.controllers.background_program import run_program
from tui.terminal.program_end import ending_words

if TYPE_CHECKING:
    from textual.app import App


class OwnCommandRunner:
    """Runs the users' own commands.

    Args:
        app: Shows the confirmation, and hands the terminal over.
        runner: Knows whether actions are locked and whether a workload is still the same; keeps the log.
        commands: From the configuration.
        is_simulated: Whether the workloads are made up: nothing is run with their names.
    """

    def __init__(
        self, app: App[int], runner: Runner, commands: Sequence[OwnCommand], is_simulated: bool = False
    ) -> None:
        self._app, self._runner, self._is_simulated = app, runner, is_simulated
        self.commands = tuple(commands)

    def objection(self, command: OwnCommand, workload: Workload) -> str:
        """Return why a command cannot be run with a workload; empty if it can."""
        if not command.is_for(workload):
            return f"not for a {workload.kind}"
        if self._is_simulated:
            return "the workloads of a demonstration are made up"
        if self._runner.is_locked and not command.is_safe:
            return "actions are locked; L unlocks them"
        try:
            words = filled(command, workload)
        except Unusable as error:
            return str(error)
        return "" if shutil.which(words[0]) else f"there is no program {sanitize(words[0])!r}"

    async def run(self, command: OwnCommand, workload: Workload) -> None:
        """Confirm and run a command with a workload; notify the user of how it ended."""
        from tui.dialogs.confirm_command import ConfirmCommand

        if reason := self.objection(command, workload):
            self._notify(f"{command.label}: {reason}", "warning")
            return
        words = filled(command, workload)
        if command.needs_confirmation:
            line = shlex.join(words)
            if not await self._app.push_screen_wait(ConfirmCommand(command.label, workload, line)):
                return
            if reason := self.objection(command, workload):  # it may have been locked in the meantime
                self._notify(f"{command.label}: {reason}", "warning")
                return
        began_wall, began = time.time(), time.monotonic()
        result, sentence = await self._run(command, workload, words)
        seconds = time.monotonic() - began
        outcome = Outcome(result, f"{workload.name}: {command.label} {sentence}", "", seconds)
        self._runner.record(workload, f"own command {command.label!r}", shlex.join(words), outcome, began_wall)
        self._notify(outcome.sentence, "information" if result is Result.DONE else "warning")

    async def _run(self, command: OwnCommand, workload: Workload, words: list[str]) -> tuple[Result, str]:
        if refusal := await run_blocking(partial(self._changed, command, workload)):
            return refusal
        variables = environment(workload, os.environ)
        if not command.is_in_terminal:
            try:
                code, last_line = await run_blocking(partial(run_program, command.label, words, variables))
            except SourceError as error:
                return Result.FAILED, error.reason
            return _result(code), ending_words(code) + (f": {last_line}" if last_line else "")
        from tui.controllers.console import visit
        from tui.terminal.program_console import ProgramConsole

        try:
            console = ProgramConsole(words, variables, f"{sanitize(command.label)} for {workload.name}")
        except OSError as error:
            return Result.FAILED, f"cannot be run: {error.strerror or error}"
        sentence, _ = visit(self._app, console)
        self._app.refresh(layout=True)
        return _result(console.exit_code), sentence

    def _changed(self, command: OwnCommand, workload: Workload) -> tuple[Result, str] | None:
        """Return the result and sentence if the workload is not the one that was chosen any more; `None` if it is."""
        try:
            seen = self._runner.look(workload)
        except WorkloadGone:
            return Result.GONE, "was not run: the workload is gone"
        except SourceError as error:
            # what only looks may run although no engine can say that it is still the same
            return None if command.is_safe else (Result.FAILED, f"was not run: {error.reason}")
        if workload.name_is_known and seen.name and seen.name != workload.name:
            return Result.CHANGED, f"was not run: the workload is now called {seen.name}"
        return None

    def _notify(self, sentence: str, severity: str) -> None:
        self._app.notify(sentence, severity=severity, timeout=6, markup=False)  # type: ignore[arg-type]


def _result(code: int | None) -> Result:
    return Result.DONE if code == 0 else Result.FAILED if code is not None else Result.UNKNOWN
