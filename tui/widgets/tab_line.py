"""A line of words that can be clicked: the pages of a screen, and choices at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events

from tui.presenters.styled_lines import Run
from tui.widgets.text_lines import TextLines


class Tab(NamedTuple):
    """One word."""

    text: str
    action: str
    """Of the screen, with its parameters; what a click does."""
    is_chosen: bool = False


class TabLine(TextLines):
    """Shows tabs at the left, and others at the right where there is room for all."""

    DEFAULT_CSS = "TabLine { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._places: list[tuple[int, Tab]] = []
        """Where each tab begins, in cells."""

    def show_tabs(self, left: Sequence[Tab], right: Sequence[Tab] = ()) -> None:
        """Show tabs; a chosen one at the right stands out in reverse."""
        width = self.size.width or self.app.size.width
        gap = width - sum(cell_len(tab.text) + 2 for tab in (*left, *right)) - 1
        runs: list[Run] = []
        self._places, x = [], 0
        for tab in (*left, None, *(right if gap > 0 else ())):
            if tab is None:
                text, tone = " " * max(0, gap), "text"
            else:
                self._places.append((x, tab))
                text = f" {tab.text} "
                chosen = "accent bold reverse" if tab in right else "accent bold underline"
                tone = chosen if tab.is_chosen else "muted"
            runs.append((text, tone))
            x += cell_len(text)
        self.show_lines([runs])

    async def on_click(self, event: events.Click) -> None:
        """Do what the tab under the mouse does."""
        for x, tab in self._places:
            if x <= event.x < x + cell_len(tab.text) + 2:
                event.stop()
                await self.screen.run_action(tab.action)
                return
