"""What the live application and the replay share: screens, the palette, a clean end whatever happens.

One line is painted before vmtop's own modules are loaded, so users see at once that it starts.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from rich.text import Text
from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from collectors.safety.sanitize import sanitize
from tui.app.themed import ThemedApp
from tui.keys.bindings import app_bindings
from tui.keys.key import key_names
from tui.keys.tables import TABLES
from tui.settings import log_file
from tui.settings.screen_options import ScreenOptions
from tui.terminal.input_gate import InputGate
from tui.terminal.signals import ENDING, SIGNALS
from tui.terminal.textual_private import PROBLEM, discard_cached_colors
from tui.themes.style_sheet import STYLE_SHEET

log = logging.getLogger(__name__)


class BaseApp(ThemedApp):
    """An application with one main screen.

    Args:
        options: From the command line.
    """

    TITLE = "vmtop"
    CSS = STYLE_SHEET
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings()]

    def __init__(self, options: ScreenOptions) -> None:
        super().__init__(options.theme, options.ascii)
        self.options = options
        self.failure = ""
        """Why the screen ended by itself; a sentence."""
        self.animation_level = "none"
        self.user_keys: dict[str, str] = {}
        """The user's keys, separated by commas, by the names of the actions."""
        self._end_code: int | None = None
        """The exit code, once the end was requested."""
        self._gate = InputGate()
        self._target_screens: WeakKeyDictionary[events.Key, Screen[Any]] = WeakKeyDictionary()
        """The screen that was on top when a key arrived, until the key is handled."""

    def use_keys(self, user_keys: dict[str, str]) -> None:
        """Let the user's keys take the place of ours, in bindings, footers, help and palette.

        Args:
            user_keys: Keys as Textual names them, separated by commas, by the names of the actions (`tables.actions`).
        """
        self.user_keys = user_keys
        self.set_keymap(user_keys)

    def compose(self) -> ComposeResult:
        yield Static(Text(" vmtop  starting ...", no_wrap=True), id="opening")

    def on_mount(self) -> None:
        SIGNALS.serve(asyncio.get_running_loop(), lambda code: self.exit(code, code))
        if self.is_headless:
            self.begin()
        else:
            self.call_after_refresh(self.begin)

    def begin(self) -> None:
        """Load the screens, and show the first one."""
        from tui.dialogs.picker import PickerDialog
        from tui.dialogs.prompt import PromptDialog
        from tui.dialogs.text_page import TextDialog
        from tui.screens.help import HelpScreen

        self.install_screen(TextDialog(), "panel")
        self.install_screen(HelpScreen(), "help")
        self.install_screen(PickerDialog(), "choice")
        self.install_screen(PromptDialog(), "ask")
        main_screen = self.main_screen()
        self.call_with_ground(partial(self.push_screen, main_screen))
        gc.freeze()  # modules and styles stay to the end: a search for garbage need not go through them
        gc.enable()

    def main_screen(self) -> Screen[None]:
        """Return the first screen."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        """Handle an event, unless it was meant for a screen that has closed since, or comes from a key held down."""
        if isinstance(event, events.Key | events.MouseEvent | events.Paste) and not event.is_forwarded:
            if not self._gate.admits(_repeatable_name(event), event.time):
                return
            if isinstance(event, events.Key):
                self._target_screens[event] = self.screen
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Ignore a key that bubbled up from a screen that has closed: it is not meant for the one below."""
        if self._target_screens.get(event, self.screen) is not self.screen:
            event.prevent_default()

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **options: Any) -> Any:
        """Show a screen. While the key that opened a dialogue is held down, its repeats do not reach the dialogue."""
        pushed = super().push_screen(screen, *arguments, **options)
        if isinstance(self.screen, ModalScreen):
            self._gate.hold(time.monotonic())
        return pushed

    def pop_screen(self) -> AwaitComplete:
        """Close a screen and release all that it painted. Keys typed before the screen below is painted are lost.

        Textual's table of widget colors would otherwise keep some 130 MiB after a hundred screens.
        """
        closed = super().pop_screen()
        self._gate.shut(time.monotonic())
        self.screen.call_after_refresh(lambda: self._gate.open(time.monotonic()))
        discard_cached_colors()
        return closed

    def action_command_palette(self) -> None:
        """Show the palette of commands."""
        from tui.dialogs.base import Palette

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Show the palette of themes."""
        from tui.app.palette import ThemeCommands
        from tui.dialogs.base import Palette

        self.push_screen(Palette(providers=[ThemeCommands], placeholder="Search for themes ..."))

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        """End the application in an orderly way."""
        self._end_code = return_code
        super().exit(result, return_code, message)

    def end_after_failure(self) -> None:
        """End with a sentence. Textual would print a traceback with local variables, which may hold secrets.

        After a request to end it is not a failure: Textual removes the parts of a screen that is about to open.
        """
        if self._end_code is not None:
            log.info("the screen failed while it ended", exc_info=True)
            self.panic()
            return
        log.exception("the screen failed")
        error = sys.exc_info()[1]
        why = (
            log_file.NO_MEMORY if isinstance(error, MemoryError) else f"{type(error).__name__}: {sanitize(str(error))}"
        )
        self.failure = f"vmtop: the screen failed: {why}"
        self.panic()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key's action, and sorting by every metric, in the palette."""
        from collectors.model.metrics import METRICS
        from tui.screens.workloads.base import WorkloadListScreen

        if isinstance(screen, WorkloadListScreen):
            for key in TABLES[screen.key_table]:
                if key.action != "command_palette" and "move" not in key.action:
                    title = f"{key.word or key.action.partition('(')[0].replace('_', ' ')}: {key.help}"
                    yield SystemCommand(title, key_names(key.keys), partial(screen.run_action, key.action))
            for metric in METRICS.values():
                yield SystemCommand(f"Sort by {metric.alias}", metric.help, partial(screen.action_sort, metric.key))
            yield SystemCommand("Theme", "change the colours", self.action_change_theme)

    def run_to_end(self) -> int:
        """Run until the user quits; return the process's exit code."""
        log_file.keep_all()
        if PROBLEM:
            log.warning("Textual paints and reads keys itself: %s", PROBLEM)
        with SIGNALS.listening(ENDING), _terminal_for_textual():
            self.run(mouse=self.options.mouse)
        if self.failure:
            farewell(f"{self.failure}{log_file.FILE.reference}")
        return self.return_code or 0 if self._end_code is None else self._end_code


def _repeatable_name(event: events.Key | events.MouseEvent | events.Paste) -> str:
    """Return a name for the key or mouse button that may be held down or pressed twice; empty for a paste or a move."""
    if isinstance(event, events.Key):
        return event.key
    return "mouse" if isinstance(event, events.MouseDown | events.MouseUp) else ""


def farewell(message: str) -> None:
    """Print a message after the screen has closed, unless the terminal has gone."""
    with suppress(OSError):
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()


@contextmanager
def _terminal_for_textual() -> Iterator[None]:
    """Reserve the terminal for Textual, which writes to `sys.__stderr__`."""
    original = sys.__stderr__
    with log_file.stderr_in_log() as terminal:
        # Stays open: on a slow terminal, Textual's writer may still be writing to it.
        vars(sys)["__stderr__"] = os.fdopen(terminal, "w", encoding="utf-8", errors="replace", closefd=False)
        try:
            yield
        finally:
            vars(sys)["__stderr__"] = original
