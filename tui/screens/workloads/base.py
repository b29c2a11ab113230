"""The table with header, ledger, panes and filter. Base of the live and replay screens.

It turns a moment into lines, and keys into view settings.
"""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.query.filter import QueryError, parse
from tui.dialogs.base import AnsweredOnce
from tui.dialogs.picker import PickerDialog
from tui.presenters.cells import Cells
from tui.presenters.columns import CHOICES, DEFAULT, describe
from tui.presenters.info_pages import sources_page, why_page
from tui.presenters.table_state import SORTS, Scale, TableState
from tui.screens.mixins.compare_keys import CompareKeys
from tui.screens.mixins.page_keys import PageKeys
from tui.settings.main_screen_keys import APP_ACTIONS, key_names, keys_of
from tui.settings.screen_options import ScreenOptions
from tui.widgets.header import HeaderLine, LedgerLines
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import WorkloadTable

_TABLE_LEAST = 5
"""Minimum height of the table in lines; the panes shrink first."""


def bindings(where: str) -> list[Binding]:
    """Return the bindings of the live screen or of the replay."""
    # The filter key takes effect before the next key is handled: text typed after it must not run commands.
    return [
        Binding(key.keys, key.action, key.help, show=False, id=key.action, priority=key.action == "filter")
        for key in keys_of(where)
        if key.action not in APP_ACTIONS
    ]


