"""A widget that shows a painted chart."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.presenters.chart import Painted


class ChartView(Widget):
    """Shows painted lines unchanged."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"picture--{tone}"
        for tone in ("dim", "bad", "cpu", "warn", "accent", *(f"side{number}" for number in range(1, 9)))
    }
    DEFAULT_CSS = """
    ChartView { height: 1fr; width: 1fr;
        & > .picture--dim { color: $foreground 55%; }
        & > .picture--bad { color: $error; }
        & > .picture--cpu { color: $success; }
        & > .picture--warn { color: $warning; }
        & > .picture--accent { color: $accent; }
        & > .picture--side1 { color: $success; }
        & > .picture--side2 { color: $warning; }
        & > .picture--side3 { color: $primary-lighten-2; }
        & > .picture--side4 { color: $error; }
        & > .picture--side5 { color: $secondary-lighten-2; }
        & > .picture--side6 { color: $accent; }
        & > .picture--side7 { color: $foreground; }
        & > .picture--side8 { color: $success-darken-2; }
    }
    """

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
        runs = self._painted[y] if y < len(self._painted) else []
        segments = [
            Segment(text, self.get_component_rich_style(f"picture--{tone}", partial=True)) for text, tone in runs
        ]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)
