"""Lines of text that change every tick, painted by the line API: a `Static` costs several times as much for each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class PaintedLines(Widget):
    """Shows lines; only those that differ from what is shown are painted anew."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._texts: list[Text] = []
        self._strips: dict[int, Strip] = {}

    def show_lines(self, lines: Sequence[Text]) -> None:
        """Show these lines, from the top; what is longer than the widget is cut."""
        before, self._texts = self._texts, list(lines)
        for place in range(max(len(before), len(lines))):
            if before[place : place + 1] == self._texts[place : place + 1] and place in self._strips:
                continue
            self._strips.pop(place, None)
            self.refresh(Region(0, place, self.size.width, 1))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        self._strips.clear()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._texts)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            width, style = self.size.width, self.rich_style
            segments = self._texts[y].render(self.app.console, end="") if y < len(self._texts) else ()
            strip = Strip(segments).adjust_cell_length(width, style).apply_style(style)
            self._strips[y] = strip
        return strip