class WorkloadListScreen(CompareKeys, PageKeys, AnsweredOnce, Screen[None]):
    """The workloads of a host at a moment.

    Args:
        where: Which keys apply: `live` or `replay`.
        history: Recent values for the sparklines.
        options: Appearance and initial filter.
        view: Initial view settings; by default taken from the options.
    """

    DEFAULT_CSS = """
    WorkloadListScreen { layout: vertical; }
    WorkloadListScreen WorkloadTable { height: 1fr; }
    WorkloadListScreen #prompt { height: 1; border: none; padding: 0; display: none; background: $panel; }
    WorkloadListScreen #footer { height: 1; background: $panel; color: $text; }
    """

    def __init__(self, where: str, history: History, options: ScreenOptions, view: TableState | None = None) -> None:
        super().__init__()
        self.where = where
        self.is_ascii = options.ascii
        self.options = options
        self.view = view or TableState(only=Kind(options.only) if options.only else None)
        self.history = history
        self.shown_moment: Moment | None = None
        self.cells = Cells(self.history, options.ascii)
        self._keys = DEFAULT
        self._enlarged = False
        self._filter_error = ""

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield LedgerLines(self.history, self.is_ascii)
        yield WorkloadTable(self.cells, self._keys)
        yield Panes(self.history, self.is_ascii)
        yield from self.extra()
        yield Input(placeholder="kind=vm cpu>50 name~web", id="prompt")
        yield Static(id="footer")

    def extra(self) -> list[Widget]:
        """Return the widgets between the panes and the footer."""
        return []

    def on_mount(self) -> None:
        self.query_one(WorkloadTable).focus()
        text = self.view.query_text or self.options.filter_text
        if text:
            self._set_filter(text)
        self._show_footer()
        self.query_one(HeaderLine).show(None, self.interval_s(), self.mode(), "")

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

    def notes(self) -> list[str]:
        """Return notes for the header, in addition to those of the view."""
        return []

    def open_workload(self, identity: WorkloadId) -> None:
        """Open the detail screen of a workload."""
        raise NotImplementedError

    def on_resize(self) -> None:
        height = self.size.height
        height_wanted = 12 if self._enlarged else 5 if height >= 22 else 4
        room = height - 6 - _TABLE_LEAST
        panes = self.query_one(Panes)
        panes.styles.height = min(height_wanted, max(0, room))
        panes.display = room >= 3
        self.query_one(LedgerLines).display = height >= 12
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Show the moment with the current view settings."""
        moment = self.shown_moment
        if moment is None or not self.is_mounted:
            return
        self.cells.at(moment, self.view.scale, self.interval_s())
        self.cells.acting = self.acting()
        lines = self.view.arrange(moment)
        table = self.query_one(WorkloadTable)
        table.set_sort(self.view.sort, self.view.is_reversed)
        table.show(lines, self.view.cursor, self.view.marks, self._empty_words(moment))
        if self.view.follow:
            table.reveal(self.view.index())
        self.query_one(HeaderLine).show(self.newest(), self.interval_s(), self.mode(), self._notes())
        self.query_one(LedgerLines).show(moment)
        self.query_one(Panes).show(self.view.current(), moment)

    def _notes(self) -> str:
        if self._filter_error:
            return f"{self._filter_error}  "
        view = self.view
        notes = [f"{len(view.marks)} marked"] if view.marks else []
        notes += [f"{view.only} only"] if view.only else []
        notes += [f"filter {view.query_text}"] if view.query_text else []
        notes += [f"100%={view.scale}"] if view.scale is not Scale.CORE else []
        notes += ["following"] if view.follow else []
        notes += self.notes()
        return "".join(f"{note}  " for note in notes)

    def _empty_words(self, moment: Moment) -> str:
        if moment.readings:
            return f"No matches, {self.view.hidden} hidden. Esc clears filter, 1 all kinds, a includes stopped."
        return "No workloads found on this host. Press ! to check the data sources."

    def footer_label(self, action: str, label: str) -> str:
        """Return the footer label of a key; empty hides the key."""
        return label

    def _show_footer(self) -> None:
        footer = Text(no_wrap=True, overflow="crop")
        for key in keys_of(self.where):
            label = self.footer_label(key.action, key.label)
            if label:
                footer.append(f" {key_names(key.keys).split()[0]}", style="bold").append(f" {label} ")
        self.query_one("#footer", Static).update(footer)

    def action_move(self, lines: int) -> None:
        self._go(self.view.index() + lines)

    def action_page(self, pages: float) -> None:
        self._go(self.view.index() + int(pages * self.query_one(WorkloadTable).page))

    def action_edge(self, side: int) -> None:
        self._go(0 if side < 0 else len(self.view.lines) - 1)

    def _go(self, index: int) -> None:
        if not self.view.lines:
            return
        self.view.move_to(index)
        table = self.query_one(WorkloadTable)
        table.show(self.view.lines, self.view.cursor, self.view.marks, "")
        table.reveal(self.view.index())
        if self.shown_moment is not None:
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
        if line is not None:
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
        elif line is not None and self.shown_moment is not None:
            self.open_workload(line.id)

    def action_enlarge(self) -> None:
        self._enlarged = not self._enlarged
        self.on_resize()

    def action_filter(self) -> None:
        prompt = self.query_one("#prompt", Input)
        prompt.display = True
        self.query_one("#footer").display = False
        prompt.value = self.view.query_text
        self.set_focus(prompt)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "filter" and isinstance(self.focused, Input))

    @on(Input.Changed, "#prompt")
    def filter_typed(self, event: Input.Changed) -> None:
        if event.input.display:
            self._set_filter(event.value)

    @on(Input.Submitted, "#prompt")
    def filter_taken(self) -> None:
        if self._filter_error:
            self.notify(self._filter_error, severity="error", markup=False)
            return
        self._close_prompt()

    def _set_filter(self, typed: str) -> None:
        try:
            query = parse(typed) if typed.strip() else None
        except QueryError as error:
            self._filter_error = str(error)
            self.redraw()
            return
        self._filter_error = ""
        self.view.query, self.view.query_text = query, typed.strip()
        self.redraw()

    def _close_prompt(self) -> None:
        self.query_one("#prompt").display = False
        self.query_one("#footer").display = True
        self.query_one(WorkloadTable).focus()

    def action_back(self) -> None:
        self._close_prompt()
        self._set_filter("")

    def action_sources(self) -> None:
        moment = self.newest()
        if moment is not None:
            self.open_panel("Sources", sources_page(moment))

    def action_why(self) -> None:
        line = self.view.current()
        if line is not None and line.reading is None:
            self.notify("A group is the sum of its members; select one of them.", timeout=3)
        elif line is not None and line.reading is not None and self.shown_moment is not None:
            self.open_panel("Where the numbers come from", why_page(line.reading, self.shown_moment))

    def target(self) -> Workload | None:
        """Return the workload under the cursor; `None` for a group or an empty table."""
        line = self.view.current()
        return line.reading.workload if line is not None and line.reading is not None else None

    def action_sort_menu(self) -> None:
        self._choose("Sort by", [(key, describe(key)) for key in SORTS], self.view.sort, None)

    def action_columns(self) -> None:
        self._choose("Columns", [(key, describe(key)) for key in CHOICES], "name", set(self._keys))

    def _choose(self, title: str, options: list[tuple[str, str]], start: str, ticked: set[str] | None) -> None:
        choice = self.app.get_screen("choice")
        assert isinstance(choice, PickerDialog)  # noqa: S101  # installed under this name by the app
        take = self._take_columns if ticked is not None else self._take_sort
        self.app.push_screen(choice.prepare(title, options, start, ticked), take)

    def _take_sort(self, chosen: list[str] | None) -> None:
        if chosen:
            self.action_sort(chosen[0])

    def _take_columns(self, chosen: list[str] | None) -> None:
        if chosen:
            self._keys = ("name", *(key for key in chosen if key != "name"))
            self.query_one(WorkloadTable).set_columns(self._keys)
            self.redraw()
