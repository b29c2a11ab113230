"""A page of text over the main screen: help, where numbers come from, the sources. One screen, reused."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import TEXT_KEYS


class TextDialog(Dialog[None]):
    """Shows a page with a title; Esc, q or Enter closes it."""

    DEFAULT_CSS = """
    TextDialog { align: center middle; background: transparent; }
    TextDialog > VerticalScroll { width: 96%; max-width: 110; height: auto; max-height: 92%; background: $panel;
        border: round $focus; padding: 0 1; scrollbar-size-vertical: 1; }
    TextDialog Static { width: 1fr; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(TEXT_KEYS)]

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._page: RenderableType = ""

    def prepare(self, title: str, page: RenderableType) -> TextDialog:
        """Set what the next opening shows."""
        self._title, self._page = title, page
        return self

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static()

    def on_screen_resume(self) -> None:
        box = self.query_one(VerticalScroll)
        box.border_title = Text(f" {self._title} ")
        box.border_subtitle = Text(" Esc closes ")
        box.scroll_home(animate=False)
        self.query_one(Static).update(self._page)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
