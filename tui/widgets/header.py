"""The top of the screen: host, the split of its CPU and memory, mode and what is special, and how several hosts are."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.rates import Moment
from tui.presenters.main_screen.header import Header, header_lines
from tui.presenters.main_screen.hosts_line import hosts_line
from tui.presenters.styled_lines import Run
from tui.themes.terminal_colors import Depth
from tui.widgets.text_lines import TextLines


class HeaderLines(TextLines):
    """Two lines, CPU and memory under each other, and one more where there are several hosts."""

    ground = "panel"
    DEFAULT_CSS = "HeaderLines { height: 2; background: $panel; }"

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only

    def show(
        self,
        moment: Moment | None,
        mode: str,
        interval_s: float,
        notes: Sequence[Run] = (),
        fleet: Moment | None = None,
        alone: str | None = None,
    ) -> None:
        """Show a moment.

        Args:
            moment: `None` before the first.
            mode: A word such as LIVE.
            interval_s: Seconds between frames.
            notes: What is special now, the most important last.
            fleet: The moment of all hosts, where there are several.
            alone: The host that is looked at alone.
        """
        has_colors = getattr(self.app, "depth", Depth.TRUE) is not Depth.NONE
        bar = "ascii" if self._ascii else "color" if has_colors else "mono"
        width = self.size.width or self.app.size.width
        lines = header_lines(moment, Header(mode, interval_s, notes, bar), width)
        self.show_lines([*lines, hosts_line(fleet, alone, width, self._ascii)] if fleet is not None else lines)
