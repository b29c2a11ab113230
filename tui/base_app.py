"""What the live application and the replay share: screens, the palette, a clean end whatever happens."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from textual._styles_cache import StylesCache
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import Screen

from collectors.metrics import METRICS
from collectors.text import inert
from tui.keys import APP_ACTIONS, LIVE, keys_of, shown
from tui.means import state_folder
from tui.options import ScreenOptions
from tui.outlet import Outlet
from tui.screens.ask import Ask
from tui.screens.browser import Browser
from tui.screens.choice import Choice
from tui.screens.panel import Panel

log = logging.getLogger(__name__)

_SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}


class BaseApp(App[int]):
    """An application with one main screen.

    Args:
        options: From the command line.
    """

    TITLE = "vmtop"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False, id=key.action)
        for key in keys_of(LIVE)
        if key.action in APP_ACTIONS
    ]

    def __init__(self, options: ScreenOptions) -> None:
        super().__init__()
        self.options = options
        self.failure = ""
        """Why the screen ended by itself; a sentence."""
        self.animation_level = "none"
        self._filters.append(Outlet(options.ascii))

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.install_screen(Panel(), "panel")
        self.install_screen(Choice(), "choice")
        self.install_screen(Ask(), "ask")
        self.handle_signals()
        self.push_screen(self.main_screen())

    def main_screen(self) -> Screen[None]:
        """Return the screen to begin with."""
        raise NotImplementedError

    def handle_signals(self) -> None:
        """Let a signal end the screen in order; needed again after something else had the terminal."""
        loop = asyncio.get_running_loop()
        for number, code in _SIGNALS.items():
            loop.add_signal_handler(number, partial(self.exit, code, code))

    def pop_screen(self) -> AwaitComplete:
        """Close a screen and let go of all that it painted.

        Textual remembers two colours of each widget in a table that holds on to the widget's own lines: up to 1,024
        widgets that are long closed, which is some 130 MiB after a hundred screens.
        """
        closed = super().pop_screen()
        forget = getattr(StylesCache.get_inner_outer, "cache_clear", None)
        if forget is not None:  # not in a Textual that has no such table
            forget()
        return closed

    def _fatal_error(self) -> None:
        """End with a sentence. Textual would print a traceback with local variables, which may hold secrets."""
        log.exception("the screen failed")
        error = sys.exc_info()[1]
        self.failure = f"vmtop: the screen failed: {type(error).__name__}: {inert(str(error))}"
        self.panic()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key's action, and sorting by every metric, in the palette."""
        if isinstance(screen, Browser):
            for key in keys_of(screen.where):
                if key.action != "command_palette" and "move" not in key.action:
                    title = f"{key.label or key.action.partition('(')[0].replace('_', ' ')}: {key.help}"
                    yield SystemCommand(title, shown(key.keys), partial(screen.run_action, key.action))
            for metric in METRICS.values():
                yield SystemCommand(f"Sort by {metric.alias}", metric.help, partial(screen.action_sort, metric.key))
            yield SystemCommand("Theme", "change the colours", self.action_change_theme)

    def run_to_end(self) -> int:
        """Run until the person leaves; return the process's exit code."""
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
        with _quiet_stderr():
            self.run(mouse=self.options.mouse)
        if self.failure:
            sys.stderr.write(f"{self.failure}; {state_folder() / 'vmtop.log'} has more\n")
        return self.return_code or 0


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """While the screen is up, send what libraries write to descriptor 2 to the log; Textual keeps the terminal."""
    path = state_folder() / "vmtop.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    terminal = os.dup(2)
    original = sys.__stderr__
    vars(sys)["__stderr__"] = os.fdopen(terminal, "w", encoding="utf-8", errors="replace")
    os.dup2(log, 2)
    logging.basicConfig(stream=os.fdopen(log, "a"), level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        vars(sys)["__stderr__"] = original
