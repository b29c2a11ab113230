"""Lines of text that change every tick, painted by the line API: a `Static` costs several times as much for each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
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
            start, end = 0, self.size.width
            if place in self._strips and place < min(len(before), len(lines)):
                start, end = changed(before[place], lines[place], end)
            if start < end:
                self._strips.pop(place, None)
                self.refresh(Region(start, place, end - start, 1))

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


def changed(before: Text, after: Text, width: int) -> tuple[int, int]:
    """Return the columns from and to which two lines differ; the same number twice if they do not."""
    if before == after and before.style == after.style:
        return 0, 0
    old, new = before.plain, after.plain
    is_restyled = before.spans != after.spans or before.style != after.style
    if is_restyled or len(old) != len(new) or cell_len(old) != len(old) or cell_len(new) != len(new):
        return 0, width
    differing = [place for place, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]]
    return (differing[0], min(width, differing[-1] + 1)) if differing else (0, 0)
