"""A widget that shows a painted chart."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.presenters.chart import Painted
from tui.themes.look import look_of


class ChartView(Widget):
    """Shows painted lines unchanged."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ChartView { height: 1fr; width: 1fr; background: $background; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._painted: Painted = []

    def show(self, painted: Painted) -> None:
        """Show another chart; repaints only if it differs."""
        if painted != self._painted:
            self._painted = painted
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        style = look_of(self.app).style
        runs = self._painted[y] if y < len(self._painted) else []
        segments = [Segment(text, style(tone)) for text, tone in runs]
        return Strip(segments).adjust_cell_length(self.size.width, style("text"))
