"""The table with header, panes and filter. Base of the live and replay screens.

It turns a moment into lines, and keys into view settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.dialogs.base import AnsweredOnce
from tui.keys.key import Key
from tui.keys.tables import TABLES
from tui.presenters.cells import Cells
from tui.presenters.columns import DEFAULT
from tui.presenters.commands import offered
from tui.presenters.info_pages import sources_page, why_page
from tui.presenters.main_screen.empty import empty_lines
from tui.presenters.main_screen.panes import graph_rows
from tui.presenters.styled_lines import Line as Runs
from tui.presenters.styled_lines import Run
from tui.presenters.table_state import SORTS, Scale, TableState
from tui.screens.command_line import CommandLine
from tui.screens.mixins.column_keys import ColumnKeys
from tui.screens.mixins.compare_keys import CompareKeys
from tui.screens.mixins.filter_keys import FilterKeys
from tui.screens.mixins.palette_commands import sort_order
from tui.screens.mixins.remembered_layout import RememberedLayout, view_of
from tui.settings.screen_options import ScreenOptions
from tui.widgets.filter_prompt import FilterPrompt
from tui.widgets.footer import Footer
from tui.widgets.header import HeaderLines
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import WorkloadTable

_PANES_FROM, _HEADER_FROM = 14, 9
"""Lines of the screen from which there are panes, and from which the header has both of its lines."""
ON_HOST = "This row is the host: choose a workload for that."
_AROUND_ROWS = 7
"""Lines beside the rows of workloads: header, heads, host, the two upper lines of the panes, footer."""
_SETTLING_TICKS = 5
"""Ticks at the start at which the height of the panes still follows the number of rows: sources answer one by one."""


class WorkloadListScreen(FilterKeys, CompareKeys, ColumnKeys, AnsweredOnce, Screen[None], RememberedLayout):
    """The workloads of a host at a moment.

    Args:
        key_table: Its keys, by the name in `TABLES`.
        history: Recent values for the sparklines.
        options: Appearance and initial filter.
        view: Initial view settings; by default taken from the options.
    """

    where: str
    """Where its moments come from: `live` or `replay`."""
    DEFAULT_CSS = """
    WorkloadListScreen { layout: vertical; }
    WorkloadListScreen WorkloadTable { height: 1fr; }
    """

    def __init__(
        self, key_table: str, history: History, options: ScreenOptions, view: TableState | None = None
    ) -> None:
        super().__init__()
        self.key_table = key_table
        self.is_ascii = options.ascii
        self.options = options
        self.view = view or view_of(options)
        self.history = history
        self.shown_moment: Moment | None = None
        self.cells = Cells(self.history, options.ascii)
        self._keys = options.columns or DEFAULT
        self._enlarged = options.has_large_panes
        self.earlier_filters: list[str] = []
        self._extra: list[Widget] = []
        """The widgets between the panes and the footer."""
        self._fitted_for: tuple[object, ...] = ()
        """The choices that the height of the panes was made for."""

    def compose(self) -> ComposeResult:
        yield HeaderLines(self.is_ascii)
        yield WorkloadTable(self.cells, self._keys)
        yield Panes(self.cells, self.is_ascii)
        self._extra = self.extra()
        yield from self._extra
        yield FilterPrompt()
        yield Footer()

    def extra(self) -> list[Widget]:
        """Return the widgets between the panes and the footer."""
        return []

    def on_mount(self) -> None:
        self.query_one(WorkloadTable).focus()
        text = self.view.query_text or self.options.filter_text
        if text:
            self.set_filter(text)
        self.query_one(Footer).show(self.footer_keys())
        self.query_one(HeaderLines).show(None, self.mode(), self.interval_s())

    def interval_s(self) -> float:
        """Return the seconds between frames; 0 before the first."""
        return self.shown_moment.frame.interval_s if self.shown_moment is not None else 0.0

    def mode(self) -> str:
        """Return the mode in the header, such as LIVE or REPLAY."""
        raise NotImplementedError

    def newest(self) -> Moment | None:
        """Return the newest moment, for the header; a frozen table shows an older one."""
        return self.shown_moment

    def acting(self) -> dict[WorkloadId, str]:
        """Return the label of the action in progress, by workload."""
        return {}

    def hint_at_rest(self) -> str:
        """Return what can be done about a workload at rest, for its row; empty for nothing."""
        return ""

    def states(self) -> StateLog:
        """Return the changes of state up to the moment."""
        raise NotImplementedError

    def past_is_missing(self) -> None:
        """Fill the history of a metric that was not kept until now, where that is possible."""

    def outcomes(self) -> dict[WorkloadId, Run]:
        """Return how actions ended in the last seconds, by workload."""
        return {}

    def notes(self) -> list[Run]:
        """Return notes for the header, in addition to those of the view; the most important last."""
        return []

    def open_workload(self, identity: WorkloadId) -> None:
        """Open the detail screen of a workload."""
        raise NotImplementedError

    def on_resize(self) -> None:
        height = self.size.height
        self.query_one(Panes).display = height >= _PANES_FROM
        self.query_one(HeaderLines).styles.height = 2 if height >= _HEADER_FROM else 1
        self.fit_panes()
        self.call_after_refresh(self.redraw)

    def fit_panes(self) -> None:
        """Give the panes what the table leaves: after a change of the view, never because of a tick."""
        extra = sum(widget.outer_size.height for widget in self._extra if widget.display)
        height = self.size.height
        rows = graph_rows(height, _AROUND_ROWS + extra, len(self.view.lines), self._enlarged)
        self.query_one(Panes).set_rows(rows if height >= _PANES_FROM else 0)

    def redraw(self) -> None:
        """Show the moment with the current view settings."""
        moment = self.shown_moment
        if moment is None or not self.is_mounted:
            return
        self.cells.at(moment, self.view.scale, self.interval_s())
        self.cells.acting, self.cells.outcomes = self.acting(), self.outcomes()
        self.cells.states, self.cells.hint = self.states(), self.hint_at_rest()
        self.view.acted_on = frozenset(self.cells.acting)
        metric = self.view.metric()
        if metric is not None and self.history.keep(metric):
            self.past_is_missing()
        lines = self.view.arrange(moment, self.history, self.cells.states)
        self.cells.folded = self.view.folded
        self._fit_to_view()
        table = self.query_one(WorkloadTable)
        table.set_sort(self.view.sort, self.view.is_reversed, self.view.order_span)
        table.set_count(self._count(moment))
        table.show(lines, self.view.cursor, self.view.marks, self.view.host, self._empty(moment) if not lines else ())
        if self.view.follow:
            table.reveal(self.view.index())
        self.query_one(HeaderLines).show(self.newest(), self.mode(), self.interval_s(), self._notes())
        self.query_one(Panes).show(self.view.current(), moment)
        self.show_prompt()

    def _fit_to_view(self) -> None:
        """Fit the panes if the view has changed, or if the sources are still answering one by one."""
        view = self.view
        choices = (view.query_text, view.only, view.show_all, view.is_tree, len(view.folded))
        is_settling = self.history.ticks <= _SETTLING_TICKS
        if choices != self._fitted_for or is_settling:
            self._fitted_for = choices
            self.fit_panes()

    def _count(self, moment: Moment) -> str:
        """Return how many workloads are shown, for the heading of the names."""
        view = self.view
        shown = sum(len(line.members) for line in view.lines) if view.is_tree else len(view.lines)
        is_narrowed = bool(view.query_text or view.only)
        words = f"{shown} of {shown + view.hidden}" if is_narrowed else str(shown)
        groups = sum(line.reading is None for line in view.lines)
        words += f" in {groups}" if groups else ""
        return f"{words} held" if view.is_held else words

    def _notes(self) -> list[Run]:
        view = self.view
        notes: list[Run] = [(f"filter {view.query_text}", "accent")] if view.query_text else []
        notes += [(f"{view.only} only", "accent")] if view.only else []
        notes += [(f"100%={view.scale}", "muted")] if view.scale is not Scale.CORE else []
        notes += [("following", "muted")] if view.follow else []
        notes += [(f"{len(view.marks)} marked", "accent")] if view.marks else []
        return [*notes, *self.notes()]

    def _empty(self, moment: Moment) -> list[Runs]:
        return empty_lines(self.view, moment)

    def footer_keys(self) -> Sequence[Key]:
        """Return the keys that the footer shows as far as there is room."""
        return TABLES[self.key_table]

    def action_move(self, lines: int) -> None:
        self._go(self.view.index() + lines)

    def action_page(self, pages: float) -> None:
        self._go(max(0, self.view.index() + int(pages * self.query_one(WorkloadTable).page)))

    def action_edge(self, side: int) -> None:
        self._go(0 if side < 0 else len(self.view.lines) - 1)

    def _go(self, index: int) -> None:
        """Put the cursor on a line; the host's is above the first."""
        if self.shown_moment is None:
            return
        self.view.move_to(index)
        table = self.query_one(WorkloadTable)
        empty = self._empty(self.shown_moment) if not self.view.lines else ()
        table.show(self.view.lines, self.view.cursor, self.view.marks, self.view.host, empty)
        table.reveal(self.view.index())
        self.query_one(Panes).show(self.view.current(), self.shown_moment)

    @on(WorkloadTable.Chosen)
    def choose_line(self, event: WorkloadTable.Chosen) -> None:
        self._go(event.index)

    @on(WorkloadTable.HeaderChosen)
    def choose_header(self, event: WorkloadTable.HeaderChosen) -> None:
        key = event.key.removeprefix("spark:")
        if key == self.view.sort:
            self.action_reverse()
        elif key in SORTS:
            self.action_sort(key)

    def action_sort(self, key: str) -> None:
        self.view.sort, self.view.is_reversed = key, False
        self.view.release_order()
        self.redraw()

    def action_sort_column(self, step: int) -> None:
        sortable = [key for key in self._keys if key in SORTS]
        index = sortable.index(self.view.sort) if self.view.sort in sortable else 0
        self.action_sort(sortable[(index + step) % len(sortable)])

    def action_reverse(self) -> None:
        self.view.is_reversed = not self.view.is_reversed
        self.view.release_order()
        self.redraw()

    def action_smoothing(self) -> None:
        self.view.smoothing = self.view.smoothing.next
        self.notify(f"order: {self.view.smoothing.words}", timeout=2)
        self.redraw()

    @on(WorkloadTable.MouseMoved)
    def hold_order(self) -> None:
        """Move nothing while the mouse is on its way to a row."""
        self.view.hold_order()

    def action_only(self, kind: str) -> None:
        self.view.only = Kind(kind) if kind else None
        self.redraw()

    def action_all(self) -> None:
        self.view.show_all = not self.view.show_all
        self.notify(
            "showing stopped workloads too" if self.view.show_all else "showing running workloads only", timeout=2
        )
        self.redraw()

    def action_tree(self) -> None:
        self.view.is_tree = not self.view.is_tree
        self.redraw()

    def action_scale(self) -> None:
        scales = list(Scale)
        self.view.scale = scales[(scales.index(self.view.scale) + 1) % len(scales)]
        self.redraw()

    def action_follow(self) -> None:
        self.view.follow = not self.view.follow
        self.redraw()

    def action_mark(self) -> None:
        line = self.view.current()
        if line is not None and not self.view.is_on_host:
            if line.reading is not None:
                self.view.marks.symmetric_difference_update({line.id})
            else:
                self.view.marks.update(member.workload.id for member in line.members)
        self.action_move(1)
        self.redraw()

    def action_mark_shown(self) -> None:
        self.view.marks.update(line.id for line in self.view.lines if line.reading is not None)
        self.redraw()

    def action_unmark(self) -> None:
        self.view.marks.clear()
        self.redraw()

    def action_look(self) -> None:
        line = self.view.current()
        if line is not None and line.reading is None:
            self.view.folded.symmetric_difference_update({line.label})
            self.redraw()
        elif self.view.is_on_host:
            self.action_host()
        elif line is not None and self.shown_moment is not None:
            self.view.looked_at[line.id] = self.shown_moment.frame.wall
            self.open_workload(line.id)

    def action_host(self) -> None:
        """Open the page of the host."""
        raise NotImplementedError

    def action_enlarge(self) -> None:
        self._enlarged = not self._enlarged
        self.on_resize()

    def action_sources(self) -> None:
        moment = self.newest()
        if moment is not None:
            self.open_panel("Sources", sources_page(moment, self.own_usage()))

    def own_usage(self) -> str:
        """Return what vmtop itself uses; empty where that is not known."""
        return ""

    def action_why(self) -> None:
        line = self.view.current()
        if line is not None and line.reading is None:
            self.notify("A group is the sum of its members; select one of them.", timeout=3)
        elif line is not None and line.reading is not None and self.shown_moment is not None:
            self.open_panel("Where the numbers come from", why_page(line.reading, self.shown_moment))

    def target(self) -> Workload | None:
        """Return the workload under the cursor; `None` for a group, the host or an empty table."""
        if self.view.is_on_host:
            self.notify(ON_HOST, timeout=4)
            return None
        line = self.view.current()
        return line.reading.workload if line is not None and line.reading is not None else None

    def action_sort_menu(self) -> None:
        """Offer everything that the table can be sorted by; typing finds it."""
        menu = self.app.get_screen("palette")
        assert isinstance(menu, CommandLine)  # noqa: S101  # installed under this name by the app
        commands = list(self.sorts())
        start = list(sort_order()).index(self.view.sort)
        offer = partial(offered, first=commands, arguments=(), commands=())
        self.app.push_screen(menu.prepare(offer, "", "Sort by", start), lambda command: command and command.run())
