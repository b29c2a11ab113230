"""The line under the header that the first runs show."""

from __future__ import annotations

from collections.abc import Iterable

from tui.keys.key import Key
from tui.presenters.pages.first_run import first_run_line
from tui.widgets.text_lines import TextLines


class FirstRunLine(TextLines):
    """Shows the keys that a newcomer needs; hidden unless it is asked for."""

    DEFAULT_CSS = "FirstRunLine { height: 1; background: $panel; display: none; }"
    ground = "panel"

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Key, ...] = ()

    def welcome(self, rows: Iterable[Key]) -> None:
        """Show the keys."""
        self._rows = tuple(rows)
        self.display = True

    def on_resize(self) -> None:
        super().on_resize()
        self.show_lines([first_run_line(self._rows, self.size.width)])
