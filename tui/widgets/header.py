"""The top of the screen: two lines with the host, the split of its CPU and memory, the mode and what is special."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.rates import Moment
from tui.presenters.main_screen.header import Header, header_lines
from tui.presenters.styled_lines import Run
from tui.themes.terminal_colors import Depth
from tui.widgets.text_lines import TextLines


class HeaderLines(TextLines):
    """Two lines: CPU and memory under each other."""

    ground = "panel"
    DEFAULT_CSS = "HeaderLines { height: 2; background: $panel; }"

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only

    def show(self, moment: Moment | None, mode: str, interval_s: float, notes: Sequence[Run] = ()) -> None:
        """Show a moment.

        Args:
            moment: `None` before the first.
            mode: A word such as LIVE.
            interval_s: Seconds between frames.
            notes: What is special now, the most important last.
        """
        has_colors = getattr(self.app, "depth", Depth.TRUE) is not Depth.NONE
        bar = "ascii" if self._ascii else "color" if has_colors else "mono"
        width = self.size.width or self.app.size.width
        self.show_lines(header_lines(moment, Header(mode, interval_s, notes, bar), width))
