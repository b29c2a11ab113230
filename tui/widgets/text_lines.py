"""Lines of text that change every tick, painted by the line API; a `Static` costs several times as much per line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap, zip_longest
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.presenters.styled_lines import Line
from tui.terminal.painting import Styled, repaint
from tui.themes.look import look_of


class TextLines(Widget):
    """Shows lines; repaints only those that changed."""

    ALLOW_SELECT = False
    ground: ClassVar[str] = "background"
    """The role of the ground of its lines; a style sheet gives the widget the same."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        """Lines that Textual has asked for."""
        self._made: set[int] = set()
        """Lines that were painted as they are now."""

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines from the top; lines wider than the widget are cut."""
        before, self._lines = self._lines, list(lines)
        changed = [y for y, (old, new) in enumerate(zip_longest(before, lines)) if y not in self._made or old != new]
        for y in changed:
            self._strips.pop(y, None)
        repaint(self, changed, self._pieces)

    def _pieces(self, y: int) -> list[Styled]:
        """Make a line, as wide as the widget."""
        self._made.add(y)
        look, ground, runs = look_of(self.app), self.ground, self._lines[y] if y < len(self._lines) else ()
        pieces = [(text, look.style(tone, ground)) for text, tone in runs]
        rest = self.size.width - sum([cell_len(text) for text, _ in runs])
        if rest >= 0:
            return [*pieces, (" " * rest, look.style("text", ground))]
        cut = Strip(starmap(Segment, pieces)).crop(0, self.size.width)
        return [(text, style or Style.null()) for text, style, _ in cut]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget()

    def on_resize(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._strips.clear()
        self._made.clear()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = Strip(starmap(Segment, self._pieces(y)), self.size.width)
        return strip


class TitleLine(TextLines):
    """One line at the top of a screen."""

    DEFAULT_CSS = "TitleLine { height: 1; background: $panel; }"
    ground = "panel"
