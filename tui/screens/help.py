"""The help of the screen below: type to search, Esc closes. One screen, reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from tui.dialogs.base import Dialog
from tui.keys.bindings import bindings
from tui.keys.key import Key
from tui.keys.tables import HELP_PAGE, LIVE, TABLES
from tui.presenters.pages.help_page import Section, help_lines, help_sections, matching
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView


class _Search(Input):
    """Takes what is typed, but leaves `?`, and `q` while it is empty, to the screen."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        is_leaving = key == "question_mark" or (key == "q" and not self.value)
        return not is_leaving and super().check_consume_key(key, character)


class HelpScreen(Dialog[None]):
    """Shows the keys of a screen, and what its signs, colours and columns mean."""

    DEFAULT_CSS = """
    HelpScreen { layout: vertical; background: $background; }
    HelpScreen #title { height: 1; background: $panel; text-style: bold; }
    HelpScreen Input { height: 1; border: none; padding: 0 1; background: $panel; &:focus { border: none; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HELP_PAGE, has_lines=False)]

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._sections: list[Section] = []

    def prepare(self, title: str, screen: str, rows: Sequence[Key]) -> HelpScreen:
        """Set what the next opening explains.

        Args:
            title: What the screen is.
            screen: Its name in `TABLES`.
            rows: Its keys.
        """
        self._title, self._sections = title, help_sections(screen or LIVE, rows)
        return self

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield _Search(placeholder="type to search: a key, a sign, a column, a word")
        yield LineView()
        yield Footer(TABLES[HELP_PAGE])

    def on_screen_resume(self) -> None:
        self.query_one("#title", Static).update(Text(f" Help  {self._title}", no_wrap=True))
        self.query_one(Input).value = ""
        self.query_one(Input).focus()
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @on(Input.Changed)
    def _show(self) -> None:
        """Show what matches, from the top."""
        typed, view = self.query_one(Input).value, self.query_one(LineView)
        found = matching(self._sections, typed)
        lines = help_lines(found, max(1, self.size.width - 1))
        view.needle = typed.strip() if len(typed.split()) == 1 else ""
        view.show(lines or [[(f" Nothing about {typed.strip()!r} here. Esc clears the search.", "text")]])
        view.go(0)

    @on(Input.Submitted)
    def action_leave(self) -> None:
        self.dismiss(None)

    def action_close(self) -> None:
        """Clear the search; without one, close."""
        if self.query_one(Input).value:
            self.query_one(Input).value = ""
        else:
            self.dismiss(None)

    def action_move(self, lines: int) -> None:
        self.query_one(LineView).action_move(lines)

    def action_page(self, pages: float) -> None:
        self.query_one(LineView).action_page(pages)
