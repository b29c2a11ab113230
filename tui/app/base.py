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
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from collectors.safety.sanitize import sanitize
from tui.app.keys_in_order import KeysInOrder, Typed
from tui.keys.bindings import app_bindings
from tui.keys.key import Key, with_user_keys
from tui.keys.tables import OWN_ON
from tui.settings import log_file
from tui.settings.screen_options import ScreenOptions
from tui.terminal.input_gate import InputGate
from tui.terminal.signals import ENDING, SIGNALS
from tui.terminal.textual_private import PROBLEM, discard_cached_colors
from tui.themes.style_sheet import STYLE_SHEET

log = logging.getLogger(__name__)
_FOOTER_S = 0.1
"""Seconds until a notice that came before the first footer is shown."""
_NOTICE_S = 5.0
"""Seconds for which a notice is shown if nothing else is asked for."""
_NOTICES_KEPT = 50
_TONES = {"information": "title", "warning": "warn", "error": "bad"}

_SEARCHED_AFTER = 10_000, 1, 3
"""After how many new objects Python looks for garbage among them, and how often it takes in older ones. At its own 700,
a tick of 5,000 workloads started a dozen searches, which find nothing. All objects are searched as often as before:
every 10,000 x 2 x 4 new ones, as it was every 701 x 11 x 11."""
_NO_KEY = "no_key"
"""A key that no terminal has, for an action that the user has taken the keys from: Textual takes none for ours."""


class BaseApp(KeysInOrder):
    """An application with one main screen.

    Args:
        options: From the command line.
    """

    TITLE = "vmtop"
    CSS = STYLE_SHEET
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings()]

    def __init__(self, options: ScreenOptions) -> None:
        super().__init__(options.theme, options.ascii)
        self.options = options
        self.failure = ""
        """Why the screen ended by itself; a sentence."""
        self.animation_level = "none"
        self.user_keys: dict[str, str] = {}
        self.own_rows: tuple[Key, ...] = ()
        """The user's own commands, as rows of the tables of the screens in `OWN_ON`."""
        """The user's keys, separated by commas, by the names of the actions."""
        self._end_code: int | None = None
        """The exit code, once the end was requested."""
        self.notices: deque[tuple[float, str, str]] = deque(maxlen=_NOTICES_KEPT)
        """What the user was told: when (wall clock), how severe, what."""
        self._gate = InputGate()
        self._target_screens: WeakKeyDictionary[events.Key, Screen[Any]] = WeakKeyDictionary()
        """The screen that was on top when a key arrived, until the key is handled."""

    def use_keys(self, user_keys: dict[str, str]) -> None:
        """Let the user's keys take the place of ours, in bindings, footers, help and palette.

        Args:
            user_keys: Keys as Textual names them, comma-separated, by the names of the actions (`everywhere.actions`).
        """
        self.user_keys = user_keys
        self.set_keymap({name: keys or _NO_KEY for name, keys in user_keys.items()})

    def key_rows(self, screen: str) -> tuple[Key, ...]:
        """Return the rows of a screen's keys with those of the user.

        Args:
            screen: A name in `EVERYWHERE`.
        """
        from tui.keys.everywhere import EVERYWHERE

        own = self.own_rows if screen in OWN_ON else ()
        return with_user_keys(EVERYWHERE[screen], self.user_keys) + own

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
        from tui.dialogs.prompt import PromptDialog
        from tui.dialogs.text_page import TextDialog
        from tui.screens.column_picker import ColumnPicker
        from tui.screens.command_line import CommandLine
        from tui.screens.help import HelpScreen

        self.install_screen(TextDialog(), "panel")
        self.install_screen(HelpScreen(), "help")
        self.install_screen(CommandLine(), "palette")
        self.install_screen(ColumnPicker(), "columns")
        self.install_screen(PromptDialog(), "ask")
        main_screen = self.main_screen()
        self.call_with_ground(partial(self._show_first, main_screen))
        gc.freeze()  # modules and styles stay to the end: a search for garbage need not go through them
        gc.set_threshold(*_SEARCHED_AFTER)
        gc.enable()

    def _show_first(self, screen: Screen[None]) -> None:
        """Show the first screen; keys have an effect once it is painted."""
        self.push_screen(screen)
        screen.call_after_refresh(self.call_later, self.begin_with_keys)

    def main_screen(self) -> Screen[None]:
        """Return the first screen."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        """Handle an event, unless it was meant for a screen that has closed since, or comes from a key held down."""
        if event.is_forwarded:
            await super().on_event(event)
            if isinstance(event, events.Key | events.Paste):
                await self.bubbled(event)
        elif isinstance(event, events.Key | events.Paste):
            await self.take_up(event)
        elif not isinstance(event, events.MouseEvent) or self._gate.admits(_repeatable_name(event), event.time):
            await super().on_event(event)

    async def handle_typed(self, event: Typed) -> None:
        if self._gate.admits(_repeatable_name(event), event.time):
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

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell the user something: in the footer of the screen, so that it covers neither table nor panes."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
        words = f"{title}: {message}" if title else message
        self.notices.append((time.time(), severity, words))
        self._say(words, _TONES[severity], timeout or _NOTICE_S)

    def _say(self, words: str, tone: str, seconds: float) -> None:
        """Show a notice in the footers; while the first screen is still being made, as soon as it has one."""
        from tui.widgets.footer import Footer

        footers = [footer for screen in self.screen_stack for footer in screen.query(Footer)]  # the top one may close
        for footer in footers:
            footer.say(words, tone, seconds)
        if not footers and self.is_running and self._end_code is None:
            self.set_timer(_FOOTER_S, partial(self._say, words, tone, seconds))

    def action_command_palette(self, typed: str = "") -> None:
        """Show the palette with the commands of the screen on top."""
        from tui.screens.command_line import CommandLine
        from tui.screens.mixins.page_keys import PageKeys

        screen, palette = self.screen, self.get_screen("palette")
        if isinstance(screen, PageKeys) and isinstance(palette, CommandLine):
            self.push_screen(palette.prepare(screen.commands, typed), lambda command: command and command.run())

    def search_themes(self) -> None:
        """Offer the themes."""
        self.action_command_palette("theme ")

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
