"""Bare metal, machines and containers side by side, and the details of the row under the cursor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from collectors.comparison.findings import Finding
from collectors.comparison.workload_classes import Classes
from collectors.model.errors import SourceError
from collectors.session.format import SessionError
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import CLASSES, TABLES
from tui.presenters.comparison.class_details import detail_lines, finding_lines, finding_rule, rule, workload_lines
from tui.presenters.comparison.class_table import ClassRow, finding_rows, heading, rows_of, table_lines
from tui.presenters.styled_lines import Line, cut, plain_text
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.row_view import RowView
from tui.widgets.text_lines import TextLines, TitleLine

_PROGRESS_EVERY_S = 0.2
_DETAILS_LEAST, _DETAILS_MOST = 5, 13
_OTHER_LINES = 4
"""Title, heading, rule, footer."""


class ClassesScreen(PageKeys, AnsweredOnce, Screen[None]):
    """Measures the classes on a thread, showing progress, then shows them.

    Args:
        work: Measures the classes; blocking. Calls its argument with the number of workloads read.
        total: Number of workloads to read.
        span: The time that the values are of, in words.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    ClassesScreen { layout: vertical; }
    ClassesScreen #rule { height: 1; }
    """
    key_table = CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CLASSES)]

    def __init__(
        self, work: Callable[[Callable[[int], None]], Classes], total: int, span: str = "", ascii_only: bool = False
    ) -> None:
        super().__init__()
        self.is_ascii = ascii_only
        self._work = work
        self._total = total
        self._span = span
        self._done = 0
        self._measured: Classes | None = None
        self._failure = ""
        """Why nothing could be measured; empty if it could."""
        self._rows: list[ClassRow] = []
        self._is_only_different = False

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield TitleLine(id="heading")
        yield RowView()
        yield TextLines(id="rule")
        yield TextLines(id="details")
        yield Footer(TABLES[CLASSES])

    def on_mount(self) -> None:
        self.query_one(RowView).focus()
        self._progress_timer = self.set_interval(_PROGRESS_EVERY_S, self._show_progress)
        self._show_progress()
        self.run_worker(self._measure(), group="classes", exclusive=True)

    async def _measure(self) -> None:
        try:
            self._measured = await run_blocking(partial(self._work, self._count))
        except (SourceError, SessionError) as error:
            self._failure = str(error)
        if is_up(self):
            self._progress_timer.stop()
            self._rows = rows_of(self._measured) if self._measured is not None else []
            self._redraw()

    def _count(self, done: int) -> None:
        self._done = done

    def _title(self, words: str, tone: str = "muted") -> None:
        line: Line = [(" Bare metal, machines, containers", "title"), (f"  {words}", tone)]
        self.query_one("#title", TextLines).show_lines([cut(line, self.size.width)])

    def _show_progress(self) -> None:
        if self._failure:
            self._title(f"cannot be measured: {self._failure}", "bad")
        elif self._measured is None:
            share = f": {self._done} of {self._total} workloads" if self._total else ""
            self._title(f"measuring{share} ...")

    def on_resize(self) -> None:
        room = self.size.height - _OTHER_LINES
        self.query_one("#details").styles.height = min(_DETAILS_MOST, max(_DETAILS_LEAST, room * 2 // 5))
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        self._show_progress()
        measured, width = self._measured, self.size.width
        if measured is None:
            return
        if not any(measured.members.values()):
            self._title("nothing runs here to compare")
            return
        self._title(f"median of each class, {self._span}".rstrip(", "))
        self.query_one("#heading", TextLines).show_lines([cut(heading(width), width)])
        lines, rows = table_lines(self._shown_rows(), width)
        more_lines, findings = finding_rows(measured.findings, width)
        self.query_one(RowView).show_rows([*lines, *more_lines], [*map(_key, rows), *findings])
        self.show_details()

    def _shown_rows(self) -> list[ClassRow]:
        return [row for row in self._rows if row.is_different or not self._is_only_different]

    def row(self) -> ClassRow | Finding | None:
        """Return the row or the finding under the cursor; `None` while nothing is measured."""
        chosen = self.query_one(RowView).chosen
        if isinstance(chosen, Finding):
            return chosen
        return next((row for row in self._rows if row.type.name == chosen), None)

    @on(LineView.Moved)
    def show_details(self) -> None:
        """Show the details of the row under the cursor."""
        row, width, details = self.row(), self.size.width, self.query_one("#details", TextLines)
        if row is None:
            return
        if isinstance(row, Finding):
            line, below = finding_rule(row, width, self.is_ascii), finding_lines(row, width)
        else:
            line = rule(row, width, self.is_ascii)
            below = detail_lines(row, width, details.size.height, self.is_ascii)
        self.query_one("#rule", TextLines).show_lines([line])
        details.show_lines(below)

    def action_workloads(self) -> None:
        """Show the value of each workload in the row under the cursor."""
        row = self.row()
        if isinstance(row, ClassRow) and any(row.values.values()):
            self.open_panel(f"{row.type.name}: every workload", Text("\n".join(workload_lines(row))))

    def action_only_different(self) -> None:
        self._is_only_different = not self._is_only_different
        self._redraw()

    def action_copy(self) -> None:
        """Copy the table as text."""
        if self._measured is not None:
            width = self.size.width
            lines = [heading(width), *table_lines(self._shown_rows(), width)[0]]
            self.app.copy_to_clipboard("\n".join(plain_text(line).rstrip() for line in lines))
            self.notify("copied the table, if the terminal allows it", timeout=3)

    def action_close(self) -> None:
        self.dismiss(None)


def _key(row: ClassRow | None) -> str | None:
    return None if row is None else row.type.name
