"""A view of rows under headings: the cursor goes from row to row, and stays with its row when lines come and go."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from tui.presenters.styled_lines import Line
from tui.widgets.line_view import LineView


class RowView(LineView):
    """Shows lines of which some are rows that can be chosen; the others are headings."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(has_cursor=True, id=id)
        self._rows: Sequence[Hashable | None] = ()

    @property
    def chosen(self) -> Hashable | None:
        """What the line under the cursor stands for; `None` if there are no rows."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def show_rows(self, lines: Sequence[Line], rows: Sequence[Hashable | None]) -> None:
        """Show lines and what each one stands for, `None` for a heading; the cursor stays with what it is on."""
        before, is_first = self.chosen, not any(row is not None for row in self._rows)
        self._rows = rows
        self.show(lines)
        if before is not None and self.chosen != before and before in rows:
            self.go(list(rows).index(before))
        elif self.chosen is None:
            self.go(0 if is_first else self.cursor)

    def go(self, index: int) -> None:
        """Move to a row; from a heading, on in the direction of the move, or back if there is none."""
        index = max(0, min(index, len(self.lines) - 1))
        step = -1 if index < self.cursor else 1
        for direction in (step, -step):
            target = index
            while 0 <= target < len(self._rows) and self._rows[target] is None:
                target += direction
            if 0 <= target < len(self._rows):
                break
        else:
            target = index
        super().go(target)
        if all(row is None for row in self._rows[:target]):
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
