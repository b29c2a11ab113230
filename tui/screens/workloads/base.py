"""The table with header, panes and filter. Base of the live and replay screens.

It turns a moment into lines, and keys into view settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from collectors.alerts.rule import Level
from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.dialogs.base import AnsweredOnce
from tui.keys.key import Key
from tui.keys.main import rows_in_tree, rows_when_empty
from tui.keys.tables import TABLES
from tui.presenters.main_screen.empty import empty_lines
from tui.presenters.main_screen.panes import graph_rows
from tui.presenters.main_screen.view_words import count_words, nothing_here, view_notes
from tui.presenters.pages.info_pages import why_page
from tui.presenters.styled_lines import Run
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT
from tui.presenters.table.state import SORTS, Scale, TableState
from tui.screens.mixins.column_keys import ColumnKeys
from tui.screens.mixins.compare_keys import CompareKeys
from tui.screens.mixins.filter_keys import FilterKeys
from tui.screens.mixins.host_keys import HostKeys
from tui.screens.mixins.remembered_layout import RememberedLayout, view_of
from tui.settings.screen_options import ScreenOptions
from tui.widgets.filter_prompt import FilterPrompt
from tui.widgets.first_run import FirstRunLine
from tui.widgets.footer import Footer
from tui.widgets.header import HeaderLines
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import WorkloadTable

_PANES_FROM, _HEADER_FROM, _HOSTS_FROM = 14, 9, 18
"""Lines of the screen from which there are panes, from which the header has both of its lines, and the one of hosts."""
_AROUND_ROWS = 7
"""Lines beside the rows of workloads: header, heads, host, the two upper lines of the panes, footer."""
_SETTLING_TICKS = 5
"""Ticks at the start at which the height of the panes still follows the number of rows: sources answer one by one."""


class WorkloadListScreen(HostKeys, FilterKeys, CompareKeys, ColumnKeys, AnsweredOnce, Screen[None], RememberedLayout):
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
        self._footer_for = (False, False)
        """Whether the table is empty and whether it is a tree: what the footer was made for."""
        self._has_hosts_line = False
        """Whether the header has a line that tells how each host is."""
        self._extra: list[Widget] = []
        """The widgets that take lines from the table and are not always there."""
        self._fitted_for: tuple[object, ...] = ()
        """The choices that the height of the panes was made for."""

    def compose(self) -> ComposeResult:
        first_run, between = FirstRunLine(), self.extra()
        self._extra = [first_run, *between]
        yield HeaderLines(self.is_ascii)
        yield first_run
        yield WorkloadTable(self.cells, self._keys)
        yield Panes(self.cells, self.is_ascii)
        yield from between
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

    def alert_levels(self) -> dict[WorkloadId, Level]:
        """Return the gravest level of the alerts about each workload, for the edges of rows."""
        return {}

    def outcomes(self) -> dict[WorkloadId, Run]:
        """Return how actions ended in the last seconds, by workload."""
        return {}

    def hint_at_rest(self) -> str:
        """Return what can be done about a workload at rest, for its row; empty for nothing."""
        return ""

    def states(self) -> StateLog:
        """Return the changes of state up to the moment."""
        raise NotImplementedError

    def past_is_missing(self) -> None:
        """Fill the history of a metric that was not kept until now, where that is possible."""

    def notes(self) -> list[Run]:
        """Return notes for the header, in addition to those of the view; the most important last."""
        return []

    def open_workload(self, identity: WorkloadId) -> None:
        """Open the detail screen of a workload."""
        raise NotImplementedError

    def on_resize(self) -> None:
        height = self.size.height
        self.query_one(Panes).display = height >= _PANES_FROM
        self._fit_header()
        self.fit_panes()
        self.call_after_refresh(self.redraw)

    def _fit_header(self) -> None:
        height, moment = self.size.height, self.newest()
        self._has_hosts_line = moment is not None and len(moment.hosts) > 1 and height >= _HOSTS_FROM
        self.query_one(HeaderLines).styles.height = (2 if height >= _HEADER_FROM else 1) + self._has_hosts_line

    def fit_panes(self) -> None:
        """Give the panes what the table leaves: after a change of the view, never because of a tick."""
        extra = sum(widget.outer_size.height for widget in self._extra if widget.display)
        height = self.size.height
        rows = graph_rows(height, _AROUND_ROWS + extra + self._has_hosts_line, len(self.view.lines), self._enlarged)
        self.query_one(Panes).set_rows(rows if height >= _PANES_FROM else 0)

    def redraw(self) -> None:
        """Show the moment with the current view settings."""
        if self.shown_moment is None or not self.is_mounted:
            return
        moment = self.seen(self.shown_moment)
        self.cells.at(moment, self.view.scale, self.interval_s())
        self.cells.acting, self.cells.outcomes = self.acting(), self.outcomes()
        self.cells.alerts = self.alert_levels()
        self.cells.states, self.cells.hint = self.states(), self.hint_at_rest()
        self.view.acted_on = frozenset(self.cells.acting)
        metric = self.view.metric()
        if metric is not None and self.history.keep(metric):
            self.past_is_missing()
        lines = self.view.arrange(moment, self.history, self.cells.states)
        self.cells.is_folded = self.view.is_folded
        self._fit_to_view()
        table = self.query_one(WorkloadTable)
        table.set_host_width(max(map(len, self.cells.host_names.values())) if self._has_host_column(moment) else 0)
        table.set_sort(self.view.sort, self.view.is_reversed, self.view.order_span)
        table.set_count(count_words(self.view))
        empty = [] if lines else empty_lines(self.view, moment, self.footer_keys())
        table.show(lines, self.view.cursor, self.view.marks, self.view.host, empty)
        if self.view.follow:
            table.reveal(self.view.index())
        self._show_header()
        self.query_one(Panes).show(self.view.current(), moment)
        self.show_prompt()
        if (footer_for := (not lines, self.view.is_tree)) != self._footer_for:
            self._footer_for = footer_for
            self.query_one(Footer).show(self.footer_keys())

    def _has_host_column(self, moment: Moment) -> bool:
        return bool(moment.hosts) and not self.view.is_tree

    def _show_header(self) -> None:
        newest = self.newest()
        if newest is not None:
            fleet = newest if len(newest.hosts) > 1 else None
            self.query_one(HeaderLines).show(
                self.seen(newest), self.mode(), self.interval_s(), self._notes(), fleet, self.view.alone
            )

    def _fit_to_view(self) -> None:
        """Fit the panes if the view has changed, or if the sources are still answering one by one."""
        view = self.view
        choices = (
            *(view.query_text, view.only, view.show_all, view.is_tree, len(view.folded)),
            *(len(view.opened), view.alone, self.shown_moment is not None and len(self.shown_moment.hosts)),
        )
        is_settling = self.history.ticks <= _SETTLING_TICKS
        if choices != self._fitted_for or is_settling:
            self._fitted_for = choices
            self._fit_header()
            self.fit_panes()

    def _notes(self) -> list[Run]:
        return [*view_notes(self.view), *self.notes()]

    def footer_keys(self) -> Sequence[Key]:
        """Return the keys that the footer shows as far as there is room: those that do something here and now."""
        rows = TABLES[self.key_table]
        if not self.view.lines and self.shown_moment is not None:
            return rows_when_empty(rows, bool(self.view.query_text))
        return rows_in_tree(rows) if self.view.is_tree else rows

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
        table.show_cursor(self.view.cursor)
        table.set_count(count_words(self.view))
        table.reveal(self.view.index())
        self.query_one(Panes).show(self.view.current(), self.seen(self.shown_moment))

    @on(WorkloadTable.Chosen)
    def choose_line(self, event: WorkloadTable.Chosen) -> None:
        self._go(event.index)

    @on(WorkloadTable.Opened)
    def open_line(self) -> None:
        self.action_look()

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
        """Sort by the next or the previous column of those that the width leaves room for."""
        shown = self.query_one(WorkloadTable).shown_keys
        sortable = [key for key in shown if key in SORTS]
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
        self.query_one(Footer).fall_silent()
        self.view.only = Kind(kind) if kind else None
        self.redraw()

    def action_all(self) -> None:
        self.view.show_all = not self.view.show_all
        self.notify("showing stopped workloads" if self.view.show_all else "showing running workloads only", timeout=2)
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
        self.query_one(Footer).fall_silent()
        if line is not None and not self.view.is_on_host:
            if line.reading is not None:
                self.view.marks.symmetric_difference_update({line.id})
            else:
                self.view.marks.update(member.workload.id for member in line.members)
        self.action_move(1)
        self.redraw()

    def action_mark_shown(self) -> None:
        self.query_one(Footer).fall_silent()
        self.view.marks.update(line.id for line in self.view.lines if line.reading is not None)
        self.redraw()

    def action_unmark(self) -> None:
        self.query_one(Footer).fall_silent()
        self.view.marks.clear()
        self.redraw()

    def action_look(self) -> None:
        line = self.view.current()
        if line is not None and line.is_fleet:
            self.action_tree()
        elif line is not None and line.reading is None:
            self.view.fold(line)
            self.redraw()
        elif self.view.is_on_host:
            self.action_host()
        elif line is None:
            self.notify(self.nothing_here(), timeout=4)
        elif self.shown_moment is not None:
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
            self.open_panel("Sources", self.about_sources(moment, self.own_usage()))

    def own_usage(self) -> str:
        """Return what vmtop itself uses; empty where that is not known."""
        return ""

    def action_why(self) -> None:
        line = self.view.current()
        if line is not None and line.reading is None:
            self.notify("A group is the sum of its members; select one of them.", timeout=3)
        elif line is not None and line.reading is not None and self.shown_moment is not None:
            self.open_panel("Where the numbers come from", why_page(line.reading, self.seen(self.shown_moment)))

    def target(self) -> Workload | None:
        """Return the workload under the cursor; `None` for a group, the host or an empty table, with a word on it."""
        line = self.view.current()
        if line is None or line.reading is None or self.view.is_on_host:
            self.notify(self.nothing_here(), timeout=4)
            return None
        return line.reading.workload

    def nothing_here(self) -> str:
        """Return why there is no workload under the cursor, and what to do about it."""
        return nothing_here(self.view)
