"""The last line of every screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import events
from textual.app import App

from tui.keys.key import Key, with_user_keys
from tui.presenters.footer import FooterPiece, action_at, footer_pieces
from tui.presenters.styled_lines import Run
from tui.widgets.text_lines import TextLines


def user_keys(app: App[Any]) -> dict[str, str]:
    """Return the user's keys, separated by commas, by the names of the actions; empty without any."""
    return getattr(app, "user_keys", {})


class Footer(TextLines):
    """Shows the keys of a screen; each word can be clicked."""

    DEFAULT_CSS = "Footer { height: 1; dock: bottom; background: $panel; }"
    ground = "panel"

    def __init__(self, rows: Iterable[Key] = ()) -> None:
        super().__init__(id="footer")
        self._rows = tuple(rows)
        self._pieces_shown: list[FooterPiece] = []

    def show(self, rows: Iterable[Key]) -> None:
        """Show these keys."""
        self._rows = tuple(rows)
        self._lay_out()

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        super().on_resize()
        self._lay_out()

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        self._pieces_shown = footer_pieces(with_user_keys(self._rows, user_keys(self.app)), self.size.width)
        line: list[Run] = []
        x = 0
        for piece in self._pieces_shown:
            line += [(" " * (piece.x - x), "text"), (piece.text, "accent bold" if piece.is_key else "text")]
            x = piece.x + len(piece.text)
        self.show_lines([line])

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        action = action_at(self._pieces_shown, event.x)
        if action:
            event.stop()
            self.screen.call_next(self.screen.run_action, action)
