"""Lines of text that change every tick, painted by the line API; a `Static` costs several times as much per line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal.painting import Styled, repaint


class TextLines(Widget):
    """Shows lines; repaints only those that changed."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._texts: list[Text] = []
        self._strips: dict[int, Strip] = {}
        self._ground: Style | None = None
        """Cached style of the widget; `None` until it is needed again."""

    def show_lines(self, lines: Sequence[Text]) -> None:
        """Show these lines from the top; lines wider than the widget are cut."""
        before, self._texts = self._texts, list(lines)
        changed = [
            y
            for y, (old, new) in enumerate(zip_longest(before, lines))
            if y not in self._strips or old != new or old.style != new.style
        ]
        for y in changed:
            self._strips.pop(y, None)
        repaint(self, changed, self._pieces)

    def _pieces(self, y: int) -> list[Styled]:
        return [(text, style or Style.null()) for text, style, _ in self.render_line(y)]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._ground = None

    def on_resize(self) -> None:
        self._strips.clear()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._texts)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            if self._ground is None:
                self._ground = self.rich_style
            width, style = self.size.width, self._ground
            segments = self._texts[y].render(self.app.console, end="") if y < len(self._texts) else ()
            strip = Strip(segments).adjust_cell_length(width, style).apply_style(style)
            self._strips[y] = strip
        return strip
