"""Bare metal, virtual machines and containers beside each other; of the row under the cursor, how it was measured."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from collectors.facts.classes import Classes
from tui.classes_text import TableLine, how_told, table
from tui.compare_text import wrapped
from tui.widgets.line_view import LineView

_WIDEST = 140
_HOW_LINES = 6


class ClassesScreen(Screen[None]):
    """Shows the comparison of classes.

    Args:
        classes: What was measured.
    """

    DEFAULT_CSS = f"""
    ClassesScreen {{ layout: vertical; }}
    ClassesScreen > Static {{ height: 1; background: $primary-background; }}
    ClassesScreen #title {{ text-style: bold; }}
    ClassesScreen #how {{ height: {_HOW_LINES}; background: $surface; padding: 0 1; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,equals_sign", "close", "back")]

    def __init__(self, classes: Classes) -> None:
        super().__init__()
        self._classes_shown = classes
        self._lines: list[TableLine] = []

    def compose(self) -> ComposeResult:
        yield Static(Text(" Bare metal, virtual machines, containers: each value measured on this host"), id="title")
        yield LineView(has_cursor=True)
        yield Static(id="how")
        yield Static(Text(" j k row: how it was measured  Esc back", no_wrap=True), id="footer")

    def on_mount(self) -> None:
        view = self.query_one(LineView)
        view.focus()
        view.cursor = 1

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        view = self.query_one(LineView)
        self._lines = table(self._classes_shown, min(_WIDEST, max(40, self.size.width - 2)))
        view.show([[(f" {line.text}", "title" if not place else "plain")] for place, line in enumerate(self._lines)])
        self.tell_how()

    @on(LineView.Moved)
    def tell_how(self) -> None:
        """Show how the row under the cursor was measured."""
        place = self.query_one(LineView).cursor
        row = self._lines[place].row if place < len(self._lines) else None
        lines: list[str] = []
        for line in how_told(self._classes_shown, row) if row is not None else ():
            lines += wrapped(line, max(20, self.size.width - 2))
        self.query_one("#how", Static).update(Text("\n".join(lines[:_HOW_LINES])))

    def action_close(self) -> None:
        self.dismiss(None)
