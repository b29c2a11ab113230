"""The table of processes with its headings, its filter and the pane of the process under the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from collectors.inspection.processes import Owners
from collectors.model.processes import ProcessId, ProcessPass, ProcessView
from collectors.model.workloads import Kind
from tui.keys.bindings import bound
from tui.keys.host import PROCESS_LINES
from tui.presenters.formatting import fit
from tui.presenters.processes.details import pane_lines, pane_rule, thread_heads, thread_lines
from tui.presenters.processes.table import Lines, ProcessTable, Row
from tui.presenters.styled_lines import Line
from tui.widgets.line_view import LineView
from tui.widgets.text_lines import TextLines

_PANE = 9
_PANE_FROM = 18
"""Lines of the whole view from which there is room for the pane."""
_WIDGETS = 6
"""Those that `ProcessPanel` is composed of."""


class ProcessLines(LineView, inherit_bindings=False):
    """The lines; as in htop, `k` is no movement here but sends a signal."""

    BINDINGS: ClassVar[list[BindingType]] = [*bound(PROCESS_LINES)]

    class Opened(Message):
        """A line was clicked twice."""

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        if event.chain == 2:
            self.post_message(self.Opened())


class ProcessHeads(TextLines):
    """The headings; a click sorts."""

    DEFAULT_CSS = "ProcessHeads { height: 1; background: $panel; }"
    ground = "panel"

    class Clicked(Message):
        """A cell of the headings was clicked."""

        def __init__(self, x: int) -> None:
            super().__init__()
            self.x = x

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(event.x))


class ProcessPanel(Vertical):
    """Shows what `show` is given; says with `Wanted` that it needs more of what is visible.

    Args:
        table: Columns and order.
    """

    DEFAULT_CSS = """
    ProcessPanel { height: 1fr; }
    ProcessPanel > TextLines { height: 1; }
    ProcessPanel Input { height: 1; border: none; padding: 0; display: none; background: $panel; }
    ProcessPanel Input:focus { border: none; }
    """

    class Wanted(Message):
        """What is visible has changed, or what is asked of a process."""

    class SignalAsked(Message):
        """The process under the cursor is to get a signal."""

    def __init__(self, table: ProcessTable) -> None:
        super().__init__()
        self.table = table
        self.shows_threads = False
        self.is_following = False
        self._view: ProcessView | None = None
        self._owners = Owners()
        self._problem = ""

    @property
    def has_widgets(self) -> bool:
        """Whether all of its widgets are there: when a screen closes, they go one after the other."""
        return len(self.children) == _WIDGETS

    def compose(self) -> ComposeResult:
        yield TextLines(id="process-summary")
        yield ProcessHeads()
        yield ProcessLines(has_cursor=True, id="process-lines")
        yield TextLines(id="process-title")
        yield LineView(id="process-pane")
        yield Input(placeholder="words of the command, user, workload or pid", id="process-filter")

    def on_mount(self) -> None:
        self.query_one("#process-pane").can_focus = False

    def on_resize(self) -> None:
        has_pane = self.size.height >= _PANE_FROM
        self.query_one("#process-pane").styles.height = min(_PANE, self.size.height // 3)
        for name in ("#process-title", "#process-pane"):
            self.query_one(name).display = has_pane
        self.call_after_refresh(self.draw)

    def focus_lines(self) -> None:
        """Give the keys to the lines."""
        self.query_one(ProcessLines).focus()

    def show(self, view: ProcessView, owners: Owners) -> None:
        """Show a pass over the processes, or more of the last one."""
        is_new = self._view is None or view.newest is not self._view.newest
        self._view, self._owners, self._problem = view, owners, ""
        if is_new or self.table.needs_texts:
            self._arrange()
        else:
            self.table.complete(view.texts)
            self.draw()

    def complain(self, problem: str) -> None:
        """Show why processes cannot be read."""
        self._problem = problem
        self.draw()

    def shown_ids(self) -> list[ProcessId]:
        """Return the processes on screen."""
        if self.shows_threads:
            return [] if self.table.cursor is None else [self.table.cursor]
        lines = self.query_one(ProcessLines)
        return [row.process.id for row in self.table.rows[lines.top : lines.top + lines.page]]

    def current(self) -> Row | None:
        """Return the row under the cursor."""
        return self.table.current()

    def _arrange(self) -> None:
        if self._view is not None:
            self.table.arrange(self._view.newest, self._view.texts, self._owners)
        if not self.table.has_cursor:
            if self.shows_threads:
                self.shows_threads = False
                self.notify("That process has ended.", timeout=3)
            else:
                self.table.put_cursor(self.query_one(ProcessLines).cursor)
        self.draw()

    def draw(self) -> None:
        """Draw everything from the arranged table; only visible lines are made."""
        width = self.size.width
        if not self.has_widgets or width < 2:
            return
        row = self.current()
        is_vm = row is not None and row.owner is not None and row.owner.kind is Kind.VM
        details = None if self._view is None else self._view.details
        lines = self.query_one(ProcessLines)
        if self.shows_threads and row is not None:
            heads = thread_heads(width, is_vm)
            ready = details is not None and details.id == row.process.id
            lines.show(thread_lines(details, is_vm) if ready and details else [[(" reading ...", "muted")]])
        else:
            heads = self.table.heads(width - 1)
            lines.show(Lines(self.table, width - 1) if self.table.rows else self._empty_lines())
            if self.table.cursor is not None or lines.cursor:
                self._reveal(lines)
        self.query_one(ProcessHeads).show_lines([heads])
        self.query_one("#process-summary", TextLines).show_lines([[(fit(self._summary(row), width), "muted")]])
        if self.query_one("#process-pane").display:
            self._draw_pane(row, width)

    def _empty_lines(self) -> list[Line]:
        if self._view is None or not self.table.total:
            return []
        words = f" No process matches {self.table.filter_text}; {self.table.total} hidden. Esc clears the filter."
        return [[(words, "muted")]]

    def _reveal(self, lines: LineView) -> None:
        """Move the cursor to its process; scroll only if it was on screen, or is followed."""
        index = self.table.index()
        if index == lines.cursor:
            return
        was_visible = lines.top <= lines.cursor < lines.top + lines.page
        if was_visible or self.is_following:
            lines.go(index)
        else:
            lines.cursor = index
            lines.refresh()

    def _draw_pane(self, row: Row | None, width: int) -> None:
        pane = self.query_one("#process-pane", LineView)
        self.query_one("#process-title", TextLines).show_lines([pane_rule(row, width, self.table.is_ascii)])
        details = None if self._view is None else self._view.details
        pane.show([] if row is None else pane_lines(row, details, width - 1, _PANE))

    def _summary(self, row: Row | None) -> str:
        if self._problem:
            return f" {self._problem}"
        if self._view is None:
            return " reading the processes ..."
        if self.shows_threads and row is not None:
            process, count = row.process, row.process.threads
            return f" {count} thread{'' if count == 1 else 's'} of {process.name} {process.pid}   Esc: all processes"
        newest: ProcessPass = self._view.newest
        note = f"   {newest.note}" if newest.note else ""
        return f" {self.table.summary(newest)}{'   following' if self.is_following else ''}{note}"

    @on(LineView.Moved)
    def moved(self) -> None:
        lines = self.query_one(ProcessLines)
        if not self.shows_threads and self.table.rows:
            self.table.put_cursor(lines.cursor)
            row = self.current()
            if self.query_one("#process-pane").display:
                self._draw_pane(row, self.size.width)
        self.post_message(self.Wanted())

    @on(ProcessLines.Opened)
    def line_opened(self) -> None:
        self.action_threads()

    @on(ProcessHeads.Clicked)
    def head_clicked(self, event: ProcessHeads.Clicked) -> None:
        if key := self.table.column_at(event.x, self.size.width - 1):
            self.action_order(key)

    def action_order(self, key: str) -> None:
        self.table.sort_by(key)
        self._rearrange()

    def action_order_column(self, step: int) -> None:
        self.table.is_reversed = False
        self.table.sort = self.table.beside(step, self.size.width - 1)
        self._rearrange()

    def action_reverse(self) -> None:
        self.table.is_reversed = not self.table.is_reversed
        self._rearrange()

    def action_tree(self) -> None:
        self.table.is_tree = not self.table.is_tree
        self._rearrange()

    def action_follow(self) -> None:
        row = self.current()
        self.is_following = not self.is_following
        self.table.cursor = row.process.id if row is not None and self.is_following else self.table.cursor
        self.draw()

    def _rearrange(self) -> None:
        self._arrange()
        self.post_message(self.Wanted())

    def action_threads(self) -> None:
        row = self.current()
        if row is None or self.shows_threads:
            return
        self.table.cursor = row.process.id
        self.shows_threads = True
        self.query_one(ProcessLines).go(0)
        self.draw()
        self.post_message(self.Wanted())

    def action_signal(self) -> None:
        self.post_message(self.SignalAsked())

    def action_filter(self) -> None:
        prompt = self.query_one("#process-filter", Input)
        prompt.display = True
        prompt.value = self.table.filter_text
        self.screen.set_focus(prompt)  # at once: the next key may be waiting

    @on(Input.Changed)
    def filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.display and event.value.strip() != self.table.filter_text:
            self.table.filter_text = event.value.strip()
            self._rearrange()

    @on(Input.Submitted)
    def filter_taken(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#process-filter").display = False
        self.focus_lines()

    def step_back(self) -> bool:
        """Close the threads, else the filter; return whether there was anything to close."""
        if self.shows_threads:
            self.shows_threads = False
            self._rearrange()
            self.query_one(ProcessLines).go(self.table.index())
            return True
        has_filter = bool(self.table.filter_text) or self.query_one("#process-filter").display
        self.table.filter_text = ""
        self._close_filter()
        if has_filter:
            self._rearrange()
        return has_filter
