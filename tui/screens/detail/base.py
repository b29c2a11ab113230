"""The detail screen of one workload: a chart for every metric, and its events. Base of the live and replay screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from collectors.alerts.told import told
from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.startup_times import Startup
from collectors.model.workloads import Event, State, Workload, WorkloadId
from tui.controllers.history_feed import Frames
from tui.dialogs.base import AnsweredOnce
from tui.keys.key import Key
from tui.keys.pages import CHART_ROWS
from tui.keys.tables import LIVE, TABLES
from tui.presenters.charts.page import SPANS
from tui.presenters.formatting import duration, state_text
from tui.presenters.main_screen.alarms import worst_alarm
from tui.presenters.pages.alert_lines import active_line
from tui.presenters.pages.detail import event_lines
from tui.presenters.styled_lines import Line, Run, cut, plain_text
from tui.screens.detail.charts import ChartsPage
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.tab_line import Tab, TabLine
from tui.widgets.text_lines import TextLines, TitleLine

CHARTS, EVENTS = "charts", "events"


class DetailContext(NamedTuple):
    """A workload, and where its data comes from."""

    identity: WorkloadId
    frames: Frames
    """Returns the frames from a wall time to the moment on screen. Blocking."""
    events: Callable[[WorkloadId], Sequence[Event]]
    """Returns the events of a workload so far."""
    startup: Callable[[WorkloadId], Startup | None]
    """Returns the newest start of a workload that vmtop observed; `None` if there is none."""
    recent: History
    """What is kept of the last minutes anyway."""
    ascii_only: bool = False
    """Draw with ASCII only."""
    metric: str | None = None
    """Key of the metric to open with; `None`, or one that is not charted, opens with the first."""
    spans: Sequence[tuple[str, float | None]] = SPANS
    """What its charts may show, shortest first."""


class WorkloadScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """Shows one workload and updates with every frame.

    Args:
        subject: The workload and where its data comes from.
    """

    pages: ClassVar[tuple[str, ...]] = (CHARTS, EVENTS)

    DEFAULT_CSS = """
    WorkloadScreen { layout: vertical; }
    WorkloadScreen #alerts { height: 1; display: none; }
    """

    def __init__(self, subject: DetailContext) -> None:
        super().__init__()
        self.identity, frames, self._events, self._startup, self._recent, self.is_ascii, metric, spans = subject
        recent = self._recent if self.where == LIVE else None
        self._charts = ChartsPage(self.identity, frames, self._events, recent, self.is_ascii, metric, spans)
        self._page = CHARTS
        self._reading: Reading | None = None
        self._moment: Moment | None = None
        self._is_gone = False

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield TextLines(id="alerts")
        yield TabLine(id="tabs")
        yield self._charts
        yield LineView(id="page")
        yield from self.extra()
        yield Footer(TABLES[self.key_table])

    def extra(self) -> Iterable[Widget]:
        """Return the widgets of further pages."""
        return ()

    def on_mount(self) -> None:
        self.action_page(self._page)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_tabs)
        self.call_after_refresh(self._redraw)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        """Show another moment; a workload that is gone keeps its last values."""
        reading = moment.readings.get(self.identity)
        self._is_gone = reading is None
        self._reading = reading or self._reading
        self._moment = moment
        self._charts.follow(reading, moment, is_next)
        if self.is_mounted:
            self._redraw()

    def target(self) -> Workload | None:
        return self._reading.workload if self._reading is not None else None

    def _redraw(self) -> None:
        if self._reading is None:
            return
        self.query_one(TitleLine).show_lines([self._title(self._reading.workload)])
        self._show_alerts()
        if self._page == CHARTS:
            self._charts.redraw()
        elif self._page == EVENTS:
            self._show_page()

    def _show_alerts(self) -> None:
        """Show the alerts about the workload that are active, in a line that is there only then."""
        if self._moment is None:
            return
        alerts = told(self._events(self.identity))
        line = active_line(alerts, self._moment.frame.wall, self.size.width, self.is_ascii)
        shown = self.query_one("#alerts", TextLines)
        shown.display = line is not None
        shown.show_lines([] if line is None else [line])

    def under_way(self) -> list[str]:
        """Return notes for the title, such as an action in progress; empty if there are none."""
        return []

    def page_lines(self, page: str, width: int) -> list[Line]:
        """Return the lines of a page other than the charts."""
        return event_lines(self._events(self.identity), self._startup(self.identity), width)

    def _title(self, workload: Workload) -> Line:
        kind = f"kind-{workload.kind}"
        parts = [part for part in (workload.id.host, workload.id.engine) if part]
        parts += [part for part in (workload.image, workload.ports, workload.endpoint) if part]
        if workload.started_at and self._moment and workload.state.is_active:
            parts.append(f"up {duration(max(0.0, self._moment.frame.wall - workload.started_at), 6).strip()}")
        left: list[Run] = [(f" {workload.name}", "title"), (f"  {workload.kind} ", kind)]
        left += [(" · ".join(parts), "muted")]
        right = self._state(workload)
        room = self.size.width - cell_len(plain_text(right)) - 2
        return [*cut(left, room), (" ", "text"), *right, (" ", "text")]

    def _state(self, workload: Workload) -> Line:
        """Return what is to be said at the right of the title: the worst that is wrong, or the state."""
        if self._is_gone:
            return [("gone", "bad")]
        tone = "good" if workload.state is State.RUNNING else "warn"
        runs: list[Run] = [("  ".join(part for part in (state_text(workload), workload.health) if part), tone)]
        if self._reading is not None and self._moment is not None and workload.state.is_active:
            alarm = worst_alarm(self._reading, self._moment, self._recent, self.is_ascii)
            runs = [alarm] if alarm is not None else runs
        return [*runs, *((f"  {note}", "accent") for note in self.under_way())]

    def _show_page(self) -> None:
        if self._page != CHARTS:
            view = self.query_one("#page", LineView)
            view.show(self.page_lines(self._page, max(20, self.size.width - 1)))

    def action_page(self, page: str) -> None:
        self._page = page
        is_charts = page == CHARTS
        self._charts.display = is_charts
        view = self.query_one("#page", LineView)
        view.display = not is_charts
        (self.query_one("#metrics") if is_charts else view).focus()
        view.go(0)
        self.query_one(Footer).show(self.footer_keys())
        self._show_tabs()
        self._show_page()
        self.call_after_refresh(self._redraw)

    def footer_keys(self) -> list[Key]:
        """Return the keys that the footer shows: those of the charts on their page only."""
        return [row for row in TABLES[self.key_table] if self._page == CHARTS or row.name not in CHART_ROWS]

    def _show_tabs(self) -> None:
        """Show the pages, and for charts the spans at the right."""
        pages = [
            Tab(f"{number} {name.capitalize()}", f"turn_to({number})", name == self._page)
            for number, name in enumerate(self.pages, 1)
        ]
        self.query_one(TabLine).show_tabs(pages, self._charts.spans() if self._page == CHARTS else ())

    def action_span(self, step: int) -> None:
        self._charts.change_span(step)
        self._show_tabs()

    def action_choose_span(self, index: int) -> None:
        self.action_span(index - self._charts.span)

    def action_overlay(self) -> None:
        self._charts.toggle_overlay()

    def action_turn(self, step: int) -> None:
        self.action_page(self.pages[(self.pages.index(self._page) + step) % len(self.pages)])

    def action_turn_to(self, number: int) -> None:
        if number <= len(self.pages):
            self.action_page(self.pages[number - 1])

    def action_close(self) -> None:
        self.dismiss(None)
