"""Bare metal, virtual machines and containers side by side, and how the row under the cursor was measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from collectors.comparison.workload_classes import Classes
from collectors.model.errors import SourceError
from collectors.session.format import SessionError
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import CLASSES, TABLES
from tui.presenters.compare import wrapped
from tui.presenters.workload_classes import TableLine, measurement_lines, table
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView

_WIDEST = 140
_HOW_LINES = 6
_PROGRESS_EVERY_S = 0.2


class ClassesScreen(PageKeys, AnsweredOnce, Screen[None]):
    """Measures the classes on a thread, showing progress, then shows them.

    Args:
        work: Measures the classes; blocking. Calls its argument with the number of workloads read.
        total: Number of workloads to read.
    """

    DEFAULT_CSS = f"""
    ClassesScreen {{ layout: vertical; }}
    ClassesScreen > Static {{ height: 1; background: $panel; }}
    ClassesScreen #title {{ text-style: bold; }}
    ClassesScreen #how {{ height: {_HOW_LINES}; background: $panel; padding: 0 1; }}
    """
    key_table = CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CLASSES)]

    def __init__(self, work: Callable[[Callable[[int], None]], Classes], total: int) -> None:
        super().__init__()
        self._work = work
        self._total = total
        self._done = 0
        self._measured: Classes | None = None
        self._lines: list[TableLine] = []

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield LineView(has_cursor=True)
        yield Static(id="how")
        yield Footer(TABLES[CLASSES])

    def on_mount(self) -> None:
        view = self.query_one(LineView)
        view.focus()
        view.cursor = 1
        self._progress_timer = self.set_interval(_PROGRESS_EVERY_S, self._show_progress)
        self._show_progress()
        self.run_worker(self._measure(), group="classes", exclusive=True)

    async def _measure(self) -> None:
        try:
            self._measured = await run_blocking(partial(self._work, self._count))
        except (SourceError, SessionError) as error:
            self.app.notify(str(error), severity="error", markup=False)
            self.dismiss(None)
            return
        if is_up(self):
            self._progress_timer.stop()
            title = " Bare metal, virtual machines, containers: each value measured on this host"
            self.query_one("#title", Static).update(Text(title, no_wrap=True))
            self._redraw()

    def _count(self, done: int) -> None:
        self._done = done

    def _show_progress(self) -> None:
        title = f" Reading workloads: {self._done} of {self._total}"
        self.query_one("#title", Static).update(Text(title, no_wrap=True))

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        if self._measured is None:
            return
        view = self.query_one(LineView)
        self._lines = table(self._measured, min(_WIDEST, max(40, self.size.width - 2)))
        view.show([[(f" {line.text}", "title" if not index else "text")] for index, line in enumerate(self._lines)])
        self.show_how()

    @on(LineView.Moved)
    def show_how(self) -> None:
        """Show how the row under the cursor was measured."""
        index = self.query_one(LineView).cursor
        row = self._lines[index].row if index < len(self._lines) else None
        sentences = [] if row is None or self._measured is None else measurement_lines(self._measured, row)
        lines: list[str] = []
        for line in sentences:
            lines += wrapped(line, max(20, self.size.width - 2))
        self.query_one("#how", Static).update(Text("\n".join(lines[:_HOW_LINES])))

    def action_close(self) -> None:
        self.dismiss(None)
