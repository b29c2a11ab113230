"""The dialog of columns: Space shows or hides one, J and K move it, typing finds one. One screen, reused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import COLUMN_PICKER_KEYS, COLUMNS
from tui.keys.in_use import keys_of, rows_of
from tui.presenters.table.column_choice import ColumnChoice, ColumnRow
from tui.widgets.line_view import LineView


class _Search(Input):
    """Takes what is typed, but for the keys that choose and move."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        chosen = {key for row in rows_of(self.app, COLUMNS) if row.has_priority for key in row.keys.split(",")}
        return key not in chosen and super().check_consume_key(key, character)


class ColumnPicker(Dialog[tuple[str, ...] | None]):
    """Returns the columns in their order, or `None`."""

    DEFAULT_CSS = """
    ColumnPicker { align: center middle; background: transparent; }
    ColumnPicker > Vertical { width: 96%; max-width: 100; height: 90%; background: $panel; border: round $focus; }
    ColumnPicker Input { height: 1; border: none; padding: 0 1; background: $panel; &:focus { border: none; } }
    ColumnPicker LineView { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(COLUMN_PICKER_KEYS)]

    def __init__(self) -> None:
        super().__init__()
        self._choice = ColumnChoice(("name",), 80, {})
        self._rows: Sequence[ColumnRow] = ()

    def prepare(self, keys: Sequence[str], width: int, presets: Mapping[str, Sequence[str]]) -> ColumnPicker:
        """Set what the next opening shows (see `ColumnChoice`)."""
        self._choice = ColumnChoice(keys, width, presets)
        return self

    def compose(self) -> ComposeResult:
        with Vertical():
            yield _Search(placeholder="type to find a column or a set of columns")
            yield LineView(has_cursor=True)

    def on_screen_resume(self) -> None:
        box = self.query_one(Vertical)
        box.border_title = Text(" Columns ")
        field = self.query_one(_Search)
        field.value = ""
        field.focus()
        self.query_one(LineView).cursor = 0
        self._show()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show()
        self.query_one(LineView).go(0)

    def _show(self) -> None:
        self._rows = self._choice.rows(self.query_one(_Search).value)
        self.query_one(LineView).show([row.line for row in self._rows])
        tick, shift = keys_of(self.app, COLUMNS, "tick"), keys_of(self.app, COLUMNS, "column_right", "column_left")
        keys = f"{tick} on or off, {shift} move, Enter takes it, Esc leaves"
        box = self.query_one(Vertical)
        box.border_title = Text(f" Columns: {self._choice.summary()} ")
        box.border_subtitle = Text(f" {keys} ")

    def _row(self) -> ColumnRow | None:
        cursor = self.query_one(LineView).cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    def action_tick(self) -> None:
        row = self._row()
        if row is not None:
            self._choice.choose(row)
            self._show()

    def action_shift(self, step: int) -> None:
        """Move the column under the cursor; the cursor stays on it."""
        row = self._row()
        if row is None or not row.key:
            return
        self._choice.move(row.key, step)
        self._show()
        keys = [other.key for other in self._rows]
        self.query_one(LineView).go(keys.index(row.key))

    @on(LineView.Clicked)
    def _clicked(self) -> None:
        self.query_one(_Search).focus()
        self.action_tick()

    @on(Input.Submitted)
    def _taken(self) -> None:
        row = self._row()
        if row is not None and row.preset:
            self._choice.choose(row)
        self.dismiss(tuple(self._choice.keys))

    def action_move(self, lines: int) -> None:
        self.query_one(LineView).action_move(lines)

    def action_page(self, pages: float) -> None:
        self.query_one(LineView).action_page(pages)

    def action_close(self) -> None:
        self.dismiss(None)
