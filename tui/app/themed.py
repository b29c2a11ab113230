"""An application in colours that fit its terminal: which theme is shown, and how it reaches the terminal."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from textual.filter import LineFilter
from textual.reactive import Reactive
from textual.theme import Theme

from tui.settings.paths import config_folder
from tui.terminal.driver import ask_background, background_of
from tui.terminal.output_filter import TerminalSafeFilter
from tui.terminal.painting import PaintingApp
from tui.themes.choice import AUTO, ThemeError, find_palette
from tui.themes.contrast import Rgb
from tui.themes.look import THEMES, Look, RoleTheme, theme_of
from tui.themes.palette import DARK, LIGHT, PALETTES, is_light
from tui.themes.terminal_colors import Depth, TerminalColors, depth_of

log = logging.getLogger(__name__)

ANSWER_S = 0.1
"""Seconds that the first screen waits for the terminal to tell its ground; without an answer it is taken for dark."""


_POLL_S = 0.01
_IS_LINUX_CONSOLE = os.environ.get("TERM") == "linux"


class ThemedApp(PaintingApp):
    """An application with vmtop's themes only.

    Args:
        theme: What the user chose: `auto`, a built-in theme, or one of the user's own.
        ascii_only: Draw with ASCII only.
    """

    theme = Reactive(THEMES[DARK].name)
    _own_theme: RoleTheme | None = None

    def __init__(self, theme: str, ascii_only: bool) -> None:
        super().__init__()
        self.theme_choice = AUTO
        """The theme that the user chose."""
        self.look: Look = THEMES[DARK].look
        """The styles of the present theme."""
        self.depth = Depth.NONE
        """The colours of the terminal; none until its ground is known, so that no other one is painted first."""
        self._colors = TerminalColors(self.look.palette, Depth.TRUE)
        self._safe_filter = TerminalSafeFilter(ascii_only)
        self._asked_at: float | None = None
        self._shown_ground: Rgb | None = None
        """The terminal's ground for which the theme was chosen; `None` for one that is unknown."""
        try:
            self._show_theme(theme)
        except ThemeError as error:  # its file is gone or was changed since it was chosen
            log.warning("%s", error)
            self._show_theme(AUTO)

    @property
    def available_themes(self) -> dict[str, Theme]:
        """The themes that style sheets may have: none of Textual's."""
        own = () if self._own_theme is None else (self._own_theme,)
        return {theme.name: theme for theme in (*THEMES.values(), *own)}

    def choose_theme(self, choice: str) -> None:
        """Change the theme at once.

        Args:
            choice: As for the app.

        Raises:
            ThemeError: There is no such theme, or it is not well-formed; says what is allowed.
        """
        self._show_theme(choice)
        if choice == AUTO and background_of(self) is None:
            self.ask_for_ground()

    def _show_theme(self, choice: str) -> None:
        ground = self._shown_ground = background_of(self)
        palette = None if choice == AUTO else find_palette(choice, config_folder())
        # without an answer: whoever wants a light theme has a light terminal
        is_ground_light = is_light(ground) if ground is not None else palette is not None and palette.is_light
        if palette is None or self.depth in (Depth.FEW, Depth.NONE):  # no colour of the theme is shown then
            palette = PALETTES[LIGHT if is_ground_light else DARK]
        theme = THEMES[palette.name] if palette.name in THEMES else theme_of(palette)
        self.theme_choice, self.look = choice, theme.look
        has_dim = not _IS_LINUX_CONSOLE  # it shows dim text at 2.8:1
        self._colors = TerminalColors(palette, self.depth, is_ground_light, has_dim)
        if theme.choice not in THEMES:
            self._own_theme = theme
        if not self.is_running:
            self.set_reactive(ThemedApp.theme, theme.name)
            return
        self.theme = theme.name
        self.refresh_css(animate=False)
        self._restyle()

    def _restyle(self) -> None:
        """Have every widget painted again: in style sheets, nothing may have changed for those that paint by role."""
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.notify_style_update()
                widget.refresh()

    def on_mount(self) -> None:
        """Ask for the terminal's ground; without a terminal, as in tests and pictures, show all colours."""
        if self.is_headless:
            self.depth = Depth.TRUE
            self._show_theme(self.theme_choice)
        else:
            self.ask_for_ground()

    def ask_for_ground(self) -> None:
        """Ask the terminal for its ground, which decides between dark and light."""
        if _IS_LINUX_CONSOLE:
            return  # it does not answer, and an old one would print the question
        depth = depth_of(self.console.color_system)
        if depth is Depth.FEW or (depth is not Depth.NONE and self.theme_choice == AUTO):
            self._asked_at = time.monotonic() if ask_background(self) else None

    def call_with_ground(self, callback: Callable[[], object]) -> None:
        """Call back when the terminal has told its ground, at once if it will not: the first screen needs no second."""
        ends_at = 0.0 if self._asked_at is None else self._asked_at + ANSWER_S
        left_s = 0.0 if background_of(self) else ends_at - time.monotonic()
        if left_s > 0:
            self.set_timer(min(left_s, _POLL_S), partial(self.call_with_ground, callback))
            return
        self.depth = depth_of(self.console.color_system)
        self._show_theme(self.theme_choice)
        callback()

    def on_background_answered(self) -> None:
        """Choose between dark and light as the terminal has answered."""
        if self.depth is not Depth.NONE and self._shown_ground != background_of(self):
            self._show_theme(self.theme_choice)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what each line goes through; Textual's filters would give it colours of their own."""
        return [self._colors, self._safe_filter]

    def clean(self, text: str) -> str:
        return self._safe_filter.clean(text)
