"""How the window is laid out: wrapping, times, names, the part that is scrolled out at the left."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.model.logs import LogLine
from tui.presenters.logs.line import LogLook, styled_log_line
from tui.screens.logs.reader import LogReader
from tui.widgets.line_view import LineView

_STAMPS = ("", "local", "utc")
_SIDEWAYS = 20
"""Characters that Left and Right scroll by."""


class LogRows(LogReader):
    """A log screen that formats the lines of its window."""

    look = LogLook(80)

    def show_new(self, lines: Sequence[LogLine], dropped: int) -> None:
        del self._made[:dropped]
        self._make(lines)
        self._lay_out()

    def show_lines(self, dropped: int = 0) -> None:
        view = self.query_one(LineView)
        self.look = self.look._replace(width=max(20, view.size.width - 1))
        index = self.row_of(view.cursor) - dropped
        self._made = []
        self._make(self._window.lines)
        self._lay_out()
        if self._is_following:
            view.go_to_end()
        elif 0 <= index < len(self._made):
            view.go(self._rows.index(index))

    def _make(self, lines: Sequence[LogLine]) -> None:
        self._made += [styled_log_line(line, self.look) for line in lines]

    def _lay_out(self) -> None:
        """Show the formatted rows, and remember the line of each row."""
        self._rows = [index for index, rows in enumerate(self._made) for _ in rows]
        self.query_one(LineView).show([line for rows in self._made for line in rows])

    def row_of(self, cursor: int) -> int:
        """Return the index in the window of the line that a row of the view belongs to."""
        return self._rows[cursor] if cursor < len(self._rows) else 0

    def action_stamps(self) -> None:
        self._change_look(stamps=_STAMPS[(_STAMPS.index(self.look.stamps) + 1) % len(_STAMPS)])

    def action_wrap(self) -> None:
        self._change_look(is_wrapped=not self.look.is_wrapped, left=0)

    def action_sideways(self, step: int) -> None:
        if self.look.is_wrapped:
            self.notify("Lines are wrapped: w shows each on one row, which Left and Right scroll.", timeout=3)
        else:
            self._change_look(left=max(0, self.look.left + step * _SIDEWAYS))

    def _change_look(self, **changes: object) -> None:
        self.look = self.look._replace(**changes)  # type: ignore[arg-type]  # fields of LogLook
        self.show_lines()
        self.say("")
