"""A view of any number of coloured lines; only visible ones are rendered. Used for details, logs and documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keys.bindings import bound
from tui.keys.shared import LINES
from tui.presenters.styled_lines import Line
from tui.themes.look import look_of

_MATCH = Style(reverse=True)


class LineView(ScrollView, can_focus=True):
    """Shows lines; with `has_cursor`, one of them has the cursor."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineView { height: 1fr; width: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(LINES)]

    class Moved(Message):
        """The cursor, or without one the first visible line, has moved by a key or the mouse."""

    class Clicked(Message):
        """A line was clicked; the cursor is on it."""

    def __init__(self, has_cursor: bool = False, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.has_cursor = has_cursor
        self.lines: Sequence[Line] = ()
        self.cursor = 0
        self.needle = ""
        """Text to highlight wherever it occurs, ignoring case; empty highlights nothing."""

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; the cursor keeps its index, or moves to the last line if there are fewer."""
        self.lines = lines
        self.cursor = max(0, min(self.cursor, len(lines) - 1))
        self.virtual_size = Size(1, len(lines))
        self.refresh()

    @property
    def page(self) -> int:
        """Number of visible lines, at least 1."""
        return max(1, self.scrollable_content_region.height)

    @property
    def top(self) -> int:
        """Index of the first visible line."""
        return int(self.scroll_offset.y)

    def go(self, index: int) -> None:
        """Move the cursor to a line; without a cursor, scroll so that the line is the first visible one."""
        index = max(0, min(index, len(self.lines) - 1))
        if not self.has_cursor:
            self.scroll_to(y=index, animate=False, immediate=True, force=True)
            return
        self.cursor = index
        top = self.top
        if index < top or index >= top + self.page:
            self.scroll_to(y=index if index < top else index - self.page + 1, animate=False, immediate=True, force=True)
        self.refresh()

    def go_to_end(self) -> None:
        """Show the last lines."""
        if self.has_cursor:
            self.go(len(self.lines) - 1)
        else:
            self.scroll_to(y=max(0, len(self.lines) - self.page), animate=False, immediate=True, force=True)

    def action_move(self, lines: int) -> None:
        self._go(lines)

    def action_page(self, pages: float) -> None:
        self._go(int(pages * self.page))

    def action_edge(self, side: int) -> None:
        self.go(0) if side < 0 else self.go_to_end()
        self.post_message(self.Moved())

    def _go(self, lines: int) -> None:
        if self.has_cursor:
            self.go(self.cursor + lines)
        else:
            self.go(min(self.top + lines, max(0, len(self.lines) - self.page)))
        self.post_message(self.Moved())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._go(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._go(3)

    def on_click(self, event: events.Click) -> None:
        if self.has_cursor and event.y + self.top < len(self.lines):
            self.go(event.y + self.top)
            self.post_message(self.Moved())
            self.post_message(self.Clicked())

    def repaint(self) -> None:
        """Repaint after the needle or a line changed in place."""
        self.refresh(Region(0, 0, self.size.width, self.size.height))

    def render_line(self, y: int) -> Strip:
        """Return one visible line."""
        width = self.scrollable_content_region.width
        look, index = look_of(self.app), y + self.top
        if index >= len(self.lines):
            return Strip.blank(width, look.style("text"))
        ground = "cursor" if self.has_cursor and index == self.cursor else "background"
        segments: list[Segment] = []
        for text, tone in self.lines[index]:
            segments += self._highlighted(text, look.style(tone, ground))
        return Strip(segments).adjust_cell_length(width, look.style("text", ground))

    def _highlighted(self, text: str, style: Style) -> list[Segment]:
        """Split a run so that the needle stands out."""
        needle = self.needle.lower()
        if not needle or needle not in text.lower():
            return [Segment(text, style)]
        segments: list[Segment] = []
        lower, start = text.lower(), 0
        if len(lower) != len(text):  # some letters change length with case
            return [Segment(text, style + _MATCH)]
        while (match := lower.find(needle, start)) >= 0:
            segments.append(Segment(text[start:match], style))
            segments.append(Segment(text[match : match + len(needle)], style + _MATCH))
            start = match + len(needle)
        segments.append(Segment(text[start:], style))
        return segments
